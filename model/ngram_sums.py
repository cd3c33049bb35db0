"""A trained sum of n-grams: one table, of which the lines of a text's n-grams are added up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.data import Arrays, Floats
from model.encoder import Ids
from model.ngrams import Norm
from model.tokenizer import Places

_NO_IDS = np.empty(0, dtype=np.intp)  # among others, it makes them what NumPy indexes with fastest


def columns(classes: int) -> int:
    """Return how many columns of weights a number of classes needs."""
    return 1 if classes == 2 else classes


@dataclass(frozen=True)
class NgramSums:
    """A weight for each n-gram and class; a text's logits are the sum over its n-grams.

    Of two classes only the second has its weights here: the first one's are the same with the other sign.
    """

    weights: Floats  # (n-grams, columns); what an n-gram counts is in them
    bias: Floats  # (columns,)
    norm: Norm

    def logits(self, texts: Sequence[Ids]) -> Floats:
        """Logits of shape (texts, classes), float32, in the order of the texts."""
        counts = np.array([len(ids) for ids in texts], dtype=np.intp)
        sums = self._sums(texts, counts)
        if self.norm == "sqrt":
            sums /= np.sqrt((counts + 1).astype(np.float32))[:, None]
        return _both(sums + self.bias)

    def shares(self, numbers: Ids, count: int) -> Floats:
        """Return what each of a text's `count` n-grams adds to its logits, shape (numbers, classes)."""
        divisor = np.sqrt(np.float32(count + 1)) if self.norm == "sqrt" else np.float32(1)
        return _both(self.weights[numbers] / divisor)

    def arrays(self) -> Arrays:
        """Return all weights by name."""
        return {"weights": self.weights, "bias": self.bias}

    def _sums(self, texts: Sequence[Ids], counts: Places) -> Floats:
        if len(self.bias) == 1:
            values = np.zeros(counts.sum() + 1, dtype=np.float32)  # one more, as the last text may be empty
            values[:-1] = self.weights[np.concatenate([*texts, _NO_IDS]), 0]
            sums = np.add.reduceat(values, np.cumsum(counts) - counts)
            return np.where(counts, sums, 0)[:, None]
        result = np.empty((len(texts), len(self.bias)), dtype=np.float32)
        ones = np.ones(counts.max(initial=0), dtype=np.float32)
        for line, ids in zip(result, texts, strict=True):
            np.matmul(ones[: len(ids)], self.weights.take(ids, axis=0), out=line)
        return result


def _both(column: Floats) -> Floats:
    """Return the columns of all classes; a single one is that of the second of two."""
    return np.hstack([-column, column]) if column.shape[1] == 1 else column
