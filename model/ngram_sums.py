"""How much n-grams count, and a trained n-gram network without the framework: one table, summed by rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.data import Arrays, Examples, Floats, Numbers
from model.encoder import Ids
from model.ngrams import Norm, Scale

SMOOTHING = 0.5  # added to each count, so that an n-gram that a class never has does not rule it out


def scales(examples: Examples, classes: int, size: int, scale: Scale) -> Floats:
    """Give how much each n-gram counts, shape (size,); the 0 of padding counts nothing.

    `idf` is log(1 + texts / texts with the n-gram). `nb` is the largest |log-count ratio| over the classes:
    log of the n-gram's share among the n-grams in the class, over that in all others (Wang & Manning 2012,
    "Baselines and Bigrams"). `nb-idf` is both, multiplied.
    """
    texts = examples.texts
    flat = np.concatenate([*texts, np.empty(0, dtype=np.int32)])
    result = np.ones(size)
    if "nb" in scale:
        labels = np.repeat(examples.labels, [len(ids) for ids in texts])
        result *= _largest_ratio(flat, labels, classes, size)
    if "idf" in scale:
        result *= np.log1p(len(texts) / np.maximum(np.bincount(flat, minlength=size), 1))
    result[0] = 0
    return result.astype(np.float32)


def _largest_ratio(flat: Ids, labels: Numbers, classes: int, size: int) -> npt.NDArray[np.float64]:
    """Give max over the classes of |log(p / q)|, one class at a time, so that memory is that of a few."""
    counts = np.bincount(flat, minlength=size).astype(np.float64)
    total, largest = counts.sum(), np.zeros(size)
    for label in range(classes):
        inside = np.bincount(flat[labels == label], minlength=size)
        inside_total = inside.sum()
        p = (inside + SMOOTHING) / (inside_total + SMOOTHING * size)
        q = (counts - inside + SMOOTHING) / (total - inside_total + SMOOTHING * size)
        np.maximum(largest, np.abs(np.log(p / q)), out=largest)
    return largest


@dataclass(frozen=True)
class NgramSums:
    """A weight for each n-gram and class; a text's logits are the sum over its n-grams."""

    weights: Floats  # (n-grams, classes); what an n-gram counts is in them
    bias: Floats  # (classes,)
    norm: Norm

    @classmethod
    def of(cls, arrays: Arrays, scale: Floats, norm: Norm) -> "NgramSums":
        """Give what a trained `model.network.NgramSum`, whose arrays and scale these are, has learned."""
        weights = arrays["embedding0_weight"] * scale[:, None]
        return cls(weights, arrays["bias"][0], norm)

    def logits(self, texts: Sequence[Ids]) -> Floats:
        """Logits of shape (texts, classes), float32, in the order of the texts."""
        result = np.empty((len(texts), len(self.bias)), dtype=np.float32)
        longest = max((len(ids) for ids in texts), default=0)
        ones = np.ones(longest, dtype=np.float32)
        for line, ids in zip(result, texts, strict=True):
            np.matmul(ones[: len(ids)], self.weights.take(ids, axis=0), out=line)
        if self.norm == "sqrt":
            result /= np.sqrt(np.array([[len(ids) + 1] for ids in texts], dtype=np.float32).reshape(-1, 1))
        result += self.bias
        return result

    def shares(self, numbers: Ids, count: int) -> Floats:
        """Give what each of a text's `count` n-grams adds to its logits, shape (numbers, classes)."""
        divisor = np.sqrt(np.float32(count + 1)) if self.norm == "sqrt" else np.float32(1)
        added: Floats = self.weights[numbers] / divisor
        return added

    def arrays(self) -> Arrays:
        """Give all weights by name."""
        return {"weights": self.weights, "bias": self.bias}
