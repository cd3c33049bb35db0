"""The weights of n-grams: what is compiled learns like a plain computation, and every wish has its effect."""

import dataclasses
import math

import numpy as np
import pytest

from model.data import Floats, Numbers
from model.errors import TrainingError
from model.ngram_settings import OPTIMIZERS
from model.ngram_training import FIRST_DECAY, SECOND_DECAY, SGD_STEP, NgramTask, NgramTrainer
from model.sparse_rows import SparseRows

SIZE = 30


def task(classes: int = 3, rows: int = 120, **changes: object) -> NgramTask:
    """Texts of random n-grams, of which one tells the class; the last ones have none at all."""
    chance = np.random.default_rng(0)
    labels = chance.integers(0, classes, rows)
    texts = [
        np.unique([label + 1, *chance.integers(classes + 1, SIZE, chance.integers(1, 9))]).astype(np.int32)
        for label in labels
    ]
    scale = chance.random(SIZE).astype(np.float32) + 0.5
    made = NgramTask(SparseRows.of(texts), labels, classes, scale, "sqrt", "adam", False, 0.0, seed=3)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def plain_epoch(given: NgramTask, trainer: NgramTrainer) -> tuple[Floats, Floats]:
    """Return weights and bias after one epoch of Adam, written down as the article has it."""
    width = 1 if given.classes == 2 else given.classes
    weights, bias = np.zeros((SIZE, width)), np.zeros(width)
    means, squares = np.zeros((SIZE + 1, width)), np.zeros((SIZE + 1, width))
    order = np.random.default_rng([given.seed, 0]).permutation(len(given.labels))
    for step, start in enumerate(range(0, len(order), trainer.batch_size), 1):
        batch = order[start : start + trainer.batch_size]
        gradient, touched = np.zeros((SIZE + 1, width)), {SIZE}
        for row in batch:
            ids = given.rows.numbers[given.rows.offsets[row] : given.rows.offsets[row + 1]]
            divisor = math.sqrt(len(ids) + 1) if given.norm == "sqrt" else 1
            logits = (given.scale[ids, None] * weights[ids]).sum(axis=0) / divisor + bias
            error = derivative(logits, given.labels[row]) / len(batch)
            gradient[ids] += given.scale[ids, None] * error / divisor
            gradient[SIZE] += error
            touched |= set(ids.tolist())
        rate = trainer.rate * math.sqrt(1 - SECOND_DECAY**step) / (1 - FIRST_DECAY**step)
        for line in sorted(touched):
            values = weights[line] if line < SIZE else bias
            slope = gradient[line] + (given.penalty * values if line < SIZE else 0)
            means[line] = FIRST_DECAY * means[line] + (1 - FIRST_DECAY) * slope
            squares[line] = SECOND_DECAY * squares[line] + (1 - SECOND_DECAY) * slope**2
            values -= rate * means[line] / (np.sqrt(squares[line]) + 1e-8)
    return weights * given.scale[:, None], bias


def derivative(logits: Floats, label: int) -> Floats:
    """Return the gradient of a row's cross-entropy by its logits; a single one is the second class's."""
    both = np.concatenate([-logits, logits]) if len(logits) == 1 else logits
    chances = np.exp(both - both.max())
    chances /= chances.sum()
    chances[label] -= 1
    return chances[1:] - chances[:1] if len(logits) == 1 else chances


def trained(given: NgramTask, epochs: int = 4) -> NgramTrainer:
    trainer = NgramTrainer(given)
    for _ in range(epochs):
        trainer.epoch()
    return trainer


def accuracy(trainer: NgramTrainer) -> float:
    return float((trainer.logits(trainer.task.rows).argmax(axis=1) == trainer.task.labels).mean())


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("norm", ["sqrt", "none"])
@pytest.mark.parametrize("penalty", [0.0, 0.1])
def test_an_epoch_is_that_of_the_article(classes: int, norm: str, penalty: float) -> None:
    given = task(classes, norm=norm, penalty=penalty)
    trainer = NgramTrainer(given)
    weights, bias = plain_epoch(given, trainer)
    trainer.epoch()
    np.testing.assert_allclose(trainer.sums().weights, weights, atol=3e-3)
    np.testing.assert_allclose(trainer.bias[0], bias, atol=3e-3)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("classes", [2, 3, 40])
def test_rows_that_an_n_gram_tells_apart_are_learned_completely(classes: int, optimizer: str) -> None:
    assert accuracy(trained(task(min(classes, 20), rows=400, optimizer=optimizer), epochs=8)) > 0.99


@pytest.mark.parametrize("norm", ["sqrt", "none"])
def test_a_row_of_gradient_descent_moves_its_logits_by_its_error_times_the_step(norm: str) -> None:
    given = dataclasses.replace(task(rows=1, norm=norm, optimizer="sgd"), penalty=0.0)
    trainer = NgramTrainer(given)
    trainer.epoch()
    moved = trainer.logits(given.rows)[0] - trainer.bias[0]
    error = np.eye(3)[given.labels[0]] - 1 / 3
    np.testing.assert_allclose(moved, SGD_STEP * error, rtol=1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_loss_falls_from_that_of_knowing_nothing(optimizer: str) -> None:
    trainer = NgramTrainer(task(optimizer=optimizer))
    losses = [trainer.epoch() for _ in range(4)]
    assert math.log(3) > losses[0] > losses[1] > losses[2] > losses[3]


def test_the_same_seed_gives_the_same_weights_and_another_seed_gives_others() -> None:
    first, again, other = (trained(task(seed=seed)).sums().weights for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_n_gram_that_counts_nothing_has_no_weight() -> None:
    scale = task().scale.copy()
    scale[5] = 0
    assert not trained(task(scale=scale)).sums().weights[5].any()


def test_balanced_classes_raise_the_recall_of_a_rare_one() -> None:
    chance = np.random.default_rng(0)
    labels: Numbers = np.array([0] * 300 + [1] * 10)
    texts = [
        np.array(sorted({1 + int(chance.random() < 0.4 + 0.4 * label), 3}), np.int32) for label in labels
    ]
    recalls = []
    for balanced in (False, True):
        given = dataclasses.replace(task(2), rows=SparseRows.of(texts), labels=labels, balanced=balanced)
        guesses = trained(given).logits(given.rows).argmax(axis=1)
        recalls.append((guesses[labels == 1] == 1).mean())
    assert recalls[0] < 0.5 < recalls[1]


def test_a_text_without_n_grams_has_the_bias() -> None:
    trainer = trained(task())
    assert np.array_equal(trainer.logits(SparseRows.of([np.empty(0, np.int32)]))[0], trainer.bias[0])


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    scale = np.full(SIZE, np.inf, dtype=np.float32)
    with pytest.raises(TrainingError, match=r"^The loss of the n-grams stopped being a number in epoch 1\.$"):
        NgramTrainer(task(scale=scale)).epoch()
