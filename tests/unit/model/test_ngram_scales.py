"""What n-grams count: against the formulas."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.data import Numbers
from model.ngram_scales import SMOOTHING, scales
from model.ngrams import Scale
from model.sparse_rows import SparseRows

SIZE, CLASSES = 12, 3
SCALES: list[Scale] = ["none", "idf", "nb", "nb-idf"]
TEXTS = st.lists(st.lists(st.integers(1, SIZE - 1), unique=True, max_size=6), min_size=1, max_size=8)


def rows_of(texts: Sequence[Sequence[int]]) -> SparseRows:
    return SparseRows.of([np.array(text, dtype=np.int32) for text in texts])


def labels_of(texts: Sequence[object], classes: int = CLASSES) -> Numbers:
    return np.arange(len(texts), dtype=np.int64) % classes


def idf(texts: Sequence[Sequence[int]], gram: int) -> float:
    return math.log(1 + len(texts) / max(sum(gram in text for text in texts), 1))


def largest_ratio(texts: Sequence[Sequence[int]], labels: Sequence[int], gram: int) -> float:
    """Max over the labels of |log(share within the label / share outside)|, both smoothed."""

    def share(wanted: Callable[[int], bool]) -> float:
        inside = [text for text, label in zip(texts, labels, strict=True) if wanted(label)]
        held = sum(text.count(gram) for text in inside)
        return (held + SMOOTHING) / (sum(map(len, inside)) + SMOOTHING * SIZE)

    ratios = [
        math.log(share(lambda of, own=label: of == own) / share(lambda of, own=label: of != own))  # type: ignore[misc]
        for label in set(labels)
    ]
    return max(abs(ratio) for ratio in ratios)


@settings(deadline=None)
@given(TEXTS.filter(all))
def test_the_scales_are_those_of_their_formulas(texts: list[list[int]]) -> None:
    labels = labels_of(texts)
    rows, classes = rows_of(texts), len(set(labels.tolist()))
    found = {scale: scales(rows, labels, classes, SIZE, scale) for scale in SCALES}
    for gram in range(1, SIZE):
        rarity, ratio = idf(texts, gram), largest_ratio(texts, labels.tolist(), gram)
        assert found["none"][gram] == 1
        assert found["idf"][gram] == pytest.approx(rarity, rel=1e-5)
        assert found["nb"][gram] == pytest.approx(ratio, rel=1e-4, abs=1e-6)
        assert found["nb-idf"][gram] == pytest.approx(ratio * rarity, rel=1e-4, abs=1e-6)
    for array in found.values():
        assert (array.shape, array.dtype, array[0]) == ((SIZE,), np.float32, 0)


def test_naive_bayes_counts_an_n_gram_of_one_class_for_more_than_one_of_all() -> None:
    rows = rows_of([[1, 2], [1, 2], [1, 3], [1, 3]])
    nb = scales(rows, np.array([0, 0, 1, 1]), 2, 4, "nb")
    assert nb[1] == pytest.approx(0, abs=1e-6)
    assert nb[2] == pytest.approx(nb[3])
    assert nb[2] > 1


def test_an_n_gram_that_a_text_has_often_counts_as_one_that_it_has_once() -> None:
    once, often = rows_of([[1, 2], [2, 3], [], [3]]), rows_of([[1, 1, 1, 2], [2, 2, 3], [], [3, 3]])
    for scale in SCALES:
        found = [scales(rows, labels_of(range(4)), CLASSES, 5, scale) for rows in (once, often)]
        assert np.array_equal(*found)


def test_a_rare_n_gram_counts_more_than_a_frequent_one_by_idf() -> None:
    found = scales(rows_of([[1, 2], [1], [1], [1]]), labels_of(range(4)), CLASSES, 3, "idf")
    assert found[2] > found[1] == pytest.approx(math.log(2))
