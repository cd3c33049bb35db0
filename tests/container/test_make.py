"""What `make` does with the image; a program in place of podman writes down how it was called."""

import os
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT

NOTE = """#!/bin/sh
echo "$(basename "$0") $*" >> "$(dirname "$0")/calls"
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    (tmp_path / "podman").write_text(NOTE, encoding="utf-8")
    (tmp_path / "podman").chmod(0o755)
    return tmp_path


def make(target: str, programs: Path, *variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    given = [f"ENGINE={programs / 'podman'}", "BUILD=$(ENGINE) build", *variables]
    # Not `setup`: the environments are there, and their files may be older than a lock file just compiled.
    command = ["make", "--old-file", "setup", target, *given]
    return subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)


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
