"""Softmax regression: it finds the minimum of its loss."""

import numpy as np
import pytest

from model.data import Floats, Numbers
from model.softmax_regression import BLOCK, SoftmaxRegression

PENALTY = 0.01


def problem(classes: int, rows: int = 300, size: int = 6) -> tuple[Floats, Numbers]:
    chance = np.random.default_rng(0)
    labels = chance.integers(0, classes, rows)
    vectors = chance.normal(0, 1, (classes, size))[labels] + chance.normal(0, 0.7, (rows, size))
    return vectors.astype(np.float32), labels


def gradient(model: SoftmaxRegression, vectors: Floats, labels: Numbers) -> Floats:
    """Return the gradient of the loss, in double precision."""
    weights = model.weights.astype(np.float64)
    logits = vectors @ weights[:-1] + weights[-1]
    errors = np.exp(logits - logits.max(axis=1, keepdims=True))
    errors /= errors.sum(axis=1, keepdims=True)
    errors[np.arange(len(labels)), labels] -= 1
    return np.vstack([vectors.T @ errors / len(labels) + PENALTY * weights[:-1], errors.mean(axis=0)])


def fitted(classes: int, **changes: object) -> tuple[SoftmaxRegression, Floats, Numbers]:
    vectors, labels = problem(classes)
    start = SoftmaxRegression.untrained(vectors.shape[1], classes)
    return start.fit(vectors, labels, np.arange(len(labels)), PENALTY), vectors, labels


@pytest.mark.parametrize("classes", [2, 5, 30])
def test_the_gradient_is_next_to_nothing_where_it_ends(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.softmax_regression.ENOUGH", 1e-7)
    model, vectors, labels = fitted(classes)
    start = SoftmaxRegression.untrained(vectors.shape[1], classes)
    assert (
        np.abs(gradient(model, vectors, labels)).max() < np.abs(gradient(start, vectors, labels)).max() / 50
    )


def test_rows_that_can_be_told_apart_are() -> None:
    model, vectors, labels = fitted(3)
    assert (model.logits(vectors).argmax(axis=1) == labels).mean() > 0.9


def test_only_the_rows_that_are_given_are_learned_from() -> None:
    vectors, labels = problem(3)
    some = np.arange(0, len(labels), 2)
    start = SoftmaxRegression.untrained(vectors.shape[1], 3)
    expected = start.fit(vectors[some], labels[some], np.arange(len(some)), PENALTY)
    np.testing.assert_allclose(start.fit(vectors, labels, some, PENALTY).weights, expected.weights, atol=1e-5)


def test_many_rows_are_worked_on_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, *_ = fitted(3)
    assert BLOCK > 300
    monkeypatch.setattr("model.softmax_regression.BLOCK", 7)
    np.testing.assert_allclose(fitted(3)[0].weights, whole.weights, atol=0.02)


def test_a_stronger_penalty_gives_smaller_weights() -> None:
    vectors, labels = problem(3)
    start = SoftmaxRegression.untrained(vectors.shape[1], 3)
    weak, strong = (start.fit(vectors, labels, np.arange(300), penalty) for penalty in (0.001, 1.0))
    assert np.abs(strong.weights[:-1]).sum() < np.abs(weak.weights[:-1]).sum() / 3


def test_a_class_without_rows_is_hardly_ever_likely() -> None:
    vectors, labels = problem(3)
    model = SoftmaxRegression.untrained(vectors.shape[1], 4).fit(vectors, labels, np.arange(300), PENALTY)
    assert (model.logits(vectors).argmax(axis=1) < 3).all()


def test_vectors_that_are_all_the_same_leave_the_shares_of_the_classes() -> None:
    vectors, labels = np.ones((100, 4), dtype=np.float32), (np.arange(100) % 4 == 0).astype(np.int64)
    model = SoftmaxRegression.untrained(4, 2).fit(vectors, labels, np.arange(100), 0.0)
    logits = model.logits(vectors[:1])[0]
    assert np.exp(logits[1]) / np.exp(logits).sum() == pytest.approx(0.25, abs=0.02)
