"""A trained sum of n-grams: one table, of which the lines of a text's n-grams are added up."""

from dataclasses import dataclass

import numpy as np

from model.compiled import compiled
from model.data import Arrays, Floats
from model.ngrams import Norm
from model.sparse_rows import Ids, Offsets, SparseRows


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

    def logits(self, texts: SparseRows) -> Floats:
        """Logits of shape (texts, classes), float32, in the order of the texts."""
        sums = _sums(texts.numbers, texts.offsets, self.weights)
        if self.norm == "sqrt":
            sums /= np.sqrt((texts.counts + 1).astype(np.float32))[:, None]
        return _both(sums + self.bias)

    def shares(self, numbers: Ids, count: int) -> Floats:
        """Return what each of a text's `count` n-grams adds to its logits, shape (numbers, classes)."""
        divisor = np.sqrt(np.float32(count + 1)) if self.norm == "sqrt" else np.float32(1)
        return _both(self.weights[numbers] / divisor)

    def arrays(self) -> Arrays:
        """Return all weights by name."""
        return {"weights": self.weights, "bias": self.bias}


def _both(column: Floats) -> Floats:
    """Return the columns of all classes; a single one is that of the second of two."""
    return np.hstack([-column, column]) if column.shape[1] == 1 else column


@compiled
def _sums(numbers: Ids, offsets: Offsets, weights: Floats) -> Floats:
    """Add up the lines of each text's n-grams, shape (texts, columns).

    Four lines at a time: the sums are read and written a quarter as often, and the rounding is less.
    """
    sums = np.zeros((len(offsets) - 1, weights.shape[1]), np.float32)
    for text in range(len(sums)):
        line, ids = sums[text], numbers[offsets[text] : offsets[text + 1]]
        fours = len(ids) // 4 * 4
        for place in range(0, fours, 4):
            one, two = weights[ids[place]], weights[ids[place + 1]]
            three, four = weights[ids[place + 2]], weights[ids[place + 3]]
            for column in range(len(line)):
                line[column] += (one[column] + two[column]) + (three[column] + four[column])
        for number in ids[fours:]:
            for column in range(len(line)):
                line[column] += weights[number, column]
    return sums
