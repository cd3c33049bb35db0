"""The new model against the live one: which rows count, and what is said of them."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from contract.plain import plain
from model.classifier import Classifier
from model.comparison import Contender, Outcome, compare, figures
from model.data import Row
from model.texts import hash_texts

Write = Callable[[Path, Sequence[Row]], Path]
Held = Callable[[Sequence[Row]], Path]
BRAKES, ENGINE, SEATS = (
    "the brake disc has a squeal",
    "there is oil smoke at the piston",
    "the belt and the cushion",
)


@pytest.fixture
def held(write: Write, tmp_path: Path) -> Held:
    """Writes held-out rows; returns their folder."""
    numbers = itertools.count()

    def make(rows: Sequence[Row]) -> Path:
        return write(tmp_path / f"held-{next(numbers)}" / "part-00000.csv", rows).parent

    return make


def rows(*labelled: tuple[str, str]) -> list[Row]:
    return [Row(number, text, label) for number, (text, label) in enumerate(labelled)]


def counted(new: Contender, live: Contender) -> tuple[int, int]:
    found = compare(new, live)
    return found["rows"], found["rows_of_live"]


def test_both_are_judged_on_the_rows_held_out_for_either(classifier: Classifier, held: Held) -> None:
    new = Contender(classifier, hash_texts(["a"]), held(rows((BRAKES, "brakes"), (ENGINE, "engine"))))
    live = Contender(classifier, hash_texts(["b"]), held(rows((SEATS, "seats"))))
    found = compare(new, live)
    assert (found["rows"], found["rows_of_live"]) == (3, 1)
    assert (found["new_accuracy"], found["accuracy"], found["both_right"]) == (1, 1, 3)


def test_a_row_that_either_has_learned_from_does_not_count(classifier: Classifier, held: Held) -> None:
    file = held(rows((BRAKES, "brakes"), (ENGINE, "engine")))
    other = held(rows((SEATS, "seats"), ("new " + SEATS, "seats")))
    new = Contender(classifier, hash_texts([SEATS.upper()]), file)
    live = Contender(classifier, hash_texts([f"  {BRAKES}"]), other)
    assert counted(new, live) == (2, 1)


def test_a_text_counts_once_with_the_new_files_label(classifier: Classifier, held: Held) -> None:
    new = Contender(classifier, None, held(rows((BRAKES, "engine"), (BRAKES.upper(), "engine"))))
    live = Contender(classifier, None, held(rows((BRAKES, "brakes"), (SEATS, "seats"), (SEATS, "seats"))))
    found = compare(new, live)
    assert (found["rows"], found["rows_of_live"]) == (2, 1)
    assert (found["accuracy"], found["both_wrong"]) == (0.5, 1)


def test_without_what_the_live_model_learned_the_new_files_rows_count(
    classifier: Classifier, held: Held
) -> None:
    new = Contender(classifier, hash_texts(["a"]), held(rows((BRAKES, "brakes"))))
    assert counted(new, Contender(classifier)) == (1, 0)


def test_without_a_row_there_is_no_figure(classifier: Classifier, held: Held) -> None:
    new = Contender(classifier, None, held(rows((BRAKES, "brakes"))))
    found = compare(new, Contender(classifier, hash_texts([BRAKES])))
    assert (found["rows"], found["accuracy"], found["new_accuracy"]) == (0, None, None)


def test_labels_that_look_the_same_are_the_same(classifier: Classifier, held: Held) -> None:
    file = held(rows((BRAKES, "Brakes "), (ENGINE, "en\u00adgine"), (SEATS, "SEATS")))
    assert compare(Contender(classifier, None, file), Contender(classifier))["both_right"] == 3


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("1", "1.0", True),
        ("01", "1.00", True),
        ("1.50", "1.5", True),
        ("10", "1", False),
        ("1.05", "1.5", False),
        ("A\u00a0 b", "a b", True),
        ("stra\u00dfe", "STRASSE", True),
        ("Driver\u2019s door \u2013 left", "driver's door - left", True),
        ("a", "b", False),
    ],
)
def test_the_plain_form_of_a_label(first: str, second: str, same: bool) -> None:
    assert (plain(first) == plain(second)) is same


def test_a_label_that_the_live_model_does_not_know_counts_as_wrong(
    classifier: Classifier, held: Held
) -> None:
    file = held(rows((BRAKES, "brakes"), (SEATS, "cushions")))
    assert compare(Contender(classifier, None, file), Contender(classifier))["accuracy"] == 0.5


def test_labels_that_would_be_lost_are_named_and_their_rows_counted(
    classifier: Classifier, held: Held
) -> None:
    fewer = dataclasses.replace(classifier, labels=("brakes", "engine", "Belts"))
    live = Contender(classifier, None, held(rows((SEATS, "seats"), (ENGINE, "engine"))))
    found = compare(Contender(fewer, None, held(rows((BRAKES, "brakes")))), live)
    assert found["lost"] == {"labels": ["seats"], "count": 1, "rows": 1, "live_right": 1}
    assert (found["rows"], found["new_accuracy"]) == (3, pytest.approx(2 / 3, abs=1e-6))


def test_the_outcome_is_counted_row_by_row() -> None:
    new, live = np.array([True, True, False, True]), np.array([True, False, True, False])
    nothing = np.zeros(4, dtype=bool)
    found = figures(Outcome(new, live, of_live=~new, lost=nothing))
    assert found == {
        "rows": 4,
        "rows_of_live": 1,
        "new_accuracy": 0.75,
        "new_accuracy_interval": pytest.approx([0.194120, 0.993691], abs=1e-6),
        "accuracy": 0.5,
        "accuracy_interval": pytest.approx([0.067586, 0.932414], abs=1e-6),
        "both_right": 1,
        "only_new_right": 2,
        "only_live_right": 1,
        "both_wrong": 0,
        "p_value": 1.0,
        "lost": {"labels": [], "count": 0, "rows": 0, "live_right": 0},
    }


def test_a_tiny_p_value_is_not_rounded_to_zero() -> None:
    new, live = np.ones(2_000, dtype=bool), np.arange(2_000) < 1_500
    nothing = np.zeros(2_000, dtype=bool)
    assert 0 < figures(Outcome(new, live, nothing, nothing))["p_value"] < 1e-6
