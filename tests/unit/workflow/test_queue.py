"""The rows that people look at: which one is next for whom, and that nothing is read in vain."""

import math
import threading

import pytest

from tests.unit.workflow.queues import RUN, put, reader, row
from workflow import queue
from workflow.account import Account
from workflow.decisions import Answer, Decision, Decisions, NotYoursError, Person
from workflow.errors import CommandError
from workflow.queue import Held, Wanted

ANA, BEN = Person("ana", "window-1"), Person("ben", "window-2")


def number(found: Held | None) -> int:
    assert found is not None
    return found.row["number"]


def test_two_people_get_different_rows(account: Account) -> None:
    put(account, [row(n) for n in range(3)])
    one, other = reader(account), reader(account)
    assert [number(one.next(ANA)), number(other.next(BEN))] == [0, 1]


def test_pages_are_read_as_they_are_needed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    put(account, [row(n) for n in range(100)], per_page=10)
    made, asked = reader(account), []
    get = account.s3.get_object
    monkeypatch.setattr(
        account.s3, "get_object", lambda **given: asked.append(given["Range"]) or get(**given)
    )
    made.next(ANA)
    assert len(asked) == 1
    assert asked[0].startswith("bytes=0-")
    assert [each["number"] for each in made.page(9)] == list(range(90, 100))


def test_a_window_gets_its_row_again_until_it_is_decided(account: Account) -> None:
    put(account, [row(0), row(1)])
    made = reader(account)
    assert [number(made.next(ANA)) for _ in range(2)] == [0, 0]


def test_of_a_group_or_a_category_only_its_rows_are_given(account: Account) -> None:
    rows = [
        row(0, group="unlike the training texts"),
        row(1),
        row(2, prediction="Engine"),
        row(3, group="unlike the training texts", prediction="Engine"),
    ]
    put(account, rows)
    made = reader(account)
    assert list(made.open(Wanted(group="unlike the training texts"))) == [0, 3]
    assert list(made.open(Wanted(category="Engine"))) == [2, 3]
    both = Wanted("unlike the training texts", "Engine")
    assert number(made.next(ANA, wanted=both)) == 3


def test_a_row_that_is_taken_back_is_the_first_again(account: Account) -> None:
    put(account, [row(n) for n in range(5)])
    made = reader(account)
    first = made.find(0)
    assert first is not None
    decision = made.decide(first, Answer("Engine", "t1"), ANA)
    assert list(made.open()) == [1, 2, 3, 4]
    made.decide(first, Answer(None, "t2", decision.revision), ANA)
    assert list(made.open()) == [0, 1, 2, 3, 4]
    assert made.left == 5


def test_what_people_at_other_machines_hold_is_leapt_over_in_few_steps_and_nothing_is_left_out(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(account, [row(n) for n in range(100)], per_page=10)
    decisions = Decisions(account.dynamodb, "decisions", RUN)
    for taken in range(60):
        assert decisions.hold(taken, BEN) == 0
    made, tries = reader(account), []
    hold = made.decisions.hold
    monkeypatch.setattr(
        made.decisions, "hold", lambda number, person: tries.append(number) or hold(number, person)
    )
    assert number(made.next(ANA)) >= 60
    assert len(tries) < 10
    got: set[int] = set()
    while found := made.next(ANA, frozenset(got)):
        got.add(number(found))
    assert got == set(range(60, 100))


def test_a_row_that_somebody_elsewhere_decided_first_counts_as_decided(account: Account) -> None:
    put(account, [row(0), row(1)])
    here, there = reader(account), reader(account)
    first, other = here.find(0), there.find(0)
    assert first is not None
    assert other is not None
    there.decide(other, Answer("Engine", "t1"), BEN)
    with pytest.raises(NotYoursError, match="ben has decided this row meanwhile: Engine"):
        here.decide(first, Answer("Wheels", "t2"), ANA)
    assert here.left == 1
    assert number(here.next(ANA)) == 1


def test_what_was_decided_while_all_was_read_is_known_and_nothing_older_replaces_it(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(account, [row(n) for n in range(3)])
    one, other = reader(account), reader(account)
    every = Decisions.all

    def meanwhile(decisions: Decisions) -> list[Decision]:
        first, second = one.row(0), one.row(1)
        made = one.decide(first, Answer("Engine", "token-1"), ANA)
        other.decide(first, Answer(None, "token-2", made.revision), ANA)
        found = list(every(decisions))
        one.decide(second, Answer("Engine", "token-3"), ANA)
        return found

    monkeypatch.setattr(Decisions, "all", meanwhile)
    one.refresh()
    assert list(one.open()) == [0, 2]
    assert [each.number for each in one.recent("ana")] == [1]


def test_many_decisions_are_read_again_beside_and_not_at_each_look(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(account, [row(n) for n in range(3)])
    one, other = reader(account), reader(account)
    other.decide(other.row(0), Answer("Engine", "token-1"), BEN)
    monkeypatch.setattr(queue, "READ_AT_ONCE", -1)
    monkeypatch.setattr(one, "_read_again", math.inf)
    one.look_around()
    assert one.left == 3
    monkeypatch.setattr(one, "_read_again", -math.inf)
    one.look_around()
    for thread in threading.enumerate():
        if thread.name == "look around":
            thread.join()
    assert one.left == 2


def test_of_each_person_the_last_decisions_of_rows_read_alone_are_known(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(account, [row(n) for n in range(5)])
    monkeypatch.setattr(queue, "RECENT", 2)
    made = reader(account)
    for each in (4, 1, 0):
        made.decide(made.row(each), Answer("Engine", f"token-{each}"), ANA)
    made.decide(made.row(2), Answer("Engine", "token-2", batch="batch-1"), ANA)
    made.decide(made.row(0), Answer("Brakes", "token-9", revision=1), BEN)
    assert [each.number for each in made.recent("ana")] == [1]
    assert [each.number for each in made.recent("ben")] == [0]
    assert {each.number for each in reader(account).recent("ana")} == {1, 4}


def test_a_queue_of_another_version_is_refused(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    put(account, [row(0)])
    monkeypatch.setattr("workflow.queue.SCHEMA", 3)
    with pytest.raises(CommandError, match="label the file again"):
        reader(account)
