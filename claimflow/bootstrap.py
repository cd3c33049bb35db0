"""Intervals of figures that no formula gives."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
RESAMPLES = 1000


def macro_f1_interval(truths: Numbers, guesses: Numbers, classes: int) -> tuple[float, float]:
    """Return the 95% interval of the macro F1: the percentile bootstrap over the rows (Efron 1979).

    Both of shape (rows,), numbers below `classes`. Rows of the same truth and guess are drawn together, which
    is the same as row by row. The same rows give the same interval.
    """
    pairs, counts = np.unique(truths * classes + guesses, return_counts=True)
    wanted, found = np.divmod(pairs, classes)
    right = wanted == found
    chance = np.random.default_rng(0)
    drawn = (chance.multinomial(len(truths), counts / len(truths)) for _ in range(RESAMPLES))
    values = [
        _macro_f1(
            _sums(wanted[right], each[right], classes),
            _sums(wanted, each, classes) + _sums(found, each, classes),
        )
        for each in drawn
    ]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _sums(numbers: Numbers, counts: Numbers, classes: int) -> npt.NDArray[np.float64]:
    return np.bincount(numbers, counts, classes).astype(np.float64)


def _macro_f1(right: npt.NDArray[np.float64], both: npt.NDArray[np.float64]) -> float:
    """Return the mean F1 of the categories that rows have or got; `both` counts each of them for each row."""
    seen = both > 0
    return float((2 * right[seen] / both[seen]).mean())
