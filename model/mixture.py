"""How much each part counts in a model of several: a logarithmic opinion pool.

The mixed logits are the weighted sum of the parts' log-probabilities (Genest & Zidek 1986, "Combining
Probability Distributions"). The log-likelihood of rows that no part has seen is concave in the weights, so
Newton's method finds the best ones.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from model.calibration import Truths, blocks, probabilities
from model.data import Floats

LEAST_CHANCE = 1e-30  # its logarithm is finite
STEPS = 50  # of Newton's method, which takes about seven
CLOSE = 1e-7  # a step that moves no weight by more ends the search
RIDGE = 1e-9  # keeps parts that say the same apart
DIGITS = 4

Weights: TypeAlias = npt.NDArray[np.float64]


def mix_logits(logits: Sequence[Floats], mixture: Sequence[float]) -> Floats:
    """Mix the parts' logits, each of shape (texts, classes): the weighted mean of their log-probabilities.

    A single part's logits stay as they are.
    """
    if len(logits) == 1:
        return logits[0]
    total = np.empty_like(logits[0])
    for rows in blocks(logits[0]):
        total[rows] = np.tensordot(mixture, _log_probabilities(logits, rows), axes=1)
    return total


def fit_mixture(logits: Sequence[Floats], truths: Truths) -> tuple[float, ...]:
    """Return the weight of each part, 0 to 1, which add up to 1: those under which the truths are likeliest.

    `logits` are of each part, shape (rows, classes), `truths` of shape (rows,). The temperature is fitted
    along and left out, as the whole model has its own. A part that would count less than nothing counts 0.
    """
    taken = list(range(len(logits)))
    while len(taken) > 1:
        weights = _newton([logits[part] for part in taken], truths)
        if weights.min() > 0:
            shares = dict(zip(taken, (weights / weights.sum()).round(DIGITS).tolist(), strict=True))
            last = taken[-1]
            shares[last] = round(1 - sum(shares[part] for part in taken[:-1]), DIGITS)
            return tuple(shares.get(part, 0.0) for part in range(len(logits)))
        del taken[int(weights.argmin())]
    return tuple(float(part == taken[0]) for part in range(len(logits)))


def _newton(logits: Sequence[Floats], truths: Truths) -> Weights:
    """Return the weights of the highest likelihood, which need not be positive nor add up to 1."""
    weights = np.full(len(logits), 1 / len(logits))
    loss, gradient, curvature = _derivatives(logits, truths, weights)
    for _ in range(STEPS):
        step = np.linalg.solve(curvature + RIDGE * np.eye(len(weights)), gradient)
        while True:
            tried = weights - step
            next_loss, next_gradient, next_curvature = _derivatives(logits, truths, tried)
            if next_loss <= loss or np.abs(step).max() < CLOSE:
                break
            step /= 2
        weights, loss, gradient, curvature = tried, next_loss, next_gradient, next_curvature
        if np.abs(step).max() < CLOSE:
            break
    return weights


def _derivatives(
    logits: Sequence[Floats], truths: Truths, weights: Weights
) -> tuple[float, Weights, Weights]:
    """Return the mean cross-entropy at the weights, its gradient and its matrix of second derivatives."""
    count = len(logits)
    loss, gradient, curvature = 0.0, np.zeros(count), np.zeros((count, count))
    for rows in blocks(logits[0]):
        parts = _log_probabilities(logits, rows)  # (parts, rows, classes)
        mixed = np.tensordot(weights, parts, axes=1)
        mixed -= mixed.max(axis=1, keepdims=True)
        chances = np.exp(mixed)
        chances /= chances.sum(axis=1, keepdims=True)
        right = np.arange(len(chances)), truths[rows]
        loss -= float(np.log(np.maximum(chances[right], LEAST_CHANCE)).sum())
        expected = np.einsum("rc,prc->pr", chances, parts)
        gradient += (expected - parts[:, right[0], right[1]]).sum(axis=1)
        curvature += np.einsum("rc,prc,qrc->pq", chances, parts, parts, optimize=True) - expected @ expected.T
    rows_in_all = len(truths)
    return loss / rows_in_all, gradient / rows_in_all, curvature / rows_in_all


def _log_probabilities(logits: Sequence[Floats], rows: slice) -> npt.NDArray[np.float64]:
    """Return the logarithms of the parts' probabilities for some rows, shape (parts, rows, classes)."""
    return np.stack([np.log(np.maximum(probabilities(part[rows], 1.0), LEAST_CHANCE)) for part in logits])
