"""The function for small files: a call is a run of the program, and what fails it is told by name."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from container import label

IMAGE = "repository@sha256:a"
EVENT = {"image": IMAGE, "manifest": "s3://b/manifest.json", "model": "s3://b/model.tar.gz", "shard": 3}
CONTEXT = SimpleNamespace(memory_limit_in_mb=2048)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program in the place of `predict` that writes what it is told, and how many cores it has."""
    script = tmp_path / "predict"
    script.write_text(
        "#!/bin/sh\n"
        f'echo "$CLAIMFLOW_MANIFEST $CLAIMFLOW_MODEL $AWS_BATCH_JOB_ARRAY_INDEX $(nproc)" > {tmp_path}/told\n'
        "echo labelled\n"
        'exit "${CODE:-0}"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CLAIMFLOW_IMAGE", IMAGE)
    cores = os.sched_getaffinity(0)
    monkeypatch.setattr(label.os, "sched_setaffinity", _only_here(cores))
    return tmp_path / "told"


def _only_here(cores: set[int]) -> Any:
    """Keep the test's own cores, and say to the program what the call wanted."""

    def pin(process: int, wanted: set[int]) -> None:
        assert process == 0
        assert wanted <= cores
        assert len(wanted) == 1

    return pin


def test_a_call_runs_the_program_on_its_shard_and_tells_the_memory_by_time(
    program: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert label.handler(EVENT, CONTEXT)["gb_seconds"] > 0
    assert program.read_text().split()[:3] == ["s3://b/manifest.json", "s3://b/model.tar.gz", "3"]
    assert capfd.readouterr() == ("", "labelled\n"), "standard output is not the program's"


def test_a_failing_program_fails_the_call(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODE", "1")
    with pytest.raises(label.NotLabelledError, match="Shard 3 was not labelled"):
        label.handler(EVENT, CONTEXT)


def test_another_image_than_that_of_the_run_labels_nothing(program: Path) -> None:
    with pytest.raises(label.AnotherImageError):
        label.handler({**EVENT, "image": "repository@sha256:b"}, CONTEXT)
    assert not program.exists()


def test_the_function_imports_nothing_of_the_image() -> None:
    """The local AWS starts it where the image's packages are not."""
    lines = (Path(label.__file__)).read_text(encoding="utf-8").splitlines()
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported == {"os", "subprocess", "time", "typing"}
