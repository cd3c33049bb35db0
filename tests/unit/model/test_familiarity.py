"""Which texts are unlike anything that was learned from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from model.familiarity import MOST_UNLIKE, Bounds, bounds

SHARES = st.integers(1, 400).flatmap(
    lambda rows: st.tuples(*(arrays.arrays(float, rows, elements=st.floats(0, 1)) for _ in range(2)))
)


def test_a_text_without_a_known_word_is_unlike_whatever_the_bounds() -> None:
    assert Bounds(0.0, 0.0).unlike(np.array([0.0, 0.4]), np.ones(2)).tolist() == [True, False]


def test_too_few_known_words_or_too_little_likeness_make_a_text_unlike() -> None:
    least = Bounds(0.5, 0.6)
    ratios, similarities = np.array([0.4, 0.5, 1, 1]), np.array([1, 0.6, 0.59, 1])
    assert least.unlike(ratios, similarities).tolist() == [True, False, True, False]


@given(SHARES)
def test_hardly_a_row_is_called_unlike_by_its_similarity(given_: tuple[np.ndarray, np.ndarray]) -> None:
    ratios, similarities = given_
    least = bounds(ratios, similarities)
    by_words = (ratios == 0) | (ratios < least.in_vocabulary_ratio)
    unlike = least.unlike(ratios, similarities)
    assert unlike.sum() <= max(MOST_UNLIKE * len(ratios), by_words.sum())


def test_of_many_rows_the_least_similar_hundredth_is_unlike() -> None:
    similarities = np.random.default_rng(0).random(10_000)
    assert bounds(np.ones(10_000), similarities).similarity == pytest.approx(MOST_UNLIKE, abs=0.002)


def test_of_few_rows_the_least_similar_one_is_the_bound() -> None:
    assert bounds(np.ones(60), np.linspace(0.7, 1, 60)).similarity == 0.7


def test_all_but_a_few_texts_know_enough_words_and_half_of_them_is_always_enough() -> None:
    ratios = np.random.default_rng(0).uniform(0.2, 1, 10_000)
    assert (ratios < bounds(ratios, np.ones(10_000)).in_vocabulary_ratio).mean() == pytest.approx(
        0.005, abs=0.001
    )
    assert bounds(np.ones(10), np.ones(10)).in_vocabulary_ratio == 0.5


def test_where_no_part_can_tell_none_is_unlike_by_its_similarity() -> None:
    least = bounds(np.ones(1000), np.ones(1000))
    assert not least.unlike(np.ones(5), np.ones(5)).any()
