"""Which categories are watched, and the chance of them that is enough to look at a row."""

from dataclasses import replace

import numpy as np
import pytest

from model.calibration import Array
from model.precision_test import RISK
from model.watched import (
    FEW,
    FEW_ROWS,
    LOW_RECALL,
    PROTECTED,
    Group,
    Outcome,
    falling_limits,
    group_chances,
    groups,
    likeliest_other,
    limit,
)

RARE = Group((1,), PROTECTED, recall=0.95, most_sent=1.0)


def outcome(truths: list[int], correct: list[bool], accepted: list[bool] | None = None) -> Outcome:
    rows = len(truths)
    return Outcome(
        np.array(truths),
        np.array(correct),
        np.full(rows, 0.9),
        np.array(accepted if accepted is not None else [True] * rows),
    )


def rare(own: list[float], others: Array | None = None) -> tuple[Array, Outcome]:
    """Rows of category 1 taken for another, with their chances of it, and as many of the others."""
    chances = np.concatenate([own, np.full(100, 0.001) if others is None else others])
    truths = np.array([1] * len(own) + [0] * (len(chances) - len(own)))
    accepted = np.ones(len(chances), dtype=bool)
    return chances, Outcome(truths, truths == 0, np.full(len(chances), 0.9), accepted)


def test_protected_few_and_often_missed_categories_are_watched_in_that_order() -> None:
    truths = [0] * 100 + [1] * 20 + [2] * 100 + [3] * 5 + [4] * 50
    correct = [True] * 100 + [False] * 20 + [False] * 11 + [True] * 89 + [True] * 55
    found = groups(outcome(truths, correct), classes=6, protected=[4, 1], protect_recall=0.97)
    assert [(group.labels, group.why, group.recall) for group in found] == [
        ((4,), PROTECTED, 0.97),
        ((1,), PROTECTED, 0.97),
        ((3, 5), FEW_ROWS, 0.9),
        ((2,), LOW_RECALL, 0.9),
    ]


def test_rows_that_a_person_looks_at_are_not_missed() -> None:
    truths, correct = [0] * 100 + [1] * 100, [True] * 100 + [False] * 30 + [True] * 70
    seen = [True] * 100 + [False] * 25 + [True] * 75
    assert groups(outcome(truths, correct, seen), 2, [], 0.95) == []
    assert [group.why for group in groups(outcome(truths, correct), 2, [], 0.95)] == [LOW_RECALL]


@pytest.mark.parametrize(("rows", "why"), [(FEW - 1, [FEW_ROWS]), (FEW, [])])
def test_a_category_of_29_rows_can_be_judged(rows: int, why: list[str]) -> None:
    found = groups(outcome([0] * 100 + [1] * rows, [True] * (100 + rows)), 2, [], 0.95)
    assert [group.why for group in found] == why


def test_a_rows_own_label_is_no_other() -> None:
    chances = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.1, 0.4]])
    numbers, highest = likeliest_other(chances, (1, 2))
    assert numbers.tolist() == [1, 2, 2]
    assert highest.tolist() == [0.2, 0.3, 0.4]
    assert likeliest_other(chances, (0,))[1].tolist() == [0.0, 0.1, 0.0]


def test_the_chances_of_a_group_are_those_at_the_temperature() -> None:
    logits = np.log(np.array([[0.8, 0.2], [0.4, 0.6]])).astype(np.float32)
    assert group_chances(logits, 1.0, Group((1,), FEW_ROWS)) == pytest.approx([0.2, 0.0])
    assert group_chances(logits, 0.5, Group((1,), FEW_ROWS)) == pytest.approx([0.04 / 0.68, 0.0])


def test_of_sixty_rows_all_that_were_missed_would_go_to_a_person() -> None:
    chances, missed = rare([0.02] + [0.3] * 59)
    found = limit(RARE, chances, missed)
    assert 0.0199 < found < 0.02


def test_of_many_rows_as_many_may_be_missed_as_still_show_the_recall() -> None:
    chances, missed = rare(np.linspace(0.001, 0.4, 1_000).tolist())
    left = int((chances[:1_000] <= limit(RARE, chances, missed)).sum())
    assert 35 <= left <= 45  # 5% of 1,000, less what chance may do


def test_twenty_rows_lower_the_limit_below_the_least_chance_of_all() -> None:
    chances, missed = rare([0.02] + [0.3] * 19)
    assert limit(RARE, chances, missed) == pytest.approx(0.02 * 0.05 / (1 - RISK ** (1 / 20)))


def test_the_fewer_the_rows_the_lower_the_limit() -> None:
    limits = [limit(RARE, *rare([0.3] * rows)) for rows in (2, 5, 20, 40, 60)]
    assert limits == sorted(limits)
    assert len(set(limits)) == 5


def test_a_category_nobody_asked_to_protect_costs_at_most_2_of_100_rows() -> None:
    others = np.linspace(0, 0.5, 10_000)
    chances, missed = rare([0.001] * 20, others)
    asked, unasked = limit(RARE, chances, missed), limit(Group((1,), FEW_ROWS), chances, missed)
    assert (chances > asked).mean() > 0.9
    assert (chances > unasked).mean() == pytest.approx(0.02, abs=0.001)


def test_a_category_without_rows_is_looked_for_wherever_it_has_a_chance() -> None:
    chances, missed = rare([], np.linspace(0, 0.5, 100))
    assert limit(RARE, chances, missed) == 0
    assert limit(Group((1,), FEW_ROWS), chances, missed) == pytest.approx(0.5 * 97 / 99)


def test_a_category_whose_rows_are_all_looked_at_needs_no_limit() -> None:
    chances, missed = rare([0.3] * 60)
    assert limit(RARE, chances, replace(missed, accepted=missed.truths == 0)) == 1


def test_a_category_that_is_never_missed_costs_nothing() -> None:
    truths = np.array([1] * 100 + [0] * 900)
    seen = Outcome(truths, np.ones(1_000, bool), np.full(1_000, 0.9), np.ones(1_000, bool))
    chances = np.where(truths == 1, 0.0, 0.05)
    assert not (chances > limit(RARE, chances, seen)).any()


def test_a_limit_never_rises_with_the_threshold() -> None:
    chances, missed = rare(np.linspace(0.01, 0.4, 100).tolist())
    fewer = replace(missed, accepted=chances > 0.1)
    apart = [limit(RARE, chances, each) for each in (missed, fewer)]
    assert apart[0] < apart[1]
    assert falling_limits([RARE], [chances], [missed, fewer]) == [[apart[0]], [apart[0]]]


def test_nothing_watched_has_no_limits() -> None:
    _, missed = rare([0.3])
    assert falling_limits([], [], [missed, missed]) == [[], []]
