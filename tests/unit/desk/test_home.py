"""The first page: files are dropped and runs are listed."""

import json
import threading

import pytest
from starlette.testclient import TestClient

from desk import desk, home
from tests.unit.workflow import fakes
from tests.unit.workflow.fakes import PlayedStepFunctions
from tests.unit.workflow.histories import recorded
from workflow.account import Account
from workflow.decisions import Answer, Asked, Decisions, Person

CLAIMS = b"description,category\nit leaks,Leak\n"


def upload(browser: TestClient, name: str, action: str = "predict", body: bytes = CLAIMS) -> tuple[int, str]:
    answer = browser.post("/api/upload", params={"name": name, "action": action}, content=body)
    document = answer.json()
    return answer.status_code, document.get("run") or document["error"]


def objects(account: Account) -> list[str]:
    return [each["Key"] for each in account.s3.list_objects_v2(Bucket="uploads").get("Contents", [])]


def test_before_anything_ran_the_page_says_what_to_do(browser: TestClient) -> None:
    assert "Train a model first" in browser.get("/").text


@pytest.mark.parametrize("action", ["predict", "train"])
def test_a_dropped_file_is_uploaded_as_it_is_and_starts_a_run(
    browser: TestClient, account: Account, machine: PlayedStepFunctions, action: str
) -> None:
    status, run = upload(browser, "Mai (2) ä.csv", action)
    assert status == 200
    (started,) = machine.started
    assert started["name"] == run
    assert started["input"]["action"] == action
    bucket, key = started["input"]["data"].removeprefix("s3://").split("/", 1)
    assert key.endswith("/Mai (2) ä.csv")
    assert account.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == CLAIMS


def test_the_words_that_decide_are_asked_for_with_the_stacks_own_configuration(
    browser: TestClient, account: Account, machine: PlayedStepFunctions
) -> None:
    account.s3.put_object(Bucket="uploads", Key="config/config.json", Body=b'{"audit_share": 0.1}')
    query = {"name": "claims.csv", "action": "predict", "explain": "true"}
    assert browser.post("/api/upload", params=query, content=CLAIMS).status_code == 200
    (started,) = machine.started
    assert started["input"]["config"] == {"audit_share": 0.1, "explain": True}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../x.csv", "cannot be used"),
        ("a/b.csv", "cannot be used"),
        ("a\\b.csv", "cannot be used"),
        ("..", "cannot be used"),
        ("", "cannot be used"),
        ("a\x00.csv", "cannot be used"),
        ("x" * 300 + ".csv", "cannot be used"),
        ("claims.pdf", "is no file with rows"),
        ("claims", "is no file with rows"),
    ],
)
def test_a_name_that_leads_elsewhere_or_is_no_tables_is_refused_in_a_sentence(
    browser: TestClient, account: Account, machine: PlayedStepFunctions, name: str, said: str
) -> None:
    status, sentence = upload(browser, name)
    assert status == 400
    assert said in sentence
    assert not machine.started
    assert objects(account) == []


def test_an_empty_file_is_refused(browser: TestClient) -> None:
    assert upload(browser, "claims.csv", body=b"") == (
        400,
        "claims.csv is empty: it needs a header line and rows.",
    )


def test_a_file_that_is_too_large_is_refused_before_it_is_stored(
    browser: TestClient, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "MOST_UPLOADED", 10)
    status, sentence = upload(browser, "claims.csv")
    assert status == 400
    assert "cut it into several files" in sentence
    assert objects(account) == []


def test_what_else_is_to_be_done_with_a_file_is_refused(browser: TestClient) -> None:
    assert upload(browser, "claims.csv", action="delete")[0] == 400


def test_the_runs_are_listed_newest_first_with_their_figures(
    browser: TestClient, machine: PlayedStepFunctions
) -> None:
    machine.add("train-claims-1", "trained")
    machine.add("predict-claims-2", "predicted")
    page = browser.get("/").text
    assert page.index("/runs/predict-claims-2") < page.index("/runs/train-claims-1")
    assert "/runs/predict-claims-2/review" in page
    assert "/runs/train-claims-1/review" not in page


