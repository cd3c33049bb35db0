"""Refuses files that are too large for the functions, before any work is done; knows nothing of AWS."""

from dataclasses import dataclass

from contract.errors import InvalidData
from contract.state import Action
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


def check(action: Action, data: ObjectInfo, predict: ObjectInfo | None, disks: Disks) -> None:
    """Raise InvalidData if a file is too large. A packed one is at least as large as it is packed."""
    if action == "train":
        _check(data, "train on", int(disks.validate * MEGABYTE / TRAINING_NEEDS))
    labelled = data if action == "predict" else predict
    if labelled:
        _check(labelled, "label", int((disks.collect - QUEUE) * MEGABYTE / PREDICTING_NEEDS))


def _check(file: ObjectInfo, what: str, most: int) -> None:
    if file.size > most:
        raise InvalidData(
            f"{file.location.name} has {_gigabytes(file.size)}, and a file to {what} may have "
            f"{_gigabytes(most)}: cut it up into several files."
        )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
