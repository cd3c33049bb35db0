"""Why a person should look at a row, and in which order that is decided."""

import numpy as np
import pytest

from model.classifier import Decision, Watched
from model.review import LOW_CONFIDENCE, NOTHING_ACCEPTED, UNFAMILIAR, may_be, review_reasons

LABELS = ["Leak", "Noise", "Fire"]
FIRE = Watched((2,), 0.04)


def reason(chances: list[float], decision: Decision, unlike: bool = False) -> str:
    (found,) = review_reasons(decision, np.array([chances]), np.array([unlike]), LABELS)
    return found


@pytest.mark.parametrize(
    ("threshold", "chances", "unlike", "expected"),
    [
        (0.9, [0.95, 0.03, 0.02], False, ""),
        (0.9, [0.9, 0.08, 0.02], False, ""),
        (0.9, [0.89, 0.1, 0.01], False, LOW_CONFIDENCE),
        (0.9, [0.92, 0.03, 0.05], False, may_be("Fire")),
        (0.9, [0.92, 0.04, 0.04], False, ""),
        (0.9, [0.03, 0.02, 0.95], False, ""),
        (0.9, [0.5, 0.1, 0.4], False, LOW_CONFIDENCE),
        (None, [1.0, 0.0, 0.0], False, NOTHING_ACCEPTED),
        (None, [0.8, 0.0, 0.2], False, NOTHING_ACCEPTED),
        (0.9, [0.99, 0.01, 0.0], True, UNFAMILIAR),
        (0.9, [0.5, 0.1, 0.4], True, UNFAMILIAR),
        (None, [0.5, 0.1, 0.4], True, UNFAMILIAR),
    ],
)
def test_unlike_comes_before_nothing_accepted_low_confidence_and_a_watched_category(
    threshold: float | None, chances: list[float], unlike: bool, expected: str
) -> None:
    assert reason(chances, Decision(threshold=threshold, watched=(FIRE,)), unlike) == expected


def test_without_watched_categories_only_the_confidence_counts() -> None:
    assert reason([0.92, 0.03, 0.05], Decision(threshold=0.9)) == ""


def test_a_row_labelled_with_one_category_of_a_group_may_be_another_of_it() -> None:
    rare = Decision(threshold=0.5, watched=(Watched((1, 2), 0.2),))
    assert reason([0.0, 0.7, 0.3], rare) == may_be("Fire")
    assert reason([0.3, 0.7, 0.0], rare) == ""


def test_of_two_watched_categories_the_first_group_names_the_reason() -> None:
    both = Decision(threshold=0.5, watched=(FIRE, Watched((1,), 0.04)))
    assert reason([0.7, 0.2, 0.1], both) == may_be("Fire")


def test_each_row_has_its_reason() -> None:
    chances = np.array([[0.95, 0.04, 0.01], [0.6, 0.3, 0.1], [0.9, 0.0, 0.1], [1.0, 0.0, 0.0]])
    unlike = np.array([False, False, False, True])
    decision = Decision(threshold=0.8, watched=(FIRE,))
    assert review_reasons(decision, chances, unlike, LABELS) == [
        "",
        LOW_CONFIDENCE,
        may_be("Fire"),
        UNFAMILIAR,
    ]


def test_a_long_name_is_cut() -> None:
    (found,) = review_reasons(
        Decision(threshold=0.5, watched=(Watched((1,), 0.1),)),
        np.array([[0.6, 0.4]]),
        np.array([False]),
        ["a", "x" * 500],
    )
    assert len(found) == len(may_be("")) + 60
    assert found.endswith("…")
