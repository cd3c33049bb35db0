"""The levels above the labels, made of their names: an upper category is as likely as its labels together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contract.hierarchy import depth, upper
from model.calibration import Array, Truths


@dataclass(frozen=True)
class Level:
    """A level above the labels; a label that does not reach below it is its own category there."""

    names: tuple[str, ...]
    of_label: Truths  # (labels,), the number of each label's category

    def chances(self, chances: Array) -> Array:
        """Return the chance of each category of the level, shape (rows, names), from those of the labels."""
        order = np.argsort(self.of_label, kind="stable")
        starts = np.searchsorted(self.of_label[order], np.arange(len(self.names)))
        return np.minimum(np.add.reduceat(chances[:, order], starts, axis=1), 1.0)

    def likeliest(self, chances: Array) -> tuple[Truths, Array]:
        """Return the number of each row's likeliest category and its chance, both of shape (rows,)."""
        summed = self.chances(chances)
        return summed.argmax(axis=1), summed.max(axis=1)


def upper_levels(labels: Sequence[str], separator: str | None) -> tuple[Level, ...]:
    """Return the levels above the labels, the topmost first; none without a separator.

    >>> [level.names for level in upper_levels(["Electrical > Fuse", "Electrical > Relay", "Noise"], " > ")]
    [('Electrical', 'Noise')]
    """
    if separator is None:
        return ()
    return tuple(_level(labels, separator, number) for number in range(depth(labels, separator) - 1))


def _level(labels: Sequence[str], separator: str, number: int) -> Level:
    paths = ([*upper(label, separator), label] for label in labels)
    names, of_label = np.unique([path[min(number, len(path) - 1)] for path in paths], return_inverse=True)
    return Level(tuple(names.tolist()), of_label.astype(np.int64))
