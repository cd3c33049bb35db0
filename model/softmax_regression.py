"""Multinomial logistic regression (softmax regression) on vectors, by L-BFGS (Liu & Nocedal 1989).

The loss is the mean cross-entropy and `penalty` / 2 times the sum of the squared weights; the bias is free.
Vectors are read in blocks, so that they may lie on disk.
"""

from collections import deque
from dataclasses import dataclass
from typing import Self

import numpy as np

from model.data import Floats, Numbers

BLOCK = 8192  # rows that are worked on at once
ITERATIONS = 100
PAIRS = 10  # of steps and gradients that stand for the curvature
ENOUGH = 3e-4  # an iteration that lowers the loss by a smaller share of it ends the search
ARMIJO = 1e-4  # of the decrease that the slope promises
HALVINGS = 20


@dataclass(frozen=True)
class SoftmaxRegression:
    """A weight for each number of a vector and each class, and one more for the class itself."""

    weights: Floats
    """Shape (size + 1, classes); the last line is the bias."""

    @classmethod
    def untrained(cls, size: int, classes: int) -> Self:
        """Return one that finds all classes alike."""
        return cls(np.zeros((size + 1, classes), dtype=np.float32))

    def fit(self, vectors: Floats, labels: Numbers, rows: Numbers, penalty: float) -> "SoftmaxRegression":
        """Return what learns from some rows, numbers of `vectors`, starting from these weights.

        `vectors` has the shape (all rows, size) and `labels` (all rows,).
        """
        problem = _Problem(vectors, labels, rows, penalty, self.weights.shape)
        weights = self.weights.reshape(-1)
        loss, gradient = problem.loss(weights)
        pairs: deque[tuple[Floats, Floats]] = deque(maxlen=PAIRS)
        for _ in range(ITERATIONS):
            direction = _direction(gradient, pairs)
            step, before = _search(problem, weights, loss, gradient, direction)
            if step is None:
                break
            weights, next_gradient = weights + step.moved, step.gradient
            pairs.append((step.moved, next_gradient - gradient))
            loss, gradient = step.loss, next_gradient
            if before - loss < ENOUGH * before:
                break
        return SoftmaxRegression(weights.reshape(self.weights.shape))

    def logits(self, vectors: Floats) -> Floats:
        """Return the logits of vectors, shape (rows, classes)."""
        logits: Floats = vectors @ self.weights[:-1] + self.weights[-1]
        return logits


@dataclass(frozen=True)
class _Step:
    moved: Floats
    loss: float
    gradient: Floats


@dataclass(frozen=True)
class _Problem:
    vectors: Floats
    labels: Numbers
    rows: Numbers
    penalty: float
    shape: tuple[int, ...]

    def loss(self, flat: Floats) -> tuple[float, Floats]:
        """Return the loss at some weights, and its gradient, flat as they are."""
        weights = flat.reshape(self.shape)
        total, gradient = 0.0, np.zeros_like(weights)
        for start in range(0, len(self.rows), BLOCK):
            rows = self.rows[start : start + BLOCK]
            vectors, places = self.vectors[rows], (np.arange(len(rows)), self.labels[rows])
            errors = vectors @ weights[:-1] + weights[-1]
            errors -= errors.max(axis=1, keepdims=True)
            right = errors[places].astype(np.float64)
            np.exp(errors, out=errors)
            sums = errors.sum(axis=1, keepdims=True)
            total += float((np.log(sums[:, 0]) - right).sum())
            errors /= sums
            errors[places] -= 1
            gradient[:-1] += vectors.T @ errors
            gradient[-1] += errors.sum(axis=0)
        gradient /= len(self.rows)
        gradient[:-1] += self.penalty * weights[:-1]
        squares = float((weights[:-1].astype(np.float64) ** 2).sum())
        return total / len(self.rows) + self.penalty / 2 * squares, gradient.reshape(-1)


def _direction(gradient: Floats, pairs: deque[tuple[Floats, Floats]]) -> Floats:
    """Return the step that the curvature seen so far proposes: the two-loop recursion."""
    direction = -gradient
    shares = []
    for moved, change in reversed(pairs):
        share = float(moved @ direction) / float(moved @ change)
        shares.append(share)
        direction -= share * change
    if pairs:
        moved, change = pairs[-1]
        direction *= float(moved @ change) / float(change @ change)
    else:
        direction /= max(float(np.linalg.norm(gradient)), 1e-12)
    for (moved, change), share in zip(pairs, reversed(shares), strict=True):
        direction += (share - float(change @ direction) / float(moved @ change)) * moved
    return direction


def _search(
    problem: _Problem, weights: Floats, loss: float, gradient: Floats, direction: Floats
) -> tuple[_Step | None, float]:
    """Return the longest of the halved steps that lowers the loss enough, and the loss before it."""
    slope = float(gradient @ direction)
    moved = direction
    for _ in range(HALVINGS):
        next_loss, next_gradient = problem.loss(weights + moved)
        curved = float(moved @ (next_gradient - gradient)) > 0  # always so of a convex loss, but for rounding
        if next_loss <= loss + ARMIJO * slope and curved:
            return _Step(moved, next_loss, next_gradient), loss
        moved, slope = moved / 2, slope / 2
    return None, loss
