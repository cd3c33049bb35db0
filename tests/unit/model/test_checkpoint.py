"""Checkpoints: how many are kept, and when the others go."""

from pathlib import Path

import numpy as np
import pytest

from model import checkpoint
from model.checkpoint import UPLOADED, UPLOADING, Checkpoint
from model.progress import Progress


def saved(folder: Path, *steps: int) -> None:
    for step in steps:
        weights = [np.full(3, step, dtype=np.float32)]
        checkpoint.save(folder, "fingerprint", Checkpoint(Progress(step=step), weights, [], []))


def left(folder: Path) -> list[int]:
    """Return the steps whose two files are there."""
    numbers = sorted(int(path.stem.removeprefix("step-")) for path in folder.glob("step-*.json"))
    assert sorted(path.stem for path in folder.glob("*.npz")) == [f"step-{number:09}" for number in numbers]
    return numbers


def mark(folder: Path, step: int, json: str, arrays: str) -> None:
    """Leave what SageMaker leaves beside the two files of a checkpoint."""
    for kind, marker in (("json", json), ("npz", arrays)):
        (folder / f"step-{step:09}.{kind}{marker}").touch()


def test_the_newest_two_stay_where_nothing_uploads_them(tmp_path: Path) -> None:
    saved(tmp_path, 1, 2, 3, 4)
    assert left(tmp_path) == [3, 4]


@pytest.mark.parametrize(("json", "arrays"), [(UPLOADING, UPLOADING), (UPLOADED, UPLOADING)])
def test_what_sagemaker_is_uploading_is_not_deleted(tmp_path: Path, json: str, arrays: str) -> None:
    saved(tmp_path, 1)
    mark(tmp_path, 1, json, arrays)
    saved(tmp_path, 2, 3)
    assert left(tmp_path) == [1, 2, 3]


def test_what_sagemaker_has_not_begun_to_upload_is_not_deleted(tmp_path: Path) -> None:
    saved(tmp_path, 1, 2)
    mark(tmp_path, 1, UPLOADED, UPLOADED)
    saved(tmp_path, 3, 4)
    assert left(tmp_path) == [2, 3, 4]


def test_what_was_uploaded_meanwhile_goes_with_the_next_checkpoint(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    mark(tmp_path, 1, UPLOADING, UPLOADING)
    saved(tmp_path, 2, 3)
    mark(tmp_path, 1, UPLOADED, UPLOADED)
    saved(tmp_path, 4)
    assert left(tmp_path) == [2, 3, 4]


def test_the_newest_is_found_among_sagemakers_files(tmp_path: Path) -> None:
    saved(tmp_path, 1, 2)
    mark(tmp_path, 2, UPLOADED, UPLOADED)
    found = checkpoint.newest(tmp_path, "fingerprint")
    assert found is not None
    assert found.progress.step == 2
