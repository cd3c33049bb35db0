"""What befalls the program `train`: signals at every named point, a lost machine, bad checkpoints."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from model.artifact import load
from model.errors import ModelError
from tests.faults.programs import run, run_until

WHERE = "train"
#: The named points, in the order in which a training comes by.
POINTS = {
    "before it reads": ("model.pipeline:_read", 1),
    "while it tries n-gram settings": ("model.ngram_settings:_Trial._epoch", 2),
    "in an epoch": ("model.step:Step.train", 5),
    "between the two files of a checkpoint": ("model.checkpoint:digest", 2),
    "before it measures": ("model.pipeline:evaluate", 1),
    "before it writes the report": ("model.pipeline:render", 1),
    "while it saves the model": ("model.artifact:write_json", 2),
}


@pytest.fixture
def job(undisturbed: Path, tmp_path: Path) -> Path:
    """The same job, not yet begun."""
    return Path(shutil.copytree(undisturbed / "input", tmp_path / "ml" / "input")).parent


def figures(base: Path) -> dict[str, Any]:
    evaluation: dict[str, Any] = json.loads(
        (base / "output/data/evaluation.json").read_text(encoding="utf-8")
    )
    for part in [evaluation["training"], *evaluation["training"]["parts"]]:
        del part["seconds"]
    return evaluation


def same(base: Path, undisturbed: Path) -> None:
    """The model is the one that an undisturbed training makes, and nothing tells of a failure."""
    assert figures(base) == figures(undisturbed)
    assert (base / "model/model.params").read_bytes() == (undisturbed / "model/model.params").read_bytes()
    assert not (base / "output/failure").exists()


def no_half_model(base: Path) -> None:
    """What lies in the model's folder is no model, unless it is whole."""
    if (base / "model").exists() and not (base / "model/manifest.json").exists():
        with pytest.raises((ModelError, OSError)):
            load(base / "model")


def failure(base: Path) -> str:
    said = (base / "output/failure").read_text(encoding="utf-8")
    assert "\n" not in said
    assert "Traceback" not in said
    return said


@pytest.mark.fault(
    where=WHERE,
    fault=f"SIGTERM {', '.join(POINTS)}",
    then="it stops with a checkpoint, or ends what is nearly done; started again, it makes the same model",
    reads="asked to stop",
)
def test_a_training_that_is_asked_to_stop_anywhere_ends_as_if_it_had_not_been(
    job: Path, undisturbed: Path, reads: str
) -> None:
    for point, count in POINTS.values():
        done = run_until("train", point, count, "TERM", CLAIMFLOW_BASE_DIR=str(job))
        assert done.returncode in {0, 128 + signal.SIGTERM}, done.stdout
        assert (reads in done.stdout) == (done.returncode != 0)
        assert not (job / "output/failure").exists()
        no_half_model(job)
    assert run("train", CLAIMFLOW_BASE_DIR=str(job)).returncode == 0
    same(job, undisturbed)


@pytest.mark.fault(
    where=WHERE,
    fault=f"kill -9 {', '.join(POINTS)}",
    then="no half model; started again, it goes on from its newest whole checkpoint, to the same model",
    reads="The process was killed",
)
def test_a_training_that_is_killed_anywhere_makes_the_same_model_when_started_again(
    job: Path, undisturbed: Path, reads: str
) -> None:
    for point, count in POINTS.values():
        done = run_until("train", point, count, "KILL", CLAIMFLOW_BASE_DIR=str(job))
        assert done.returncode == 128 + signal.SIGKILL
        assert failure(job).startswith(reads)
        no_half_model(job)
    assert run("train", CLAIMFLOW_BASE_DIR=str(job)).returncode == 0
    same(job, undisturbed)


@pytest.mark.fault(
    where=WHERE,
    fault="the machine is gone while it saves the model",
    then="started on another machine, it goes on from its newest whole checkpoint, to the same model",
    reads="",
)
def test_a_training_whose_machine_is_gone_makes_the_same_model_on_another(
    job: Path, undisturbed: Path
) -> None:
    point, count = POINTS["while it saves the model"]
    run_until("train", point, count, "HOST", CLAIMFLOW_BASE_DIR=str(job))
    no_half_model(job)
    for folder in ("model", "output"):  # another machine has the checkpoints only
        shutil.rmtree(job / folder)
    assert run("train", CLAIMFLOW_BASE_DIR=str(job)).returncode == 0
    same(job, undisturbed)


@pytest.mark.fault(
    where=WHERE,
    fault="the disk is full when a checkpoint or the model is written",
    then="it fails; started again with more room, it goes on to the same model",
    reads="The disk is full: free disk space, or give the training more",
)
def test_a_training_with_a_full_disk_says_so_and_goes_on_later(
    job: Path, undisturbed: Path, reads: str
) -> None:
    for point, count in (("model.checkpoint:save", 2), ("model.artifact:write_json", 2)):
        done = run_until("train", point, count, "DISK", CLAIMFLOW_BASE_DIR=str(job))
        assert done.returncode == 1
        assert failure(job).startswith(reads)
        no_half_model(job)
    assert run("train", CLAIMFLOW_BASE_DIR=str(job)).returncode == 0
    same(job, undisturbed)


@pytest.mark.parametrize("damaged", ["newest", "all"])
@pytest.mark.fault(
    where=WHERE,
    fault="the newest checkpoint, or every one, is damaged",
    then="it goes on from the one before, or begins anew, to the same model",
    reads="",
)
def test_a_training_with_damaged_checkpoints_makes_the_same_model(
    damaged: str, job: Path, undisturbed: Path
) -> None:
    shutil.copytree(undisturbed / "checkpoints", job / "checkpoints")
    arrays = sorted((job / "checkpoints").rglob("*.npz"))
    numbers = sorted((job / "checkpoints").rglob("*.json"))
    assert len(arrays) == len(numbers) == 2
    arrays[-1].write_bytes(arrays[-1].read_bytes()[:100])
    if damaged == "all":
        numbers[0].write_bytes(b"{\xff")
    done = run("train", CLAIMFLOW_BASE_DIR=str(job))
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("Resuming from a checkpoint" in done.stdout) == (damaged == "newest")
    same(job, undisturbed)
