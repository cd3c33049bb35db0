"""Decided rows: the last decision of a row and of a text counts."""

import pytest

from workflow.decided import DecidedRow, merged


def decided(text: str, label: str, row: int) -> DecidedRow:
    return DecidedRow(text, label, "run", row, f"2026-01-01T00:00:{row:02}+00:00")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The drum leaks", "the  drum leaks "),
        ("The drum\u2019s seal", "the drum's seal"),
        ("the drum leaks", "the dr\u00adum leaks\ufeff"),
        ("ﬁlter", "FILTER"),
    ],
)
def test_of_texts_that_people_take_for_the_same_the_last_decision_counts(first: str, second: str) -> None:
    last = decided(second, "Seal", 2)
    assert merged([decided(first, "Drum", 1)], [last]) == [last]


def test_other_texts_keep_their_decisions() -> None:
    rows = [decided("the drum leaks", "Drum", 1), decided("the seal leaks", "Seal", 2)]
    assert merged(rows, []) == rows