def test_older_runs_are_on_further_pages(
    browser: TestClient, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "RECENT", 2)
    monkeypatch.setattr(desk, "RECENT", 2)
    for number in range(3):
        machine.add(f"train-claims-{number}", "trained")
    page = browser.get("/").text
    assert ("/runs/train-claims-2" in page, "/runs/train-claims-0" in page) == (True, False)
    assert 'href="/?from=2"' in page
    older = browser.get("/?from=2").text
    assert ("/runs/train-claims-2" in older, "/runs/train-claims-0" in older) == (False, True)
    assert 'data-live="/api/runs?from=2"' in older
    assert "Older ones" not in older
    assert "The newest ones" in older
    assert "Nothing older ran" in browser.get("/?from=4").text
    assert browser.get("/?from=-1").status_code == 200


def test_the_rows_that_are_left_to_decide_stand_beside_each_file(
    browser: TestClient, account: Account, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "COUNTED_SECONDS", -1)
    monkeypatch.setattr(desk, "PAUSE", -1)
    monkeypatch.setattr(desk, "WAITED_SECONDS", None)
    folder = with_queue(machine, monkeypatch, queue_rows=3)
    decide(account, folder, 0)
    assert "2 left" in browser.get("/").text
    decide(account, folder, 1)
    assert "1 left" in browser.get("/api/runs").text
    decide(account, folder, 2)
    assert "all decided" in browser.get("/").text


def test_what_was_decided_is_not_counted_at_each_look(
    browser: TestClient, account: Account, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "WAITED_SECONDS", None)
    folder = with_queue(machine, monkeypatch, queue_rows=3)
    assert "3 left" in browser.get("/").text
    decide(account, folder, 0)
    assert "3 left" in browser.get("/api/runs").text


def test_the_files_are_listed_while_what_was_decided_is_still_being_counted(
    browser: TestClient, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = threading.Event()
    monkeypatch.setattr(Decisions, "count", lambda _: counted.wait() and 1)
    with_queue(machine, monkeypatch, queue_rows=3)
    page = browser.get("/").text
    assert "/runs/predict-claims-2/review" in page
    assert " left" not in page
    counted.set()
    monkeypatch.setattr(desk, "WAITED_SECONDS", None)
    assert "2 left" in browser.get("/api/runs").text


def test_the_files_are_listed_though_the_decisions_cannot_be_read(
    browser: TestClient, account: Account, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_queue(machine, monkeypatch, queue_rows=3)
    account.dynamodb.delete_table(TableName="decisions")
    page = browser.get("/")
    assert page.status_code == 200
    assert "/runs/predict-claims-2/review" in page.text


def with_queue(machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch, queue_rows: int) -> str:
    """Let a run have labelled a file whose queue has so many rows, and return the run's folder."""
    machine.add("predict-claims-2", "predicted")
    description, events = recorded("predicted")
    output = json.loads(description["output"])
    output["results"]["queue_rows"] = queue_rows
    changed = {**description, "output": json.dumps(output)}
    monkeypatch.setattr(fakes, "recorded", lambda _: (changed, events))
    return str(output["run"]["results"].rsplit("/", 1)[-1])


def decide(account: Account, folder: str, number: int) -> None:
    asked = Asked(number, "Brakes", 1, audit=False)
    answer, person = Answer("Engine", f"token-{number}"), Person("ana", "window-1")
    Decisions(account.dynamodb, "decisions", folder).decide(asked, answer, person)


def test_a_run_that_ended_is_read_once(browser: TestClient, machine: PlayedStepFunctions) -> None:
    machine.add("train-claims-1", "trained")
    machine.add("predict-claims-2", "predicted")
    machine.running.add("predict-claims-2")
    asked: list[str] = []
    describe = machine.describe_execution

    def counted(*, executionArn: str) -> dict[str, object]:  # noqa: N803  as AWS names it
        asked.append(executionArn.rsplit(":", 1)[-1])
        return describe(executionArn=executionArn)

    machine.describe_execution = counted  # type: ignore[method-assign]
    for _ in range(3):
        browser.get("/api/runs")
    assert asked.count("train-claims-1") == 1
    assert asked.count("predict-claims-2") == 3
