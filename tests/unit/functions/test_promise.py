"""The next file's message says when people found the promise of the model broken."""

import socket
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from shared import aws
from tests.unit.functions.stack import Stack
from tests.unit.functions.test_collect import CLAIMS, predicted
from tests.unit.workflow.fakes import make_table
from workflow.decisions import Answer, Asked, Decisions, Person

ANA = Person("ana", "window-1")


@pytest.fixture
def live(stack: Stack) -> Stack:
    stack.live()
    return stack


@pytest.fixture
def table(live: Stack) -> Any:
    """Return a client of the table of decisions."""
    client = boto3.client("dynamodb")
    make_table(client)
    return client


def decide(client: Any, version: int, right: int, wrong: int, *, audit: bool = True) -> None:
    decisions = Decisions(client, "decisions", f"run-of-{version}-{audit}")
    for number in range(right + wrong):
        answer = Answer("brakes" if number < right else "engine", f"t{number}")
        decisions.decide(Asked(number, "brakes", version, audit=audit), answer, ANA)


def version_of(state: dict[str, Any]) -> int:
    return int(state["model"]["version"])


def test_a_broken_promise_is_told_with_the_next_file(live: Stack, table: Any) -> None:
    state = predicted(live, CLAIMS)
    decide(table, version_of(state), right=20, wrong=20)
    found = live.collect(state)
    (warning,) = [each for each in found["warnings"] if "The promise is broken" in each]
    assert warning.startswith("Of 40 rows that version")
    assert warning in found["message"]
    assert "The promise is broken" in live.read(found["report"]).decode()


@pytest.mark.parametrize(
    ("offset", "right", "audit"),
    [(0, 40, True), (1, 0, True), (0, 0, False)],
    ids=["it holds", "another version", "rows for review"],
)
def test_nothing_else_is_an_alarm(live: Stack, table: Any, offset: int, right: int, audit: bool) -> None:
    state = predicted(live, CLAIMS)
    decide(table, version_of(state) + offset, right, 40 - right, audit=audit)
    assert not any("promise" in each for each in live.collect(state)["warnings"])


def test_a_decision_that_was_taken_back_does_not_count(live: Stack, table: Any) -> None:
    state = predicted(live, CLAIMS)
    decide(table, version_of(state), right=0, wrong=40)
    decisions = Decisions(table, "decisions", f"run-of-{version_of(state)}-True")
    for number in range(40):
        asked = Asked(number, "brakes", version_of(state), audit=True)
        decisions.decide(asked, Answer(None, f"back {number}", 1), ANA)
    assert not any("promise" in each for each in live.collect(state)["warnings"])


def test_what_is_changed_after_it_was_told_how_sure_the_model_was_does_not_count(
    live: Stack, table: Any
) -> None:
    state = predicted(live, CLAIMS)
    version = version_of(state)
    decide(table, version, right=0, wrong=40)
    decisions = Decisions(table, "decisions", f"run-of-{version}-True")
    for number in range(40):
        decisions.tell(number, 1)
        asked = Asked(number, "brakes", version, audit=True)
        decisions.decide(asked, Answer("brakes", f"later {number}", 1), ANA)
    assert any("The promise is broken" in each for each in live.collect(state)["warnings"])


def test_a_table_that_does_not_answer_fails_no_run(live: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down:
        def get_paginator(self, _: str) -> Any:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(aws, "dynamodb", Down)
    assert live.collect(predicted(live, CLAIMS))["rows"]


def test_a_table_that_hangs_keeps_no_result_waiting(live: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = aws.dynamodb().meta.config
    assert patience.retries["total_max_attempts"] * (patience.connect_timeout + patience.read_timeout) < 30
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{silent.getsockname()[1]}")
        short = aws._CONFIG_OF_EXTRAS.merge(Config(read_timeout=0.1))
        monkeypatch.setattr(aws, "dynamodb", lambda: boto3.client("dynamodb", config=short))
        assert live.collect(predicted(live, CLAIMS))["rows"]


def test_what_shows_drift_is_counted(live: Stack) -> None:
    found = live.collect(predicted(live, CLAIMS))
    manifest = live.json(found["manifest"])
    assert sum(manifest["by_category"].values()) == found["predicted"]
    assert 0 < found["mean_confidence"] < 1
    assert found["unlike_rows"] == manifest["unlike_rows"]
