"""Decisions of rows: nobody's is lost or doubled, and every change can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.unit.workflow.fakes import make_table
from workflow.decisions import LEASE_SECONDS, Answer, Asked, Decisions, NotYoursError, Person

ANA, BEN = Person("ana", "window-1"), Person("ben", "window-2")
ASKED = Asked(7, "engine", 3, audit=False)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        make_table(client)
        yield client


@pytest.fixture
def decisions(client: Any) -> Decisions:
    return Decisions(client, "decisions", "run-1")


def test_a_decision_says_who_when_what_and_what_the_model_had_said(decisions: Decisions) -> None:
    made = decisions.decide(ASKED, Answer("brakes", "t1", note="squeals"), ANA)
    (found,) = decisions.all()
    assert found == made
    assert (found.number, found.category, found.said, found.model, found.audit) == (
        7,
        "brakes",
        "engine",
        3,
        False,
    )
    (change,) = found.changes
    assert (change.by, change.note, change.at[:2], change.at[-6:]) == ("ana", "squeals", "20", "+00:00")


def test_every_change_stays_readable_and_the_last_one_counts(decisions: Decisions) -> None:
    decisions.decide(ASKED, Answer("brakes", "t1"), ANA)
    decisions.decide(ASKED, Answer(None, "t2", revision=1), ANA)
    found = decisions.decide(ASKED, Answer("wheels", "t3", revision=2), BEN)
    assert [(each.category, each.by) for each in found.changes] == [
        ("brakes", "ana"),
        (None, "ana"),
        ("wheels", "ben"),
    ]
    assert (found.category, found.revision) == ("wheels", 3)


def test_a_decision_that_was_taken_back_is_none(decisions: Decisions) -> None:
    decisions.decide(ASKED, Answer("brakes", "t1"), ANA)
    assert decisions.decide(ASKED, Answer(None, "t2", revision=1), ANA).category is None
    assert decisions.hold(7, BEN) == 2


def test_of_two_people_the_second_is_told_what_the_first_decided(decisions: Decisions) -> None:
    decisions.decide(ASKED, Answer("brakes", "t1"), ANA)
    with pytest.raises(NotYoursError, match=r"^ana has decided this row meanwhile: brakes.$"):
        decisions.decide(ASKED, Answer("wheels", "t2"), BEN)
    (found,) = decisions.all()
    assert found.category == "brakes"


def test_who_changes_an_older_decision_than_the_last_is_told(decisions: Decisions) -> None:
    decisions.decide(ASKED, Answer("brakes", "t1"), ANA)
    decisions.decide(ASKED, Answer(None, "t2", revision=1), ANA)
    with pytest.raises(NotYoursError, match="ana took the decision of this row back meanwhile"):
        decisions.decide(ASKED, Answer("wheels", "t3", revision=1), BEN)


def test_a_request_that_is_sent_again_changes_nothing_and_gets_the_same_answer(decisions: Decisions) -> None:
    first = decisions.decide(ASKED, Answer("brakes", "t1"), ANA)
    assert decisions.decide(ASKED, Answer("brakes", "t1"), ANA) == first
    assert [each.revision for each in decisions.all()] == [1]


def test_a_held_row_is_one_windows_until_the_lease_ends(decisions: Decisions) -> None:
    assert decisions.hold(7, ANA, now=1_000) == 0
    assert decisions.hold(7, ANA, now=1_001) == 0
    assert decisions.hold(7, BEN, now=1_001) is None
    assert decisions.hold(7, Person("ana", "window-3"), now=1_001) is None
    assert decisions.hold(7, BEN, now=1_002 + LEASE_SECONDS) == 0
    assert list(decisions.all()) == []


def test_a_row_that_somebody_holds_cannot_be_decided_by_another(decisions: Decisions) -> None:
    decisions.hold(7, ANA)
    with pytest.raises(NotYoursError, match=r"^Somebody else has this row open at the moment"):
        decisions.decide(ASKED, Answer("wheels", "t1"), BEN)
    assert decisions.decide(ASKED, Answer("brakes", "t2"), ANA).category == "brakes"


def test_a_row_that_is_given_back_or_decided_is_nobodys(decisions: Decisions) -> None:
    decisions.hold(7, ANA)
    decisions.release(7, BEN)
    assert not decisions.hold(7, BEN)
    decisions.release(7, ANA)
    assert decisions.hold(7, BEN) == 0
    decisions.decide(ASKED, Answer("brakes", "t1"), BEN)
    assert not decisions.hold(7, ANA)


def test_the_decisions_of_a_run_come_in_the_order_of_the_rows(client: Any, decisions: Decisions) -> None:
    for number in (10, 2, 300):
        decisions.decide(Asked(number, "engine", 3, audit=True), Answer("brakes", f"t{number}"), ANA)
    Decisions(client, "decisions", "run-2").decide(ASKED, Answer("brakes", "t1"), ANA)
    assert [(each.number, each.audit) for each in decisions.all()] == [(2, True), (10, True), (300, True)]


def test_another_error_of_the_table_is_not_taken_for_somebody_elses_row(client: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        Decisions(client, "gone", "run-1").hold(7, ANA)


def test_when_it_was_told_how_sure_the_model_was_is_kept_once(decisions: Decisions) -> None:
    audit = Asked(7, "engine", 3, audit=True)
    decisions.decide(audit, Answer("brakes", "t1"), ANA)
    decisions.tell(7, 1)
    decisions.decide(audit, Answer("engine", "t2", revision=1), ANA)
    decisions.tell(7, 2)
    (found,) = decisions.all()
    assert (found.told, found.category, found.blind) == (1, "engine", "brakes")


def test_of_a_row_that_was_changed_or_taken_back_meanwhile_it_is_not_told(decisions: Decisions) -> None:
    audit = Asked(7, "engine", 3, audit=True)
    decisions.decide(audit, Answer("brakes", "t1"), ANA)
    decisions.decide(audit, Answer(None, "t2", revision=1), ANA)
    decisions.tell(7, 1)
    decisions.tell(7, 2)
    (found,) = decisions.all()
    assert (found.told, found.blind) == (None, None)


def test_an_answer_that_was_corrected_before_anything_was_told_counts_as_corrected(
    decisions: Decisions,
) -> None:
    audit = Asked(7, "engine", 3, audit=True)
    decisions.decide(audit, Answer("brakes", "t1"), ANA)
    decisions.decide(audit, Answer(None, "t2", revision=1), ANA)
    made = decisions.decide(audit, Answer("engine", "t3", revision=2), ANA)
    assert made.blind == "engine"


def test_a_decision_of_several_rows_names_its_request(decisions: Decisions) -> None:
    decisions.decide(ASKED, Answer("brakes", "t1-7", batch="t1"), ANA)
    decisions.decide(ASKED, Answer("wheels", "t2", revision=1), ANA)
    (found,) = decisions.all()
    assert [each.batch for each in found.changes] == ["t1", ""]
