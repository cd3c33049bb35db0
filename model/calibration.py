"""From logits to a confidence that can be believed.

It also tells how far a share, and the difference of two models, can be believed.

The same rows choose the mixture, the temperature and the threshold, so the figures are slightly kind,
intervals and p-values included.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Truths: TypeAlias = npt.NDArray[np.int64]
Logits: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]

BINS = 10
BLOCK = 2**22  # logits that are worked on at once, in double precision: 32 MiB an array
OUTSIDE = 0.05  # chance that a share lies outside its interval, half of it on each side
CURVE_POINTS = 20  # of the coverage curve, at 5%, 10%, … of the rows
LOG_TEMPERATURES = (math.log(0.05), math.log(20.0))


@dataclass(frozen=True)
class Bin:
    """The rows whose confidence lies in low..high: how many, their mean confidence and their accuracy."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Point:
    """What accepting every row of at least this confidence gives: share of all rows, share of them right."""

    threshold: float
    coverage: float
    precision: float


def probabilities(logits: Logits, temperature: float) -> Array:
    """Softmax of logits / temperature; shapes (rows, classes).

    >>> probabilities(np.array([[2.0, 0.0]]), 2.0).round(3)
    array([[0.731, 0.269]])
    """
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    chances: Array = powers / powers.sum(axis=1, keepdims=True)
    return chances


def guesses(logits: Logits, temperature: float) -> tuple[Truths, Array]:
    """Return the likeliest label of each row and its probability, both of shape (rows,)."""
    best = logits.argmax(axis=1)
    highest = [probabilities(logits[rows], temperature).max(axis=1) for rows in blocks(logits)]
    return best, np.concatenate([np.empty(0), *highest])


def temperature(logits: Logits, truths: Truths) -> float:
    """Return the temperature, 0.05 to 20, that minimises the cross-entropy of `truths`, shape (rows,).

    Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2. The loss is convex in
    1/temperature, so a golden-section search over its logarithm finds the minimum.
    """

    def loss(at: float) -> float:
        return cross_entropy(logits, truths, math.exp(at))

    low, high = LOG_TEMPERATURES
    golden = (math.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    of_left, of_right = loss(left), loss(right)
    while high - low > 1e-4:  # one of the two places inside is one of the narrower range as well
        if of_left < of_right:
            high, right, of_right = right, left, of_left
            left = high - golden * (high - low)
            of_left = loss(left)
        else:
            low, left, of_left = left, right, of_right
            right = low + golden * (high - low)
            of_right = loss(right)
    return math.exp((low + high) / 2)


def cross_entropy(logits: Logits, truths: Truths, at_temperature: float) -> float:
    """Mean of -log(probability of the true label), natural logarithm."""
    total = 0.0
    for rows in blocks(logits):
        scaled, labels = logits[rows].astype(np.float64) / at_temperature, truths[rows]
        peaks = scaled.max(axis=1)
        normalizers = peaks + np.log(np.exp(scaled - peaks[:, None]).sum(axis=1))
        total += float((normalizers - scaled[np.arange(len(scaled)), labels]).sum())
    return total / len(logits)


def blocks(logits: Logits) -> Iterator[slice]:
    """Yield the rows in blocks of few enough figures to work on, whatever the number of classes."""
    rows = max(BLOCK // logits.shape[1], 1)
    for start in range(0, len(logits), rows):
        yield slice(start, start + rows)


def reliability(confidences: Array, correct: Flags) -> list[Bin]:
    """Return the rows in ten bins of equal width; an empty bin has confidence and accuracy 0."""
    place = np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
    bins = []
    for number in range(BINS):
        here = place == number
        count = int(here.sum())
        confidence = float(confidences[here].mean()) if count else 0.0
        accuracy = float(correct[here].mean()) if count else 0.0
        bins.append(Bin(number / BINS, (number + 1) / BINS, count, confidence, accuracy))
    return bins


def calibration_error(bins: list[Bin]) -> float:
    """Return the expected calibration error (Guo et al. 2017, section 2).

    The mean of abs(confidence - accuracy) over the bins, weighted by their rows.

    >>> calibration_error([Bin(0.5, 0.6, 30, 0.5, 0.5), Bin(0.7, 0.8, 10, 0.75, 0.25)])
    0.125
    """
    rows = sum(part.count for part in bins)
    return sum(part.count * abs(part.confidence - part.accuracy) for part in bins) / rows


def coverage_curve(confidences: Array, correct: Flags) -> list[Point]:
    """Return precision at 5%, 10%, … of the rows accepted, the surest first; equal ones come together."""
    ranked = np.sort(confidences)[::-1]
    points = []
    for share in range(1, CURVE_POINTS + 1):
        threshold = float(ranked[max(len(ranked) * share // CURVE_POINTS, 1) - 1])
        accepted = confidences >= threshold
        points.append(Point(threshold, float(accepted.mean()), float(correct[accepted].mean())))
    return points


def interval(right: int, count: int) -> tuple[float, float]:
    """Two-sided 95% Clopper-Pearson interval of a share, of which `right` of `count` were seen.

    Clopper & Pearson 1934: each end is a one-sided bound at half the risk, the upper one that of the rest.
    """
    return precision_bound(right, count, OUTSIDE / 2), 1 - precision_bound(count - right, count, OUTSIDE / 2)


def precision_bound(right: int, count: int, risk: float) -> float:
    """Lower one-sided Clopper-Pearson bound of a share, of which `right` of `count` were seen.

    The p at which `right` or more would be seen with a chance of `risk` (Clopper & Pearson 1934), by
    bisection.
    """
    low, high = 0.0, right / count if count else 0.0
    chance = _at_least(right, count)
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) < risk else (low, middle)
    return low


def chance_difference(only_one_right: int, only_other_right: int) -> float:
    """Return the p-value of two models' difference: McNemar's exact test, two-sided (McNemar 1947).

    Of the rows that only one of two equally good models has right, each is as likely the one's as the
    other's (binomial, p = 1/2). The p-value is the chance of a split at least this uneven; 1 without such
    rows.
    """
    count, most = only_one_right + only_other_right, max(only_one_right, only_other_right)
    return min(1.0, 2 * _at_least(most, count)(0.5)) if count else 1.0


def _at_least(right: int, count: int) -> Callable[[float], float]:
    """Return the chance of `right` or more of `count` (binomial), as a function of the chance p of each.

    Summed in logarithms, so that no factorial overflows; p lies above 0 and below 1.
    """
    hits = np.arange(right, count + 1)
    log_factorial = np.concatenate([[0.0], np.log(np.arange(1, count + 1)).cumsum()])
    log_choose = log_factorial[count] - log_factorial[hits] - log_factorial[count - hits]

    def chance(p: float) -> float:
        return float(np.exp(log_choose + hits * math.log(p) + (count - hits) * math.log1p(-p)).sum())

    return chance
