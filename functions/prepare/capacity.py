"""Refuses what the functions or a training's disk cannot hold, before any work; knows nothing of AWS."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract.errors import InvalidConfig, InvalidData
from contract.parts import NETWORKS
from contract.state import Action
from contract.text import and_more
from shared.storage import ObjectInfo

# How much of its disk a function needs, in sizes of the file: measured, see docs/reliability.md.
TRAINING_NEEDS, TUNING_NEEDS, PREDICTING_NEEDS = 1.9, 2.1, 2.7
QUEUE = 512  # megabytes that the queue needs at most, beside that
MEGABYTE = 1024 * 1024

# A checkpoint has the word vectors, the best of them and two moments of the optimizer; two are kept while a
# third is written.
COPIES_OF_WEIGHTS, CHECKPOINTS, BYTES_OF_A_WEIGHT = 4, 3, 4
WORD_BYTES = 2  # of a file, at least: a letter and a blank
UNPACKED = 20  # times as large as it is packed, at most, is what a file of words becomes
_OWN_DISKS = re.compile(
    r"ml\.(g4dn|g5|gr?6e?f?|g7e?|p5e?n?|p6[a-z-]*\d*|trn\d[a-z]*|[a-z]+\d[a-z]*d[a-z]*)\."
)


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
    if action != "predict":
        needs = TUNING_NEEDS if action == "tune" else TRAINING_NEEDS
        _check(data, "train on", int(disks.validate * MEGABYTE / needs))
    labelled = data if action == "predict" else [predict] if predict else []
    _check(labelled, "label", int((disks.collect - QUEUE) * MEGABYTE / PREDICTING_NEEDS))


def has_own_disks(instance_type: str) -> bool:
    """Return whether an instance has disks of its own, which SageMaker uses in place of a volume."""
    return _OWN_DISKS.match(instance_type) is not None


def check_checkpoints(
    config: dict[str, Any], data: Sequence[ObjectInfo], instance_type: str, volume_gb: int
) -> None:
    """Raise InvalidConfig if the checkpoints of a CNN or LSTM cannot fit on the disk of the training.

    Args:
        config: complete
        data: the files to train on; no more words are learned than they can have
        instance_type: where it trains; the disks of those that have their own are not known
        volume_gb: of the training's disk

    """
    if not _has_network(config) or has_own_disks(instance_type):
        return
    size = sum(file.size for file in data)
    words = min(config["vocab_size"], size * UNPACKED // WORD_BYTES)
    checkpoints = CHECKPOINTS * COPIES_OF_WEIGHTS * BYTES_OF_A_WEIGHT * words * config["embed_size"]
    if checkpoints + size > volume_gb * 1e9:
        raise InvalidConfig(
            f"The checkpoints of a training with the vocab_size {config['vocab_size']:,} and the embed_size "
            f"{config['embed_size']:,} can take {_gigabytes(checkpoints)}, and its disk has {volume_gb} GB: "
            "lower them in the configuration, or give the stack a larger TrainingVolumeGB."
        )


def _has_network(config: dict[str, Any]) -> bool:
    """Return whether a part that leaves checkpoints is asked for, by `architecture` or by `cnn` alone."""
    if config["architecture"] is None:
        return config["cnn"] is not None
    return not NETWORKS.isdisjoint(config["architecture"].split("+"))


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
