"""Checkpoints of a training: numbers as JSON, arrays as NumPy's own format without pickle.

A checkpoint is complete when its JSON file is there and names the digest of its arrays, so one that was
interrupted, or only half copied, is passed over and the one before it is used.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]

KEPT = 2


def save(folder: Path, step: int, fingerprint: str, state: Mapping[str, Any], arrays: Arrays) -> None:
    """Write the checkpoint of a step and remove all but the newest two.

    `fingerprint` names the configuration and the data that it belongs to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"step-{step:09}.json"
    np.savez(target.with_suffix(".npz"), **arrays)
    content = {
        "fingerprint": fingerprint,
        "arrays_sha256": digest(target.with_suffix(".npz")),
        "state": state,
    }
    unfinished = target.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(content), encoding="utf-8")
    unfinished.replace(target)
    for old in _newest_first(folder)[KEPT:]:
        old.unlink()
        old.with_suffix(".npz").unlink(missing_ok=True)


def load(folder: Path, fingerprint: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]] | None:
    """State and arrays of the newest complete checkpoint with this fingerprint, or None."""
    for path in _newest_first(folder):
        arrays = path.with_suffix(".npz")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        whole = arrays.exists() and digest(arrays) == content["arrays_sha256"]
        if whole and content["fingerprint"] == fingerprint:
            with np.load(arrays, allow_pickle=False) as stored:
                return content["state"], dict(stored)
    return None


def digest(path: Path) -> str:
    """Return the sha256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.json"), reverse=True)
