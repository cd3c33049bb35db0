"""The sums of n-grams: against naive computations."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ngram_sums import NgramSums, columns
from model.ngrams import Norm
from model.sparse_rows import SparseRows

SIZE, CLASSES = 12, 3
NORMS: list[Norm] = ["none", "sqrt"]
TEXTS = st.lists(st.lists(st.integers(1, SIZE - 1), unique=True, max_size=6), min_size=1, max_size=8)


def as_rows(texts: Sequence[Sequence[int]]) -> SparseRows:
    return SparseRows.of([np.array(text, dtype=np.int32) for text in texts])


def random_sums(norm: Norm, classes: int) -> NgramSums:
    chance = np.random.default_rng(0)
    weights = chance.normal(0, 1, (SIZE, columns(classes))).astype(np.float32)
    return NgramSums(weights, chance.normal(0, 1, columns(classes)).astype(np.float32), norm)


def of_classes(values: np.ndarray) -> np.ndarray:
    """A single value is the second class's, and the first class has it with the other sign."""
    return np.concatenate([-values, values]) if len(values) == 1 else values


norms = pytest.mark.parametrize("norm", NORMS)
some_classes = pytest.mark.parametrize("classes", [2, CLASSES])


@some_classes
@norms
@settings(deadline=None)
@given(texts=TEXTS)
def test_the_logits_are_the_sums_over_a_texts_n_grams(
    norm: Norm, classes: int, texts: list[list[int]]
) -> None:
    sums = random_sums(norm, classes)
    found = sums.logits(as_rows(texts))
    for line, text in zip(found, texts, strict=True):
        divisor = math.sqrt(len(text) + 1) if norm == "sqrt" else 1
        expected = sums.bias + sum(sums.weights[gram] for gram in text) / divisor
        np.testing.assert_allclose(line, of_classes(expected), rtol=1e-5, atol=1e-5)
    assert found.dtype == np.float32


@some_classes
@norms
def test_the_logits_of_a_text_do_not_depend_on_the_texts_beside_it(norm: Norm, classes: int) -> None:
    sums, texts = random_sums(norm, classes), [[1], [], list(range(1, SIZE)), [5, 2]]
    alone = np.concatenate([sums.logits(as_rows([text])) for text in texts])
    assert np.array_equal(sums.logits(as_rows(texts)), alone)
    assert np.array_equal(sums.logits(as_rows(texts[::-1]))[::-1], alone)


@some_classes
@norms
def test_a_text_without_known_n_grams_has_the_bias(norm: Norm, classes: int) -> None:
    sums = random_sums(norm, classes)
    assert np.array_equal(sums.logits(as_rows([[]])), of_classes(sums.bias)[None])
    assert sums.logits(as_rows([])).shape == (0, classes)


@some_classes
@norms
def test_the_shares_of_the_n_grams_and_the_bias_are_the_logits(norm: Norm, classes: int) -> None:
    sums, text = random_sums(norm, classes), np.array([3, 7, 1, 8], dtype=np.int32)
    together = sums.shares(text, len(text)).sum(axis=0) + of_classes(sums.bias)
    np.testing.assert_allclose(together, sums.logits(SparseRows.of([text]))[0], rtol=1e-5)


@some_classes
def test_all_weights_are_given_by_name(classes: int) -> None:
    sums = random_sums("none", classes)
    assert {name: array.shape for name, array in sums.arrays().items()} == {
        "weights": (SIZE, columns(classes)),
        "bias": (columns(classes),),
    }
