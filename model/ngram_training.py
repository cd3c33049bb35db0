"""Trains the weights of n-grams: multinomial logistic regression by Adam or gradient descent, compiled.

With the naive Bayes scale it is the NB-SVM of Wang & Manning 2012, "Baselines and Bigrams", with another
loss. All weights start at 0. Adam (Kingma & Ba 2015, arXiv:1412.6980) updates only the n-grams of a batch.
Stochastic gradient descent learns from one row after the other: what a row moves is in proportion to how much
each of its n-grams counts, so that rare words do not outweigh the others.
Of two classes only the second has weights: the first one's would be the same with the other sign.
"""

import math
from dataclasses import dataclass

import numpy as np

from model.compiled import compiled
from model.data import Floats, Numbers
from model.errors import TrainingError
from model.ngram_sums import NgramSums, columns
from model.ngrams import Norm, Optimizer
from model.sparse_rows import Ids, Offsets, SparseRows

ADAM_STEP = 0.045  # by which one row may move the logits of a text, on average; a batch, by its root as much
SGD_STEP = 3.0  # times its error, by which a row may move its own logits, on average
STEP_TEXTS = 2000  # that the rate is fitted to
STEPS = 100  # wanted in an epoch: small files take small batches
BATCH_SIZES = (16, 256)
FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8  # Adam's
WEIGHT, MEAN, SQUARE = 0, 1, 2  # what is kept for each n-gram and column


@dataclass(frozen=True)
class NgramTask:
    """What is learned from, and how much each n-gram and each row counts."""

    rows: SparseRows
    labels: Numbers
    classes: int
    scale: Floats
    """Shape (n-grams,): how much each n-gram counts; 0: it is unknown."""
    norm: Norm
    optimizer: Optimizer
    balanced: bool
    """Whether each class counts the same, however many rows it has."""
    penalty: float
    """L2 penalty of the weights of the n-grams in a batch."""
    seed: int


class NgramTrainer:
    """Learns epoch by epoch; the same task and seed give the same weights."""

    def __init__(self, task: NgramTask) -> None:
        """Start with all weights 0.

        Adam's rate is such that a step moves the logits of a text with all its n-grams by
        ADAM_STEP * sqrt(batch size) on average: its steps do not depend on the size of the gradient.
        Gradient descent's is such that a row moves its own logits by SGD_STEP times its error on average.
        """
        self.task = task
        rows = len(task.labels)
        if task.optimizer == "adam":
            self.batch_size = int(np.clip(2 ** round(math.log2(max(rows, 1) / STEPS)), *BATCH_SIZES))
            self.rate = ADAM_STEP * math.sqrt(self.batch_size) / _mean_sum(task, power=1)
        else:
            self.batch_size = 1
            sides = 2 if task.classes == 2 else 1  # a single column's error is that of both classes
            self.rate = SGD_STEP / _mean_sum(task, power=2) / sides
        self.state = np.zeros((len(task.scale), 3, columns(task.classes)), dtype=np.float32)
        self.bias = np.zeros((3, columns(task.classes)), dtype=np.float32)
        self.epochs = self.steps = 0
        self._importance = _importance(task)

    def epoch(self) -> float:
        """Read all rows once more, in an order that only the seed and the epoch decide; return the mean loss.

        Raises TrainingError when the loss is no number.
        """
        task = self.task
        order = np.random.default_rng([task.seed, self.epochs]).permutation(len(task.labels))
        loss: float
        loss, self.steps = _learn(
            task.rows.numbers,
            task.rows.offsets,
            task.labels,
            self._importance,
            order,
            self.batch_size,
            task.scale,
            task.norm == "sqrt",
            self.state,
            self.bias,
            self.rate,
            task.optimizer == "adam",
            np.float32(task.penalty),
            self.steps,
        )
        self.epochs += 1
        if not math.isfinite(loss):
            raise TrainingError(f"The loss of the n-grams stopped being a number in epoch {self.epochs}.")
        return loss / len(task.labels)

    def logits(self, rows: SparseRows) -> Floats:
        """Return the logits of rows, shape (rows, classes)."""
        return self.sums().logits(rows)

    def sums(self) -> NgramSums:
        """Return what was learned so far, as the table that predicts."""
        weights: Floats = self.state[:, WEIGHT] * self.task.scale[:, None]
        return NgramSums(weights, self.bias[WEIGHT].copy(), self.task.norm)


