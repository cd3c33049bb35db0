"""The pages of the models: what is live, another target, the suspects of a training, trying a text."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from contract import keys
from tests.unit.workflow.fakes import PlayedStepFunctions, add_model
from tests.unit.workflow.test_classify import SAVED, register
from workflow import retraining
from workflow.account import Account
from workflow.decisions import Decisions

TRAINED = "train-x"
TARGETS = [
    {"target_precision": 0.9, "threshold": 0.4, "coverage": 0.97, "precision": 0.93, "chances": []},
    {"target_precision": 0.98, "threshold": 0.9, "coverage": 0.7, "precision": 0.985, "chances": []},
]
CARD: dict[str, Any] = {
    "acceptance": {"target_precision": 0.98, "threshold": 0.9, "coverage": 0.7, "targets": TARGETS}
}


def put(account: Account, key: str, body: str, bucket: str = "results") -> None:
    account.s3.put_object(Bucket=bucket, Key=key, Body=body.encode())


def statuses(account: Account) -> dict[int, str]:
    listed = account.sagemaker.list_model_packages(ModelPackageGroupName="claimflow-models")
    return {
        each["ModelPackageVersion"]: each["ModelApprovalStatus"] for each in listed["ModelPackageSummaryList"]
    }


def test_without_a_model_the_page_says_what_to_do(browser: TestClient) -> None:
    assert "There is no model yet" in browser.get("/models").text


def test_the_versions_stand_with_their_figures_and_the_live_one_with_other_targets(
    browser: TestClient, account: Account
) -> None:
    put(account, "runs/x/card.json", json.dumps(CARD), "artifacts")
    add_model(account, 0.9)
    add_model(account, 0.95, card="s3://artifacts/runs/x/card.json")
    page = browser.get("/models").text
    assert page.index("95.0%") < page.index("90.0%", page.index("Versions</h2>"))
    assert '<span class="state live">live</span>' in page
    assert "97.0%" in page  # accepted at 0.90
    assert "70.0%" in page  # at 0.98
    assert "/models/compare?one=1&amp;other=2" in page


def test_a_version_is_rejected_and_the_one_before_is_live_again(
    browser: TestClient, account: Account
) -> None:
    add_model(account, 0.9)
    add_model(account, 0.95)
    answer = browser.post("/api/models", json={"version": 2, "verdict": "reject"})
    assert answer.json() == {"live": 1}
    assert statuses(account) == {1: "Approved", 2: "Rejected"}
    assert browser.post("/api/models", json={"version": 2, "verdict": "approve"}).json() == {"live": 2}


@pytest.mark.parametrize("sent", [{"version": 9, "verdict": "reject"}, {"version": 1, "verdict": "delete"}])
def test_what_cannot_be_done_with_a_version_is_refused(
    browser: TestClient, account: Account, sent: dict[str, Any]
) -> None:
    add_model(account, 0.9)
    assert browser.post("/api/models", json=sent).status_code == 400
    assert statuses(account) == {1: "Approved"}


def test_another_target_is_a_run_of_the_state_machine(
    browser: TestClient, machine: PlayedStepFunctions
) -> None:
    answer = browser.post("/api/models/target", json={"target": 0.9})
    (started,) = machine.started
    assert answer.json() == {"run": started["name"]}
    assert started["input"]["target_precision"] == 0.9


@pytest.mark.parametrize("target", [0.2, 1, 1.5, "0.9", None])
def test_what_is_no_target_is_refused(
    browser: TestClient, machine: PlayedStepFunctions, target: object
) -> None:
    assert browser.post("/api/models/target", json={"target": target}).status_code == 400
    assert not machine.started


def test_two_reports_stand_side_by_side(browser: TestClient, account: Account) -> None:
    add_model(account, 0.9)
    add_model(account, 0.95)
    page = browser.get("/models/compare?one=1&other=2").text
    assert page.count('sandbox=""') == 2
    assert browser.get("/models/compare?one=1&other=9").status_code == 400


def test_the_suspects_of_a_training_are_decided_like_rows(browser: TestClient, account: Account) -> None:
    put(account, f"{TRAINED}/evaluation.json", json.dumps({"labels": ["Leak", "Noise", "Display"]}))
    lines = "line,text,label,likely_label,chance\n7,it drips,Noise,Leak,0.01\n3,it hums,Leak,Noise,0.02\n"
    put(account, f"{TRAINED}/claims.suspects.csv", "\ufeff" + lines)
    assert "labels that are probably wrong" in browser.get(f"/suspects/{TRAINED}/review").text
    address = f"/api/suspects/{TRAINED}"
    row = browser.post(f"{address}/next", json={"window": "window-1"}).json()["row"]
    assert (row["line"], row["text"], row["given"]) == (7, "it drips", "Noise")
    assert row["candidates"] == ["Leak", "Noise"]
    sent = {"window": "window-1", "number": 0, "category": "Leak", "token": "token-12"}
    assert browser.post(f"{address}/decide", json=sent).json()["left"] == 1
    (made,) = Decisions(account.dynamodb, "decisions", keys.suspects_of(TRAINED)).all()
    assert (made.number, made.category, made.audit) == (0, "Leak", False)
    assert list(Decisions(account.dynamodb, "decisions", TRAINED).all()) == []


def test_a_training_without_suspects_says_so(browser: TestClient) -> None:
    answer = browser.get(f"/suspects/{TRAINED}/review")
    assert answer.status_code == 400
    assert "found no label that is probably wrong" in answer.text


def test_a_text_is_labelled_by_the_live_model_and_explained(
    browser: TestClient, account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    register(account, SAVED.read_bytes())
    answer = browser.post("/api/try", json={"text": "the pump leaks"}).json()
    assert answer["category"]
    assert answer["facts"][0][0] == "confidence"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_without_a_text_there_is_nothing_to_label(browser: TestClient, text: str) -> None:
    answer = browser.post("/api/try", json={"text": text})
    assert answer.json() == {"error": "There is no text: type one first."}


def test_without_a_live_model_a_text_is_refused_in_a_sentence(browser: TestClient) -> None:
    answer = browser.post("/api/try", json={"text": "it leaks"})
    assert answer.status_code == 400
    assert "There is no model yet" in answer.json()["error"]


def test_to_train_again_without_a_model_is_refused_in_a_sentence(
    browser: TestClient, machine: PlayedStepFunctions
) -> None:
    answer = browser.post("/api/models/retrain", json={})
    assert answer.status_code == 400
    assert "There is no model yet" in answer.json()["error"]
    assert not machine.started


def test_to_train_again_starts_what_was_planned(
    browser: TestClient, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = {"action": "train", "data": ["s3://uploads/a.csv", "s3://uploads/decided.jsonl"]}
    planned = retraining.Retraining(request, version=1, rows=7, left_out=0)  # type: ignore[arg-type]
    monkeypatch.setattr(retraining, "plan", lambda *_: planned)
    answer = browser.post("/api/models/retrain", json={})
    (started,) = machine.started
    assert answer.json()["run"] == started["name"]
    assert answer.json()["said"] == "The files of model version 1 and 7 rows that people decided."
    assert started["input"]["data"] == request["data"]


def test_a_version_shows_what_it_was_made_of(browser: TestClient, account: Account) -> None:
    add_model(account, 0.9)
    assert "an older version of Claimflow made it" in browser.get("/models/1").text
    assert browser.get("/models/2").status_code == 404
