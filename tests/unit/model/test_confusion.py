"""Which categories cannot be told apart."""

import numpy as np

from model.confusion import PAIRS_SHOWN, inseparable

LABELS = ["a", "b", "c"]


def pairs(counts: dict[tuple[int, int], int]) -> list[tuple[list[str], int]]:
    """The pairs found in rows given as {(truth, guess): rows}."""
    truths = np.repeat([truth for truth, _ in counts], list(counts.values()))
    guesses = np.repeat([guess for _, guess in counts], list(counts.values()))
    return [(pair["labels"], pair["rows"]) for pair in inseparable(truths, guesses, LABELS)]


def test_two_categories_that_are_often_swapped_are_named_with_the_swapped_rows() -> None:
    assert pairs({(0, 0): 60, (0, 1): 40, (1, 1): 70, (1, 0): 30, (2, 2): 50}) == [(["a", "b"], 70)]


def test_a_rare_category_that_vanishes_in_a_large_one_is_named() -> None:
    assert pairs({(0, 0): 4, (0, 1): 16, (1, 1): 990, (1, 0): 10}) == [(["a", "b"], 26)]


def test_categories_that_are_mostly_told_apart_are_not_named() -> None:
    assert pairs({(0, 0): 80, (0, 1): 20, (1, 1): 80, (1, 0): 20, (2, 2): 9}) == []


def test_a_few_swapped_rows_may_be_chance() -> None:
    assert pairs({(0, 1): 4, (1, 1): 90, (0, 0): 1}) == []


def test_the_pairs_of_the_most_rows_come_first_and_are_at_most_twenty() -> None:
    classes = 100
    truths = np.repeat(np.arange(classes), np.arange(classes) + 10)
    found = inseparable(truths, truths ^ 1, [str(number) for number in range(classes)])
    rows = [pair["rows"] for pair in found]
    assert rows == sorted(rows, reverse=True)
    assert len(found) == PAIRS_SHOWN
    assert found[0]["labels"] == ["98", "99"]


def test_a_model_without_mistakes_tells_all_apart() -> None:
    assert inseparable(np.arange(3), np.arange(3), LABELS) == []
