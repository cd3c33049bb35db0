"""How much each n-gram counts, by what the training rows tell of it."""

import numpy as np
import numpy.typing as npt

from model.compiled import compiled
from model.data import Floats, Numbers
from model.ngram_sums import columns
from model.ngrams import Scale
from model.sparse_rows import Ids, Offsets, SparseRows

SMOOTHING = 0.5  # added to each count, so that an n-gram that a class never has does not rule it out


def scales(rows: SparseRows, labels: Numbers, classes: int, size: int, scale: Scale) -> Floats:
    """Return how much each n-gram counts, shape (size,); the 0 of padding counts nothing.

    `idf` is log(1 + texts / texts with the n-gram). `nb` is the largest |log-count ratio| over the classes:
    log of the n-gram's share among the n-grams in the class, over that in all others (Wang & Manning 2012,
    "Baselines and Bigrams"). `nb-idf` is both, multiplied.
    """
    counts = rows.frequencies(size).astype(np.float64)
    result = np.ones(size)
    if "nb" in scale:
        result *= _largest_ratio(rows, labels, counts, classes)
    if "idf" in scale:
        result *= np.log1p(len(rows) / np.maximum(counts, 1))
    result[0] = 0
    return result.astype(np.float32)


def _largest_ratio(
    rows: SparseRows, labels: Numbers, counts: npt.NDArray[np.float64], classes: int
) -> npt.NDArray[np.float64]:
    """Return max over the classes of |log(p / q)|, one class at a time, so that memory is that of a few."""
    by_class = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels, minlength=classes))
    size = len(counts)
    total, largest = counts.sum(), np.zeros(size)
    for number in range(columns(classes)):  # of two classes, both have the same ratios
        inside = np.zeros(size)
        of_class = by_class[ends[number - 1] if number else 0 : ends[number]]
        _count(rows.numbers, rows.offsets, of_class, inside)
        inside_total = inside.sum()
        p = (inside + SMOOTHING) / (inside_total + SMOOTHING * size)
        q = (counts - inside + SMOOTHING) / (total - inside_total + SMOOTHING * size)
        np.maximum(largest, np.abs(np.log(p / q)), out=largest)
    return largest


@compiled
def _count(numbers: Ids, offsets: Offsets, rows: Numbers, counts: npt.NDArray[np.float64]) -> None:
    """Add up in how many of some rows each n-gram is."""
    for row in rows:
        before = -1
        for number in numbers[offsets[row] : offsets[row + 1]]:
            counts[number] += number != before
            before = number
