"""What people decide, on the local AWS: no decision is lost or doubled, and the final file has them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from tests.workflow.claims import as_csv, rows
from tests.workflow.stack import Stack, output_of
from workflow.decisions import Answer, Asked, Decision, Decisions, NotYoursError, Person

ANA = Person("ana", "window-1")


@pytest.fixture
def results(live: Stack) -> dict[str, Any]:
    """Return what a prediction of sure and unsure rows leaves."""
    data = live.upload("requests/decided.csv", as_csv(rows(60, seed=80) + rows(60, seed=81, noise=True)))
    left: dict[str, Any] = output_of(live.run({"action": "predict", "data": data}))["results"]
    live.notifications(expected=1)
    return left


def read_queue(stack: Stack, results: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the index of the queue, and its rows as its pages have them."""
    index: dict[str, Any] = json.loads(
        stack.read(json.loads(stack.read(results["manifest"]))["files"]["queue"])
    )
    bucket, key = index["rows"].removeprefix("s3://").split("/", 1)
    found = []
    for page in index["pages"]:
        last = page["offset"] + page["size"] - 1
        body = stack.client("s3").get_object(Bucket=bucket, Key=key, Range=f"bytes={page['offset']}-{last}")
        found += [json.loads(line) for line in body["Body"].read().splitlines()]
    return index, found


@pytest.mark.aws
def test_a_queue_is_read_page_by_page_decided_and_ends_in_a_final_file(
    live: Stack, results: dict[str, Any], tmp_path: Path
) -> None:
    index, queued = read_queue(live, results)
    assert index["to_review"] == results["review_rows"] == sum(not each["audit"] for each in queued)
    assert len(queued) == index["to_review"] + index["audits"]
    decisions = Decisions(live.client("dynamodb"), live.outputs["DecisionsTable"], index["run"])
    to_decide = [each for each in queued if not each["audit"]][:3]
    for each in to_decide:
        asked = Asked(each["number"], each["prediction"], index["model"], audit=each["audit"])
        decisions.decide(asked, Answer("battery", f"token-{each['number']}"), ANA)
    said = live.command(
        "claimflow", "--local", "--stack", live.name, "final", index["run"], "--to", str(tmp_path)
    ).stdout
    assert f"{len(to_decide)} decided by people" in said
    with (tmp_path / "decided.final.csv").open(encoding="utf-8-sig", newline="") as file:
        final = list(csv.DictReader(file))
    assert len(final) == results["rows"]
    by_people = {number for number, row in enumerate(final) if row["decided_by"] == "ana"}
    assert by_people == {each["number"] for each in to_decide}
    assert all(row["category"] == row["prediction"] for row in final if row["decided_by"] == "model")


def test_of_many_who_decide_one_row_at_once_one_succeeds_and_the_others_are_told(live: Stack) -> None:
    people = [Person(f"p{n}", f"w{n}") for n in range(12)]
    made: list[Decision] = []
    told: list[str] = []
    begin = Barrier(len(people))

    def decide(person: Person) -> None:
        decisions = Decisions(live.client("dynamodb"), live.outputs["DecisionsTable"], "run-of-many")
        begin.wait()
        try:
            answer = Answer(person.name, person.window)
            made.append(decisions.decide(Asked(7, "engine", 1, audit=False), answer, person))
        except NotYoursError as error:
            told.append(str(error))

    threads = [Thread(target=decide, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (decision,) = made
    assert decision.revision == 1
    assert len(told) == len(people) - 1
    assert all(f"{decision.category} has decided this row meanwhile" in sentence for sentence in told)


def test_a_broken_promise_is_told_by_the_audit_and_with_the_next_file(live: Stack) -> None:
    version = max(each["ModelPackageVersion"] for each in live.packages("Approved"))
    table = live.outputs["DecisionsTable"]
    decisions = Decisions(live.client("dynamodb"), table, "run-of-a-broken-promise")
    for number in range(60):
        asked = Asked(number, "engine", version, audit=True)
        decisions.decide(asked, Answer("battery", f"token-{number}"), ANA)
    try:
        said = live.command("claimflow", "--local", "--stack", live.name, "audit").stdout
        assert "The promise is broken" in said
        data = live.upload("requests/next.csv", as_csv(rows(40, seed=82)))
        results = output_of(live.run({"action": "predict", "data": data}))["results"]
        assert any("The promise is broken" in each for each in results["warnings"])
        (message,) = live.notifications(expected=1)
        assert "The promise is broken" in str(message)
    finally:
        for number in range(60):
            key = {"run": {"S": "run-of-a-broken-promise"}, "number": {"N": str(number)}}
            live.client("dynamodb").delete_item(TableName=table, Key=key)
