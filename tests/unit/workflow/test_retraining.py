"""Retraining: from the live model's files and what people decided to the request that trains anew."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from contract import keys
from contract.columns import SUSPECT
from contract.queue import NONE_OF_THESE, SCHEMA
from contract.spreadsheet import csv_line, harmless
from tests.unit.workflow.fakes import PlayedStepFunctions, add_model
from workflow import decided, decisions, retraining, stack
from workflow.account import Account
from workflow.cli import app
from workflow.decided import DecidedRow
from workflow.decisions import Answer, Asked, Decisions, Person
from workflow.errors import CommandError
from workflow.runs import Run

FOLDER = "s3://artifacts/models/x/j"
LATER = 4_000_000_000.0  # after every file that the test writes
NOW = datetime(2024, 3, 1, tzinfo=UTC)
CONFIG = {"seed": 7, "text_column": None}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time at which the next decision is made; each is made a second after the one before."""
    at = [LATER]

    def tick() -> float:
        at[0] += 1
        return at[0]

    monkeypatch.setattr(decisions.time, "time", tick)
    return at


def put(account: Account, uri: str, content: bytes) -> dict[str, Any]:
    """Write an object and return it as a lineage names it."""
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    made = account.s3.put_object(Bucket=bucket, Key=key, Body=content)
    etag, version = made["ETag"].strip('"'), made.get("VersionId")
    return {"uri": uri, "version": version, "etag": etag, "size": len(content), "sha256": "ab"}


def make_live(
    account: Account,
    files: list[dict[str, Any]],
    until: str | None = None,
    config: dict[str, Any] = CONFIG,
) -> None:
    """Make a model live that learned from files, the last of which has decisions `until` then."""
    made_of = {
        "files": files,
        "decisions": {"until": until, "file": files[-1]["uri"]} if until else None,
        "config": config,
    }
    card = {"text_column": "complaint", "label_column": "topic", "acceptance": None}
    put(account, f"{FOLDER}/lineage.json", json.dumps(made_of).encode())
    put(account, f"{FOLDER}/card.json", json.dumps(card).encode())
    add_model(account, 0.9, archive=f"{FOLDER}/output/model.tar.gz", card=f"{FOLDER}/card.json")


