"""The checkpoint: all that a training needs to go on, as JSON and NumPy's own array format without pickle.

A checkpoint is complete when its JSON file is there and names the digest of its arrays, so one that was
interrupted, or only half copied, is passed over and the one before it is used.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from model.config import Config
from model.data import Examples, Floats, Split
from model.progress import Progress

Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]

KEPT = 2
# Endings of the files that SageMaker makes beside each that it is uploading, and that it has uploaded: only
# what is uploaded may be deleted (checkpointing.py of aws/sagemaker-xgboost-container).
UPLOADING, UPLOADED = ".sagemaker-uploading", ".sagemaker-uploaded"
STATE = {field.name for field in dataclasses.fields(Progress)}


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Where a training stands, between two batches."""

    progress: Progress
    weights: list[Floats]
    """Of each parameter of the network."""
    best: list[Floats]
    """The weights that validated best; empty before the first validation."""
    optimizer: list[list[Floats]]
    """What the optimizer keeps of each parameter, such as moments; empty before the first update."""


def save(folder: Path, fingerprint: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint and remove all but the newest two, as soon as SageMaker has them.

    `fingerprint` names the configuration and the rows that it belongs to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"step-{checkpoint.progress.step:09}.json"
    np.savez(target.with_suffix(".npz"), **_by_name(checkpoint))
    content = {
        "fingerprint": fingerprint,
        "arrays_sha256": digest(target.with_suffix(".npz")),
        "state": dataclasses.asdict(checkpoint.progress),
    }
    unfinished = target.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(content), encoding="utf-8")
    unfinished.replace(target)
    _delete_old(folder)


def newest(folder: Path, fingerprint: str) -> Checkpoint | None:
    """Return the newest complete checkpoint with this fingerprint, written by this version, or None."""
    for path in _newest_first(folder):
        arrays = path.with_suffix(".npz")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        whole = arrays.exists() and digest(arrays) == content["arrays_sha256"]
        fits = content["fingerprint"] == fingerprint and content["state"].keys() == STATE
        if whole and fits:
            with np.load(arrays, allow_pickle=False) as stored:
                return _checkpoint(Progress(**content["state"]), dict(stored))
    return None


def exists(folder: Path) -> bool:
    """Return whether the folder has a checkpoint, whatever it is of."""
    return bool(_newest_first(folder))


def fingerprint(config: Config, split: Split) -> str:
    """Return what a checkpoint must be of: a digest of the configuration and all encoded rows."""
    content = hashlib.sha256(config.model_dump_json().encode())
    for examples in (split.training, split.validation):
        _add_rows(content, examples)
    return content.hexdigest()


def digest(path: Path) -> str:
    """Return the sha256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _delete_old(folder: Path) -> None:
    """Delete all but the newest; where SageMaker uploads the folder, only what it has uploaded.

    What it still holds is looked at again with the next checkpoint.
    """
    watched = any(any(folder.glob(f"*{marker}")) for marker in (UPLOADING, UPLOADED))
    for old in _newest_first(folder)[KEPT:]:
        files = [path for path in (old, old.with_suffix(".npz")) if path.exists()]
        if not watched or all(path.with_name(path.name + UPLOADED).exists() for path in files):
            for path in files:
                path.unlink()


def _by_name(checkpoint: Checkpoint) -> Arrays:
    arrays = {f"weights.{n}": array for n, array in enumerate(checkpoint.weights)}
    arrays |= {f"best.{n}": array for n, array in enumerate(checkpoint.best)}
    for index, state in enumerate(checkpoint.optimizer):
        arrays |= {f"optimizer.{index}.{n}": array for n, array in enumerate(state)}
    return arrays


def _checkpoint(progress: Progress, arrays: Arrays) -> Checkpoint:
    weights = _series(arrays, "weights")
    optimizer = [_series(arrays, f"optimizer.{index}") for index in range(len(weights))]
    return Checkpoint(progress, weights, _series(arrays, "best"), optimizer)


def _series(arrays: Arrays, name: str) -> list[Floats]:
    return [arrays[f"{name}.{n}"] for n in range(len(arrays)) if f"{name}.{n}" in arrays]


def _add_rows(content: "hashlib._Hash", examples: Examples) -> None:
    content.update(examples.labels.tobytes())
    for ids in examples.texts:
        content.update(len(ids).to_bytes(4, "big") + ids.tobytes())


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.json"), reverse=True)
