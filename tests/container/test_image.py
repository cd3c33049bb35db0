"""What goes into the image, as far as it can be told without building it."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from container.driver import ensure_driver

from .conftest import ROOT

CONTAINER = ROOT / "container"


def test_every_requirement_of_the_image_is_locked_with_its_hashes() -> None:
    wanted = re.findall(
        r"^([a-z0-9-]+)", (CONTAINER / "requirements.in").read_text(encoding="utf-8"), re.MULTILINE
    )
    locked = (CONTAINER / "requirements.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", locked)
    assert {entry.split("==")[0] for entry in entries} >= set(wanted)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_image_has_the_versions_of_the_development_environment() -> None:
    def versions(path: Path) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE))

    image, development = versions(CONTAINER / "requirements.txt"), versions(ROOT / "requirements" / "app.txt")
    for name in ("numpy", "spacy", "pydantic", "jinja2", "boto3"):
        assert image[name] == development[name], name
    assert image["mxnet-cu112"] == development["mxnet"]


def test_the_image_has_an_ordinary_user_for_batch_and_copies_only_what_it_needs() -> None:
    lines = (CONTAINER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert any("useradd --system --uid 10001" in line for line in lines)
    copied = [line.split()[1] for line in lines if line.startswith("COPY") and "--from" not in line]
    assert copied == [
        *("container/libcuda_stub.c", "container/requirements.txt"),
        *("contract", "model", "container"),
    ]


@pytest.mark.parametrize("name", ["train", "predict"])
def test_the_programs_are_executable(name: str) -> None:
    assert (CONTAINER / name).stat().st_mode & 0o111 == 0o111
    assert (CONTAINER / name).read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n")


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    if not shutil.which("gcc"):
        pytest.skip("needs gcc to build the stub")
    library = tmp_path / "libstub.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", str(library), str(CONTAINER / "libcuda_stub.c")], check=True
    )
    return library


def test_the_stub_stands_in_where_there_is_no_driver_and_finds_no_device(stub: Path) -> None:
    assert not ensure_driver("libno-such-driver.so.1", stub)
    assert ctypes.CDLL(str(stub)).cuDeviceGet() == 100


def test_a_driver_that_is_there_is_used_and_the_stub_is_left_alone(stub: Path, tmp_path: Path) -> None:
    assert ensure_driver(str(stub), tmp_path / "never-loaded.so")


def test_without_driver_and_stub_nothing_is_loaded(tmp_path: Path) -> None:
    assert not ensure_driver("libno-such-driver.so.1", tmp_path / "none.so")
