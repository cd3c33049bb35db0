"""How much n-grams count, and a trained n-gram network without the framework: one table, summed by rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.data import Arrays, Examples, Floats
from model.encoder import Ids
from model.ngrams import Norm, Scale
from model.tokenizer import Places

_NO_IDS = np.empty(0, dtype=np.intp)  # among others, it makes them what NumPy indexes with fastest
SMOOTHING = 0.5  # added to each count, so that an n-gram that a class never has does not rule it out


def scales(examples: Examples, classes: int, size: int, scale: Scale) -> Floats:
    """Return how much each n-gram counts, shape (size,); the 0 of padding counts nothing.

    `idf` is log(1 + texts / texts with the n-gram). `nb` is the largest |log-count ratio| over the classes:
    log of the n-gram's share among the n-grams in the class, over that in all others (Wang & Manning 2012,
    "Baselines and Bigrams"). `nb-idf` is both, multiplied.
    """
    counts = _counts(examples.texts, size)
    result = np.ones(size)
    if "nb" in scale:
        result *= _largest_ratio(examples, counts, classes)
    if "idf" in scale:
        result *= np.log1p(len(examples.texts) / np.maximum(counts, 1))
    result[0] = 0
    return result.astype(np.float32)


def _counts(texts: Sequence[Ids], size: int) -> npt.NDArray[np.float64]:
    """Return in how many of the texts each n-gram is."""
    return np.bincount(np.concatenate([*texts, _NO_IDS]), minlength=size).astype(np.float64)


def _largest_ratio(
    examples: Examples, counts: npt.NDArray[np.float64], classes: int
) -> npt.NDArray[np.float64]:
    """Return max over the classes of |log(p / q)|, one class at a time, so that memory is that of a few."""
    texts_of: list[list[Ids]] = [[] for _ in range(classes)]
    for ids, label in zip(examples.texts, examples.labels.tolist(), strict=True):
        texts_of[label].append(ids)
    size = len(counts)
    total, largest = counts.sum(), np.zeros(size)
    for texts in texts_of[: columns(classes)]:  # of two classes, both have the same ratios
        inside = _counts(texts, size)
        inside_total = inside.sum()
        p = (inside + SMOOTHING) / (inside_total + SMOOTHING * size)
        q = (counts - inside + SMOOTHING) / (total - inside_total + SMOOTHING * size)
        np.maximum(largest, np.abs(np.log(p / q)), out=largest)
    return largest


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

    @classmethod
    def of(cls, arrays: Arrays, scale: Floats, norm: Norm) -> "NgramSums":
        """Return what a trained `model.network.NgramSum`, whose arrays and scale these are, has learned."""
        weights = arrays["embedding0_weight"] * scale[:, None]
        return cls(weights, arrays["bias"][0], norm)

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
