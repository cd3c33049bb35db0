"""The program that makes the base image says what it lacks before it does anything."""

import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "container" / "base_image.sh"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only folder on the path, with what the program needs to tell what is missing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "id"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def run(programs: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(programs / "bash"), str(PROGRAM)],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_debootstrap_the_package_to_install_is_named(programs: Path) -> None:
    finished = run(programs)
    assert finished.returncode == 1
    assert finished.stderr == "debootstrap is not installed; install the package debootstrap.\n"


def test_without_an_engine_the_package_to_install_is_named(programs: Path) -> None:
    (programs / "debootstrap").symlink_to(str(shutil.which("true")))
    finished = run(programs)
    assert finished.returncode == 1
    assert finished.stderr == "Neither podman nor docker is installed; install the package podman.\n"
