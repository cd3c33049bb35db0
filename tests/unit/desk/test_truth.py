"""Is it still true? The page says what people found of accepted rows, beside what was promised."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from desk.truth import total_variation
from tests.unit.workflow.fakes import PlayedStepFunctions, add_model
from tests.unit.workflow.histories import recorded
from workflow.account import Account
from workflow.decisions import Answer, Asked, Decisions, Person

ANA = Person("ana", "window-1")


def audited(account: Account, right: int, wrong: int) -> None:
    """Decide accepted rows of version 1."""
    decisions = Decisions(account.dynamodb, "decisions", "predict-x")
    for number in range(right + wrong):
        found = "Brakes" if number < right else "Engine"
        decisions.decide(Asked(number, "Brakes", 1, audit=True), Answer(found, f"t{number}"), ANA)


def with_promise(account: Account, target: float) -> None:
    card = {"acceptance": {"target_precision": target, "coverage": 0.9}}
    account.s3.put_object(Bucket="artifacts", Key="card.json", Body=json.dumps(card).encode())
    add_model(account, 0.95, card="s3://artifacts/card.json")


def test_before_anybody_looked_the_page_says_how_it_begins(browser: TestClient) -> None:
    page = browser.get("/truth").text
    assert "Nobody has decided an accepted row yet" in page
    assert "No file has been labelled yet" in page


def test_a_promise_that_holds_is_shown_with_its_interval(browser: TestClient, account: Account) -> None:
    with_promise(account, 0.95)
    audited(account, right=60, wrong=1)
    page = browser.get("/truth").text
    assert "Of 61 rows that version 1 had accepted and people looked at, 98.4% are right" in page
    assert '<span class="state holds">holds</span>' in page
    assert 'role="alert">Of' not in page
    assert page.count('class="interval"') == 1


def test_a_broken_promise_is_an_alarm(browser: TestClient, account: Account) -> None:
    with_promise(account, 0.95)
    audited(account, right=40, wrong=20)
    page = browser.get("/truth").text
    assert 'role="alert">Of 60 rows' in page
    assert "The promise is broken" in page


def test_after_a_roll_back_the_page_speaks_of_the_version_that_is_live(
    browser: TestClient, account: Account
) -> None:
    with_promise(account, 0.95)
    audited(account, right=60, wrong=0)
    with_promise(account, 0.95)
    decisions = Decisions(account.dynamodb, "decisions", "predict-y")
    for number in range(40):
        decisions.decide(Asked(number, "Brakes", 2, audit=True), Answer("Engine", f"y{number}"), ANA)
    assert "The promise is broken" in browser.get("/truth").text
    browser.post("/api/models", json={"version": 2, "verdict": "reject"})
    page = browser.get("/truth").text
    assert "Of 60 rows that version 1 had accepted" in page
    assert "The promise is broken" not in page


def test_a_labelled_file_stands_beside_what_its_model_was_measured_on(
    browser: TestClient, account: Account, machine: PlayedStepFunctions
) -> None:
    machine.add("predict-claims-1", "predicted")
    output: dict[str, Any] = json.loads(recorded("predicted")[0]["output"])
    bucket, key = output["results"]["manifest"].removeprefix("s3://").split("/", 1)
    if bucket != "results":
        account.s3.create_bucket(Bucket=bucket)
    body = json.dumps({"by_category": {"Leak": 3, "Noise": 1}}).encode()
    account.s3.put_object(Bucket=bucket, Key=key, Body=body)
    add_model(account, 0.9)
    with_promise(account, 0.95)  # of version 2, which labelled
    evaluation = {"per_class": [{"label": "Leak", "support": 50}, {"label": "Noise", "support": 50}]}
    account.s3.put_object(
        Bucket="results", Key="train-x/evaluation.json", Body=json.dumps(evaluation).encode()
    )
    page = browser.get("/truth").text
    assert "/runs/predict-claims-1" in page
    assert "25.0%" in page  # half of the rows against three quarters
    assert "of 90.0%" in page


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ({"a": 1}, {"a": 7}, 0.0),
        ({"a": 1}, {"b": 1}, 1.0),
        ({"a": 3, "b": 1}, {"a": 1, "b": 1}, 0.25),
    ],
)
def test_the_drift_is_the_share_of_rows_that_would_have_to_change(
    one: dict[str, int], other: dict[str, int], distance: float
) -> None:
    assert total_variation(one, other) == pytest.approx(distance)
