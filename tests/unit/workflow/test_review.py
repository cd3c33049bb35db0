"""Deciding rows in the terminal: what is typed, what is stored, and what two people see of each other."""

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from contract.queue import NONE_OF_THESE
from tests.unit.workflow.queues import CATEGORIES, RUN, put, reader, row
from workflow import review
from workflow.account import Account
from workflow.cli import app
from workflow.decisions import Answer, Asked, Decisions, Person
from workflow.errors import CommandError
from workflow.review import Review, matches

DIGITS = str.maketrans(dict.fromkeys("0123456789", "#"))
ANA, BEN = Person("ana", "window-1"), Person("ben", "window-2")


def reviewed(account: Account, *typed: str, person: Person = ANA) -> tuple[list[str], int]:
    """Return what was shown and how many rows were decided while this was typed."""
    shown: list[str] = []
    answers: Iterator[str] = iter([*typed, review.QUIT])
    return shown, Review(reader(account), person, lambda: next(answers), shown.append).run()


def decided(account: Account) -> dict[int, str | None]:
    return {each.number: each.category for each in Decisions(account.dynamodb, "decisions", RUN).all()}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", ["Brakes"]),
        ("0", [NONE_OF_THESE]),
        ("1", ["Brakes"]),
        ("2", ["Engine"]),
        ("wheels", ["Wheels"]),
        ("w", ["Wheels"]),
        ("brake", ["Brakes", "Brake fluid"]),
        ("brakes", ["Brakes"]),
        ("fluid", ["Brake fluid"]),
        ("gearbox", []),
    ],
)
def test_what_is_typed_means_a_category(typed: str, meant: list[str]) -> None:
    assert matches(typed, row(0), CATEGORIES) == meant


def test_a_category_that_is_a_number_is_meant_by_it() -> None:
    assert matches("1", row(0), ["1", "2", "10"]) == ["1"]
    assert matches("0", row(0), ["0", "1"]) == ["0"]


def test_of_categories_that_differ_by_case_the_one_that_was_typed_is_meant() -> None:
    assert matches("oil", row(0), ["Oil", "oil"]) == ["oil"]
    assert matches("OIL", row(0), ["Oil", "oil"]) == ["Oil", "oil"]


def test_rows_are_decided_one_after_the_other(account: Account) -> None:
    put(account, [row(n) for n in range(5)])
    shown, count = reviewed(account, "", "2", "wheels")
    assert count == 3
    assert decided(account) == {0: "Brakes", 1: "Engine", 2: "Wheels"}
    assert "Line 2  (id: C-0)" in shown
    assert "the text of 0" in shown
    assert "Wheels. 2 left." in shown


def test_an_audit_looks_like_every_other_row_and_is_known_as_one(account: Account) -> None:
    put(account, [row(0), row(1, audit=True)])
    shown, _ = reviewed(account, "", "")
    starts = [place for place, line in enumerate(shown) if line.startswith("Line ")]
    first, second = ([line.translate(DIGITS) for line in shown[start : start + 3]] for start in starts)
    assert first == second
    assert not any("0.43" in line or "low confidence" in line for line in shown)
    audits = [each.audit for each in Decisions(account.dynamodb, "decisions", RUN).all()]
    assert audits == [False, True]


def test_a_row_that_is_skipped_is_left_and_comes_again_in_the_next_turn(account: Account) -> None:
    put(account, [row(0), row(1)])
    assert reviewed(account, review.SKIP, "")[1] == 1
    assert decided(account) == {1: "Brakes"}
    assert reviewed(account, "wheels", person=BEN)[1] == 1
    assert decided(account) == {0: "Wheels", 1: "Brakes"}


def test_the_last_decision_can_be_taken_back_and_the_row_comes_again(account: Account) -> None:
    put(account, [row(0), row(1)])
    shown, count = reviewed(account, "wheels", review.UNDO, "engine", "")
    assert count == 2
    assert "Wheels was taken back: the row comes again." in shown
    assert decided(account) == {0: "Brakes", 1: "Engine"}
    changes = [
        each.category for each in next(iter(Decisions(account.dynamodb, "decisions", RUN).all())).changes
    ]
    assert changes == ["Wheels", None, "Brakes"]


def test_without_a_decision_there_is_nothing_to_take_back(account: Account) -> None:
    put(account, [row(0)])
    assert "Nothing was decided here so far." in reviewed(account, review.UNDO)[0]


def test_what_means_no_category_or_several_is_asked_again(account: Account) -> None:
    put(account, [row(0)])
    shown, count = reviewed(account, "gearbox", "brake", review.HELP, "fluid")
    assert count == 1
    assert "No category begins with or has 'gearbox' in it: ? lists them." in shown
    assert "Brakes, Brake fluid" in shown
    assert "Brakes, Brake fluid, Engine, Wheels" in shown
    assert decided(account) == {0: "Brake fluid"}


def test_of_very_many_categories_the_first_are_listed(account: Account) -> None:
    shown: list[str] = []
    put(account, [row(0)])
    turn = Review(reader(account), ANA, lambda: review.QUIT, shown.append)
    turn._list([f"c{n}" for n in range(1_700)])
    assert shown[-1].endswith("c11 and 1,688 more")


def test_a_row_that_somebody_decided_meanwhile_is_told_and_counts(account: Account) -> None:
    put(account, [row(0), row(1)])

    def typed() -> str:
        now = Decisions(account.dynamodb, "decisions", RUN)
        if 0 not in decided(account):
            now.release(0, ANA)
            now.decide(Asked(0, "Brakes", 3, audit=False), Answer("Engine", "t"), BEN)
            return ""
        return review.QUIT

    shown: list[str] = []
    turn = Review(reader(account), ANA, typed, shown.append)
    turn.run()
    assert "ben has decided this row meanwhile: Engine. 1 left." in shown
    assert decided(account) == {0: "Engine"}


def test_who_ends_gives_the_row_back(account: Account) -> None:
    put(account, [row(0)])
    reviewed(account)
    assert reader(account).next(BEN) is not None


def test_the_command_reviews_a_run_and_says_what_is_next(account: Account) -> None:
    put(account, [row(0), row(1)])
    said = CliRunner().invoke(app, ["review", RUN], input="\nq\n")
    assert said.exit_code == 0, said.output
    assert "2 of 2 rows of claims.csv are left." in said.output
    assert "1 row decided, 1 left." in said.output
    assert f"claimflow final {RUN}" in said.output
    assert decided(account) == {0: "Brakes"}


def test_the_end_of_the_input_ends_the_review(account: Account) -> None:
    put(account, [row(0)])
    said = CliRunner().invoke(app, ["review", RUN], input="")
    assert said.exit_code == 0, said.output
    assert "0 rows decided, 1 left." in said.output


def test_a_run_without_a_queue_is_told(account: Account) -> None:
    with pytest.raises(CommandError, match="has no rows for people"):
        reader(account)