def _mean_sum(task: NgramTask, power: int) -> float:
    """Return the mean over about STEP_TEXTS texts of the sum of what their n-grams count, to a power."""
    places = np.zeros(len(task.rows), dtype=bool)
    places[:: max(1, len(places) // STEP_TEXTS)] = True
    some = task.rows.only(places)
    sums = np.add.reduceat(np.append(task.scale[some.numbers] ** power, np.float32(0)), some.offsets[:-1])
    sums = np.where(some.counts, sums, 0)
    divisors = np.sqrt(some.counts + 1) if task.norm == "sqrt" else 1.0
    return float(np.mean(sums / divisors**power)) or 1.0


def _importance(task: NgramTask) -> Floats:
    """Return how much each row counts, 1 on average."""
    if not task.balanced:
        return np.ones(len(task.labels), dtype=np.float32)
    of_class = np.maximum(np.bincount(task.labels, minlength=task.classes), 1)
    importance: Floats = (len(task.labels) / (task.classes * of_class))[task.labels].astype(np.float32)
    return importance


@compiled
def _add_up(  # noqa: PLR0913, PLR0917  a compiled loop is given arrays
    ids: Ids, scale: Floats, rooted: bool, state: Floats, bias: Floats, logits: Floats
) -> None:
    """Fill in the sums over one text's n-grams, shape (columns,); four lines at a time are faster."""
    logits[:] = 0
    fours = len(ids) // 4 * 4
    for place in range(0, fours, 4):
        one, two, three, four = ids[place], ids[place + 1], ids[place + 2], ids[place + 3]
        first, second, third, fourth = scale[one], scale[two], scale[three], scale[four]
        for column in range(len(logits)):
            pair = first * state[one, WEIGHT, column] + second * state[two, WEIGHT, column]
            other = third * state[three, WEIGHT, column] + fourth * state[four, WEIGHT, column]
            logits[column] += pair + other
    for number in ids[fours:]:
        for column in range(len(logits)):
            logits[column] += scale[number] * state[number, WEIGHT, column]
    divisor = np.float32(math.sqrt(len(ids) + 1)) if rooted else np.float32(1)
    for column in range(len(logits)):
        logits[column] = logits[column] / divisor + bias[WEIGHT, column]


@compiled
def _differentiate(logits: Floats, label: int) -> float:
    """Turn a row's logits into the gradient of its loss by them; return the loss."""
    if len(logits) == 1:  # of two classes, the first of which has the same logit with the other sign
        margin = 2 * float(logits[0]) if label == 1 else -2 * float(logits[0])
        wrong = 1 / (1 + math.exp(min(margin, 80.0)))
        logits[0] = -2 * wrong if label == 1 else 2 * wrong
        return max(-margin, 0.0) + math.log1p(math.exp(-abs(margin)))
    highest, total, right = logits.max(), np.float32(0), logits[label]
    for column in range(len(logits)):
        logits[column] = math.exp(logits[column] - highest)
        total += logits[column]
    for column in range(len(logits)):
        logits[column] /= total
    logits[label] -= 1
    return float(math.log(total) - (right - highest))


@compiled
def _update(is_adam: bool, state: Floats, gradient: Floats, rate: np.float32, penalty: np.float32) -> None:
    """Update the weights of one n-gram, or the bias, shape (3, columns); clears the gradient."""
    if is_adam:
        _adam(state, gradient, rate, penalty)
    else:
        _descend(state, gradient, rate, penalty)


@compiled
def _adam(state: Floats, gradient: Floats, rate: np.float32, penalty: np.float32) -> None:
    """Update the weights of one n-gram, or the bias, shape (3, columns); clears the gradient."""
    weights, means, squares = state[WEIGHT], state[MEAN], state[SQUARE]
    for column in range(len(gradient)):
        slope = gradient[column] + penalty * weights[column]
        gradient[column] = 0
        means[column] += np.float32(1 - FIRST_DECAY) * (slope - means[column])
        squares[column] += np.float32(1 - SECOND_DECAY) * (slope * slope - squares[column])
        weights[column] -= rate * means[column] / (np.sqrt(squares[column]) + np.float32(EPSILON))


@compiled
def _descend(state: Floats, gradient: Floats, rate: np.float32, penalty: np.float32) -> None:
    """Update the weights of one n-gram, or the bias, against the gradient; clears the gradient."""
    weights = state[WEIGHT]
    for column in range(len(gradient)):
        weights[column] -= rate * (gradient[column] + penalty * weights[column])
        gradient[column] = 0


@compiled
def _spread(  # noqa: PLR0913, PLR0917  as above
    ids: Ids, scale: Floats, rooted: bool, error: Floats, places: Ids, gradients: Floats, touched: int
) -> int:
    """Add a row's gradient to those of its n-grams, and return how many n-grams of the batch have one.

    `places` has the line of each n-gram in `gradients`, -1 for none yet.
    """
    divisor = np.float32(math.sqrt(len(ids) + 1)) if rooted else np.float32(1)
    for number in ids:
        if places[number] < 0:
            places[number] = touched
            touched += 1
        gradient, counts = gradients[places[number]], scale[number] / divisor
        for column in range(len(error)):
            gradient[column] += counts * error[column]
    return touched


@compiled
def _learn(  # noqa: PLR0913, PLR0917  as above
    numbers: Ids,
    offsets: Offsets,
    labels: Numbers,
    importance: Floats,
    order: Numbers,
    batch_size: int,
    scale: Floats,
    rooted: bool,
    state: Floats,
    bias: Floats,
    rate: float,
    is_adam: bool,
    penalty: np.float32,
    steps: int,
) -> tuple[float, int]:
    """Learn from all rows in some order; return the sum of their losses, and the steps made so far."""
    places = np.full(len(scale), -1, dtype=np.int32)
    gradients = np.zeros((_most_in_a_batch(offsets, order, batch_size), bias.shape[1]), dtype=np.float32)
    errors, bias_gradient = np.empty((2, bias.shape[1]), dtype=np.float32)
    bias_gradient[:] = 0
    total = 0.0
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        touched = 0
        for row in rows:
            ids = numbers[offsets[row] : offsets[row + 1]]
            _add_up(ids, scale, rooted, state, bias, errors)
            total += importance[row] * _differentiate(errors, labels[row])
            for column in range(len(errors)):
                errors[column] *= importance[row] / np.float32(len(rows))
                bias_gradient[column] += errors[column]
            touched = _spread(ids, scale, rooted, errors, places, gradients, touched)
        steps += 1
        correction = math.sqrt(1 - SECOND_DECAY**steps) / (1 - FIRST_DECAY**steps) if is_adam else 1.0
        corrected = np.float32(rate * correction)
        for row in rows:
            for number in numbers[offsets[row] : offsets[row + 1]]:
                if places[number] >= 0:
                    _update(is_adam, state[number], gradients[places[number]], corrected, penalty)
                    places[number] = -1
        _update(is_adam, bias, bias_gradient, corrected, np.float32(0))
    return total, steps


@compiled
def _most_in_a_batch(offsets: Offsets, order: Numbers, batch_size: int) -> int:
    """Return how many n-grams the largest batch has, repeats counted."""
    most = 0
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        most = max(most, (offsets[rows + 1] - offsets[rows]).sum())
    return most
