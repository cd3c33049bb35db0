"""Refuses files that are too large for the functions, before any work is done; knows nothing of AWS."""

from collections.abc import Sequence
from dataclasses import dataclass

from contract.errors import InvalidData
from contract.state import Action
from contract.text import and_more
from shared.storage import ObjectInfo

# How much of its disk a function needs, in sizes of the file: measured, see docs/reliability.md.
TRAINING_NEEDS, PREDICTING_NEEDS = 1.9, 2.7
QUEUE = 512  # megabytes that the queue needs at most, beside that
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Disks:
    """The megabytes that the functions have in /tmp."""

    validate: int
    collect: int


def check(action: Action, data: Sequence[ObjectInfo], predict: ObjectInfo | None, disks: Disks) -> None:
    """Raise InvalidData if the files are too large. A packed one is at least as large as it is packed.

    Args:
        action: what the run does
        data: the files to train on, or the one to label
        predict: a file to label after a training
        disks: of the functions

    """
    if action == "train":
        _check(data, "train on", int(disks.validate * MEGABYTE / TRAINING_NEEDS))
    labelled = data if action == "predict" else [predict] if predict else []
    _check(labelled, "label", int((disks.collect - QUEUE) * MEGABYTE / PREDICTING_NEEDS))


def _check(files: Sequence[ObjectInfo], what: str, most: int) -> None:
    size = sum(file.size for file in files)
    if size <= most:
        return
    name, larger = files[0].location.name, _gigabytes(size)
    if len(files) > 1:
        raise InvalidData(
            f"{and_more(name, len(files) - 1)} have {larger} together, and what a run trains on may have "
            f"{_gigabytes(most)}: train on fewer of them."
        )
    raise InvalidData(
        f"{name} has {larger}, and a file to {what} may have {_gigabytes(most)}: "
        "cut it up into several files."
    )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