def queue(account: Account, run: str, texts: list[str]) -> None:
    """Leave a run's queue as collect does."""
    rows = [{"number": number, "cells": [f"C-{number}", text]} for number, text in enumerate(texts)]
    uri = f"s3://results/{run}/{keys.QUEUE_ROWS}"
    put(account, uri, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    index = {"schema": SCHEMA, "text": 1, "rows": uri}
    put(account, f"s3://results/{run}/{keys.QUEUE_INDEX}", json.dumps(index).encode())


def decide(account: Account, run: str, number: int, category: str | None, revision: int = 0) -> None:
    answer = Answer(category, f"{run}-{number}-{revision}", revision)
    asked = Asked(number, "engine", 1, audit=False)
    Decisions(account.dynamodb, "decisions", run).decide(asked, answer, Person("ana", "window"))


@pytest.fixture
def old(account: Account) -> dict[str, Any]:
    """Return a labelled file from which a live model was trained; a newer version of it is there."""
    first = put(account, "s3://uploads/train/old.csv", b"complaint,topic\nx,engine\n")
    put(account, "s3://uploads/train/old.csv", b"something else")
    make_live(account, [first])
    return first


def plan(account: Account) -> retraining.Retraining:
    return retraining.plan(account, stack.read_stack(account))


def learned(account: Account, planned: retraining.Retraining) -> list[DecidedRow]:
    """Return the rows of the file of decided rows that a request names."""
    uri, version = planned.request["data"][-1], planned.request["version"][-1]  # type: ignore[index]
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    body = account.s3.get_object(Bucket=bucket, Key=key, VersionId=str(version))["Body"].read()
    return list(decided.read(body.splitlines()))


def labels(account: Account, planned: retraining.Retraining) -> dict[str, str | None]:
    return {row.text: row.label for row in learned(account, planned)}


def test_it_trains_from_the_files_of_the_live_model_in_their_versions_and_from_the_decisions(
    account: Account, old: dict[str, Any]
) -> None:
    queue(account, "run-1", ["it squeals", "it smokes", "it leaks"])
    decide(account, "run-1", 0, "brakes")
    decide(account, "run-1", 2, "engine")
    planned = plan(account)
    request = planned.request
    assert (request["action"], request["config"], planned.version, planned.rows) == ("train", CONFIG, 1, 2)
    assert (request["data"][0], request["version"][0]) == (old["uri"], old["version"])  # type: ignore[index]
    assert labels(account, planned) == {"it squeals": "brakes", "it leaks": "engine"}
    assert request["decided_until"] == max(row.at for row in learned(account, planned))


def test_the_decided_rows_have_the_columns_that_the_model_learned_from(
    account: Account, old: dict[str, Any]
) -> None:
    queue(account, "run-1", ['say "x",\r\n\u2028y', "b"])
    decide(account, "run-1", 0, "brakes")
    uri = plan(account).request["data"][-1]
    key = uri.removeprefix("s3://uploads/")
    (line,) = account.s3.get_object(Bucket="uploads", Key=key)["Body"].read().splitlines()
    found = json.loads(line)
    assert list(found) == ["complaint", "topic", "decided_run", "decided_row", "decided_at"]
    assert (found["complaint"], found["topic"], found["decided_run"]) == (
        'say "x",\r\n\u2028y',
        "brakes",
        "run-1",
    )


def test_a_text_that_was_decided_several_times_counts_once_with_the_last_decision(
    account: Account, old: dict[str, Any]
) -> None:
    queue(account, "run-1", ["It squeals", "it smokes"])
    queue(account, "run-2", ["it  SQUEALS"])
    decide(account, "run-1", 0, "brakes")
    decide(account, "run-1", 1, "engine")
    decide(account, "run-2", 0, "wheels")
    assert labels(account, plan(account)) == {"it smokes": "engine", "it  SQUEALS": "wheels"}


def test_of_a_row_that_was_decided_anew_the_last_decision_counts_and_one_taken_back_does_not(
    account: Account, old: dict[str, Any]
) -> None:
    queue(account, "run-1", ["a", "b"])
    for number in (0, 1):
        decide(account, "run-1", number, "brakes")
    decide(account, "run-1", 0, "engine", revision=1)
    decide(account, "run-1", 1, None, revision=1)
    assert labels(account, plan(account)) == {"a": "engine"}


def test_what_was_decided_before_the_newest_file_was_written_is_left_to_that_file(
    account: Account, old: dict[str, Any], clock: list[float]
) -> None:
    queue(account, "run-1", ["a", "b"])
    clock[0] = 1_000_000_000
    decide(account, "run-1", 0, "brakes")
    clock[0] = LATER
    decide(account, "run-1", 1, "brakes")
    assert labels(account, plan(account)) == {"b": "brakes"}


@pytest.mark.parametrize("taken_back", [False, True])
def test_without_a_decision_since_then_it_ends_in_one_sentence(
    account: Account, old: dict[str, Any], machine: PlayedStepFunctions, taken_back: bool
) -> None:
    if taken_back:
        queue(account, "run-1", ["a"])
        decide(account, "run-1", 0, "brakes")
        decide(account, "run-1", 0, None, revision=1)
    result = CliRunner().invoke(app, ["retrain"])
    assert result.exit_code == 1
    assert result.stderr == (
        "Nothing was decided since model version 1 was trained: decide rows of a file with "
        "`claimflow review`, and retrain then.\n"
    )
    assert machine.started == []


def retrained(account: Account, old: dict[str, Any]) -> retraining.Retraining:
    """Retrain once, make the result live, and return what it was made from."""
    planned = plan(account)
    uri, version = planned.request["data"][-1], planned.request["version"][-1]  # type: ignore[index]
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    etag = account.s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
    made = {"uri": uri, "version": version, "etag": etag}
    make_live(account, [old, made], planned.request["decided_until"])
    return planned


def test_a_second_retraining_takes_one_file_of_all_decisions(account: Account, old: dict[str, Any]) -> None:
    queue(account, "run-1", ["a", "b"])
    decide(account, "run-1", 0, "brakes")
    retrained(account, old)
    decide(account, "run-1", 1, "engine")
    planned = plan(account)
    assert planned.version == 2
    assert planned.request["data"][:-1] == [old["uri"]]
    assert labels(account, planned) == {"a": "brakes", "b": "engine"}


def test_what_a_retrained_model_learned_is_nothing_new(account: Account, old: dict[str, Any]) -> None:
    queue(account, "run-1", ["a"])
    decide(account, "run-1", 0, "brakes")
    retrained(account, old)
    with pytest.raises(CommandError, match="Nothing was decided since model version 2 was trained"):
        plan(account)


def test_decisions_go_on_though_the_results_of_their_run_are_gone(
    account: Account, old: dict[str, Any]
) -> None:
    queue(account, "run-1", ["a"])
    queue(account, "run-2", ["b"])
    decide(account, "run-1", 0, "brakes")
    retrained(account, old)
    account.s3.delete_object(Bucket="results", Key=f"run-1/{keys.QUEUE_INDEX}")
    decide(account, "run-2", 0, "engine")
    assert labels(account, plan(account)) == {"a": "brakes", "b": "engine"}


def test_a_decision_that_was_changed_or_taken_back_changes_what_was_learned(
    account: Account, old: dict[str, Any]
) -> None:
    queue(account, "run-1", ["a", "b", "c"])
    for number in range(3):
        decide(account, "run-1", number, "brakes")
    retrained(account, old)
    decide(account, "run-1", 0, "engine", revision=1)
    decide(account, "run-1", 1, None, revision=1)
    assert labels(account, plan(account)) == {"c": "brakes", "a": "engine"}


def test_a_decision_by_a_clock_that_is_slow_is_not_lost(
    account: Account, old: dict[str, Any], clock: list[float]
) -> None:
    queue(account, "run-1", ["a", "b"])
    decide(account, "run-1", 0, "brakes")
    retrained(account, old)
    clock[0] -= 10 * 60
    decide(account, "run-1", 1, "engine")
    assert labels(account, plan(account)) == {"a": "brakes", "b": "engine"}


@pytest.mark.parametrize(("form", "columns"), [("csv", 5), ("csv", 6), ("xlsx", 5), ("xlsx", 6)])
def test_what_was_decided_of_the_suspects_of_a_training_is_learned_too(
    account: Account, old: dict[str, Any], form: str, columns: int
) -> None:
    rows = [("7", "it squeals", "engine", "brakes", "0.001"), ("9", "=1+1 smoke", "brakes", "engine", "0.02")]
    content = suspects_file([(*row, "old.csv")[:columns] for row in rows], form)
    put(account, f"s3://results/train-old/old.suspects.{form}", content)
    decide(account, keys.suspects_of("train-old"), 0, "brakes")
    decide(account, keys.suspects_of("train-old"), 1, "engine")
    assert labels(account, plan(account)) == {"it squeals": "brakes", "=1+1 smoke": "engine"}


def suspects_file(rows: list[tuple[str, ...]], form: str) -> bytes:
    """Return the file that people get of the suspects of a training."""
    header = SUSPECT[: len(rows[0])]
    if form == "csv":
        lines = (csv_line(map(harmless, row)) for row in (header, *rows))
        return "".join(f"{line}\r\n" for line in lines).encode("utf-8-sig")
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (header, *rows):
        book.active.append(row)
        for cell in book.active[book.active.max_row]:
            cell.data_type = "s"
    book.save(file)
    return file.getvalue()


def test_what_belongs_to_none_of_the_categories_is_not_learned_and_counted(
    account: Account, old: dict[str, Any]
) -> None:
    queue(account, "run-1", ["a", "b", "A"])
    decide(account, "run-1", 0, "brakes")
    decide(account, "run-1", 1, "engine")
    decide(account, "run-1", 2, NONE_OF_THESE)  # the same text as the first, later
    planned = plan(account)
    assert labels(account, planned) == {"b": "engine"}
    assert retraining.sentence(account, planned) == (
        "The files of model version 1 and 1 row that people decided. 1 decision left out, as the rows belong "
        "to none of the categories."
    )


def test_where_all_rows_belong_to_none_of_the_categories_there_is_nothing_to_learn(
    account: Account, old: dict[str, Any]
) -> None:
    queue(account, "run-1", ["a"])
    decide(account, "run-1", 0, NONE_OF_THESE)
    with pytest.raises(CommandError, match="1 decision left out, as the rows belong to none"):
        plan(account)


def test_decisions_without_texts_are_counted(account: Account, old: dict[str, Any]) -> None:
    queue(account, "run-1", ["a"])
    decide(account, "run-1", 0, "brakes")
    decide(account, "run-gone", 0, "brakes")
    planned = plan(account)
    assert (planned.rows, planned.left_out) == (1, 1)
    assert retraining.sentence(account, planned) == (
        "The files of model version 1 and 1 row that people decided. 1 decision left out, as the results "
        "with the texts are gone."
    )


def test_decisions_from_before_the_newest_file_was_uploaded_are_counted(
    account: Account, old: dict[str, Any], clock: list[float]
) -> None:
    queue(account, "run-1", ["a", "b", "c"])
    clock[0] = 1_000_000_000.0
    decide(account, "run-1", 0, "brakes")
    decide(account, "run-1", 2, "brakes")
    decide(account, "run-1", 2, None, revision=1)
    with pytest.raises(CommandError, match=r"retrain then\. 1 decision left out, made before"):
        plan(account)
    clock[0] = LATER
    decide(account, "run-1", 1, "engine")
    said = retraining.sentence(account, plan(account))
    assert said.startswith("The files of model version 1 and 1 row that people decided. 1 decision left out,")
    assert "`claimflow final RUN`" in said
    retrained(account, old)
    clock[0] += 3600
    decide(account, "run-1", 2, "engine", revision=2)
    assert plan(account).older == 1


def test_a_model_of_as_many_files_as_there_may_be_is_refused_with_what_to_do(account: Account) -> None:
    files = [put(account, f"s3://uploads/train/{n}.csv", b"complaint,topic\nx,engine\n") for n in range(20)]
    make_live(account, files)
    queue(account, "run-1", ["a"])
    decide(account, "run-1", 0, "brakes")
    with pytest.raises(CommandError, match=r"learned from 20 files.*put some of them together, train once"):
        plan(account)
    make_live(account, files[:19])
    assert len(plan(account).request["data"]) == 20


def test_the_same_training_is_not_started_twice_while_it_goes_on(
    account: Account,
    old: dict[str, Any],
    machine: PlayedStepFunctions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue(account, "run-1", ["a", "b"])
    decide(account, "run-1", 0, "brakes")
    deployed = stack.read_stack(account)
    first = retraining.start(account, deployed, plan(account))
    name = machine.started[0]["name"]
    machine.running.add(name)
    going_on = Run(
        first, name, "RUNNING", NOW, None, None, None, data={"request": machine.started[0]["input"]}
    )
    monkeypatch.setattr(retraining.runs, "glances", lambda _, arns: [going_on] if arns else [])
    assert retraining.start(account, deployed, plan(account)) == first
    decide(account, "run-1", 1, "engine")
    assert retraining.start(account, deployed, plan(account)) != first
    assert len(machine.started) == 2


def test_a_file_that_is_gone_is_named(account: Account, old: dict[str, Any]) -> None:
    account.s3.delete_object(Bucket="uploads", Key="train/old.csv", VersionId=old["version"])
    with pytest.raises(
        CommandError, match=r"s3://uploads/train/old.csv, from which model version 1 was trained"
    ):
        plan(account)


def test_a_file_that_was_replaced_in_a_bucket_without_versions_is_named(account: Account) -> None:
    first = put(account, "s3://artifacts/old.csv", b"x")
    put(account, "s3://artifacts/old.csv", b"y")
    make_live(account, [{**first, "version": None}])
    with pytest.raises(CommandError, match="is not there any more in the version of then"):
        plan(account)


@pytest.mark.parametrize("content", [b"text,label\nx,y\n", b"[]\n", b'{"text": "x"}\n'])
def test_a_last_file_that_has_no_decided_rows_is_told(account: Account, content: bytes) -> None:
    files = [put(account, f"s3://uploads/{name}", content) for name in ("old.csv", "decided.jsonl")]
    make_live(account, files, until="2026-11-27T01:00:00+00:00")
    with pytest.raises(CommandError, match=r"decided.jsonl is not a file of decided rows"):
        plan(account)


def test_a_model_without_lineage_says_what_to_do(account: Account) -> None:
    add_model(account, 0.9, archive=f"{FOLDER}/output/model.tar.gz")
    with pytest.raises(
        CommandError, match="train once more with `claimflow train FILE`, and retrain from then"
    ):
        plan(account)


def test_without_a_live_model_there_is_nothing_to_retrain(account: Account) -> None:
    with pytest.raises(CommandError, match="There is no model yet"):
        plan(account)


def test_keys_that_the_configuration_had_once_and_has_no_more_are_left_out(
    account: Account, old: dict[str, Any]
) -> None:
    make_live(account, [old], config=CONFIG | {"ngram_of_before": 3})
    queue(account, "run-1", ["a"])
    decide(account, "run-1", 0, "brakes")
    assert plan(account).request["config"] == CONFIG


def test_the_command_says_what_is_learned_and_starts_the_run(
    account: Account, old: dict[str, Any], machine: PlayedStepFunctions
) -> None:
    queue(account, "run-1", ["a"])
    decide(account, "run-1", 0, "brakes")
    result = CliRunner().invoke(app, ["retrain", "--no-wait"])
    assert result.exit_code == 0, result.output
    assert "The files of model version 1 and 1 row that people decided." in result.output
    (started,) = machine.started
    started["input"].pop("started_by", None)
    assert started["input"] == plan(account).request
