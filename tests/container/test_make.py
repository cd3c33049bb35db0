"""What `make` does with the image; programs in place of podman and aws write down how they were called."""

import os
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT

URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/claimflow:latest"
NOTE = """#!/bin/sh
echo "$(basename "$0") $*" >> "$(dirname "$0")/calls"
"""
AWS = (
    NOTE
    + f"""case "$1" in
  cloudformation) echo {URI} ;;
  ecr) echo secret ;;
esac
"""
)
PODMAN = NOTE + 'case "$1" in login) cat > "$(dirname "$0")/password" ;; esac\n'


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name, content in (("podman", PODMAN), ("aws", AWS)):
        (tmp_path / name).write_text(content, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def make(target: str, programs: Path, *variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    given = [f"ENGINE={programs / 'podman'}", f"AWS={programs / 'aws'}", "BUILD=$(ENGINE) build", *variables]
    # Not `setup`: the environments are there, and their files may be older than a lock file just compiled.
    command = ["make", "--old-file", "setup", target, *given]
    return subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)


def test_push_tags_by_commit_and_as_the_stack_takes_it(programs: Path) -> None:
    done = make("push", programs, "STACK=claimflow-prod", "REVISION=0123456789ab")
    assert done.returncode == 0, done.stderr
    calls = (programs / "calls").read_text(encoding="utf-8").splitlines()
    of_commit = URI.replace(":latest", ":0123456789ab")
    assert "--stack-name claimflow-prod" in calls[1]
    assert calls[-4:] == [
        f"podman tag claimflow {of_commit}",
        f"podman push {of_commit}",
        f"podman tag claimflow {URI}",
        f"podman push {URI}",
    ]
    assert f"podman login --username AWS --password-stdin {URI.split('/', maxsplit=1)[0]}" in calls
    assert (programs / "password").read_text(encoding="utf-8").strip() == "secret"
    assert "secret" not in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"Pushed {URI}, which is 0123456789ab"


def test_the_image_is_labelled_with_its_commit(programs: Path) -> None:
    assert make("image", programs, "REVISION=0123456789ab").returncode == 0
    (call,) = (programs / "calls").read_text(encoding="utf-8").splitlines()
    assert "--build-arg REVISION=0123456789ab" in call


@pytest.mark.parametrize("target", ["image", "image-test", "image-sbom"])
def test_a_machine_without_an_engine_is_told(target: str, programs: Path) -> None:
    done = make(target, programs, "ENGINE=")
    assert done.returncode != 0
    assert "Neither podman nor docker is installed; install one of them" in done.stderr


def test_the_tests_of_an_image_that_is_not_there_say_so(programs: Path) -> None:
    (programs / "podman").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    done = make("image-test", programs)
    assert done.returncode != 0
    assert "There is no image claimflow; run make image first." in done.stderr
