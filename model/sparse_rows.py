"""Texts as the numbers of their n-grams, one text after the other in one array (compressed sparse rows)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Ids: TypeAlias = npt.NDArray[np.int32]
Offsets: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SparseRows:
    """The n-grams of each text, by number; one that counts more often stands there as often, in a row."""

    numbers: Ids
    """Shape (n-grams of all texts,)."""
    offsets: Offsets
    """Shape (texts + 1,): those of text i are numbers[offsets[i] : offsets[i + 1]]."""

    @classmethod
    def of(cls, texts: Sequence[npt.NDArray[Any]]) -> Self:
        """Return texts that are arrays of their own."""
        counts = np.array([len(ids) for ids in texts], dtype=np.int64)
        numbers = np.concatenate([*texts, np.empty(0, dtype=np.int32)]).astype(np.int32)
        return cls(numbers, np.concatenate([[0], np.cumsum(counts)]))

    @staticmethod
    def joined(parts: Sequence["SparseRows"]) -> "SparseRows":
        """Return the texts of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        counts = [np.empty(0, dtype=np.int64), *(part.counts for part in parts)]
        numbers = np.concatenate([np.empty(0, dtype=np.int32), *(part.numbers for part in parts)])
        return SparseRows(numbers, np.concatenate([[0], np.cumsum(np.concatenate(counts))]))

    def __len__(self) -> int:
        """Return how many texts there are."""
        return len(self.offsets) - 1

    @property
    def counts(self) -> Offsets:
        """How many n-grams each text has, shape (texts,)."""
        return np.diff(self.offsets)

    def only(self, wanted: npt.NDArray[np.bool_]) -> "SparseRows":
        """Return the wanted texts, shape (texts,), alone."""
        counts = self.counts
        kept = np.repeat(wanted, counts)
        return SparseRows(self.numbers[kept], np.concatenate([[0], np.cumsum(counts[wanted])]))

    def renumbered(self, numbers: Ids) -> "SparseRows":
        """Return the texts with other numbers, shape (n-grams,), without those that become 0."""
        renumbered = numbers[self.numbers]
        kept = renumbered > 0
        before = np.concatenate([[0], np.cumsum(kept)])
        return SparseRows(renumbered[kept], before[self.offsets])

    def frequencies(self, size: int) -> Offsets:
        """Return in how many texts each n-gram is, shape (size,)."""
        firsts = np.diff(self.numbers, prepend=-1) != 0
        firsts[self.offsets[:-1][self.counts > 0]] = True
        return np.bincount(self.numbers[firsts], minlength=size)
