"""The commands, as a person types them: what they print, what they do, with which exit code they end."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, WaiterError
from rich.console import Console
from typer.testing import CliRunner, Result

from contract.lineage import Lineage
from contract.state import State
from tests.unit.workflow.fakes import (
    OUTPUTS,
    FakeCloudFormation,
    FakeRegistry,
    PlayedStepFunctions,
    add_model,
)
from workflow import cli, display, programs, records, runs, stack, submission
from workflow.account import Account
from workflow.errors import NOT_RUNNING


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs.time, "sleep", lambda _: None)


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    path = tmp_path / "my claims.csv"
    path.write_text("description,category\nit leaks,Leak\n")
    return path


def claimflow(*arguments: object, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli.app, [str(each) for each in arguments], input=typed)


def put(account: Account, key: str, body: str = "x") -> None:
    account.s3.put_object(Bucket="results", Key=key, Body=body.encode())


@pytest.fixture(autouse=True)
def consoles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the consoles write where CliRunner listens."""
    monkeypatch.setattr(display.console, "_file", None)
    monkeypatch.setattr(display.stderr, "_file", None)


# Training and predicting


def test_train_uploads_the_file_and_starts_a_run_with_that_version(
    account: Account, machine: PlayedStepFunctions, claims: Path
) -> None:
    result = claimflow("train", claims, "--no-wait")
    assert result.exit_code == 0, result.output
    (started,) = machine.started
    request = started["input"]
    bucket, _, key = request["data"].removeprefix("s3://").partition("/")
    kept = account.s3.get_object(Bucket=bucket, Key=key, VersionId=request["version"])["Body"].read()
    assert kept == claims.read_bytes()
    assert (request["action"], key.split("/")[0]) == ("train", "requests")
    assert started["name"].startswith("train-my-claims-")


def test_train_takes_several_files_in_their_order(
    account: Account, machine: PlayedStepFunctions, claims: Path, tmp_path: Path
) -> None:
    other = tmp_path / "june.csv"
    other.write_text("text,label\nit smokes,engine\n")
    assert claimflow("train", claims, other, "--no-wait").exit_code == 0
    (started,) = machine.started
    request = started["input"]
    contents = [
        account.s3.get_object(Bucket="uploads", Key=uri.split("/", 3)[3], VersionId=version)["Body"].read()
        for uri, version in zip(request["data"], request["version"], strict=True)
    ]
    assert contents == [claims.read_bytes(), other.read_bytes()]
    assert started["name"].startswith("train-my-claims-")
    assert "There is no file none.csv" in claimflow("train", claims, "none.csv").stderr
    assert len(machine.started) == 1, "every file is looked at before one is sent"


def test_predict_sends_its_configuration_and_asks_for_explanations_beside_it(
    account: Account, machine: PlayedStepFunctions, claims: Path, tmp_path: Path
) -> None:
    (tmp_path / "c.json").write_text('{"text_column": "narrative", "output": "xlsx", "allow_partial": false}')
    claimflow("predict", claims, "--config", "c.json", "--explain", "--no-wait")
    config = {"text_column": "narrative", "output": "xlsx", "allow_partial": False, "explain": True}
    assert machine.started[0]["input"]["config"] == config


@pytest.mark.usefixtures("account")
def test_train_may_let_categories_go(machine: PlayedStepFunctions, claims: Path) -> None:
    claimflow("train", claims, "--replace", "--no-wait")
    assert machine.started[0]["input"]["replace"] is True


def test_train_sends_the_configuration_and_the_file_to_label(
    account: Account, machine: PlayedStepFunctions, claims: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"num_epoch": 2}')
    claimflow("train", claims, "--config", config, "--predict", claims, "--no-wait")
    request = machine.started[0]["input"]
    assert request["config"] == {"num_epoch": 2}
    assert request["predict"] == request["data"]


@pytest.mark.parametrize("command", ["train", "predict"])
def test_explanations_are_asked_for_in_the_configuration(
    account: Account, machine: PlayedStepFunctions, claims: Path, command: str
) -> None:
    assert claimflow(command, claims, "--explain", "--no-wait").exit_code == 0
    assert machine.started[0]["input"]["config"] == {"explain": True}


@pytest.mark.parametrize("command", ["train", "predict"])
def test_without_explanations_the_run_takes_the_stacks_own_configuration(
    account: Account, machine: PlayedStepFunctions, claims: Path, command: str
) -> None:
    claimflow(command, claims, "--no-wait")
    assert "config" not in machine.started[0]["input"]


@pytest.mark.parametrize("command", ["train", "predict"])
def test_explanations_are_asked_for_beside_what_the_stacks_own_configuration_says(
    account: Account, machine: PlayedStepFunctions, claims: Path, command: str
) -> None:
    own = b'\xef\xbb\xbf{"text_column": "what happened", "explain": false}'
    account.s3.put_object(Bucket="uploads", Key="config/config.json", Body=own)
    claimflow(command, claims, "--explain", "--no-wait")
    assert machine.started[0]["input"]["config"] == {"text_column": "what happened", "explain": True}


def test_explanations_are_asked_for_beside_what_the_given_configuration_says(
    account: Account, machine: PlayedStepFunctions, claims: Path, tmp_path: Path
) -> None:
    account.s3.put_object(Bucket="uploads", Key="config/config.json", Body=b'{"num_epoch": 9}')
    for name, content in (("some.json", '{"seed": 2}'), ("none.json", "{}")):
        (tmp_path / name).write_text(content)
        claimflow("train", claims, "--config", name, "--explain", "--no-wait")
    assert [started["input"]["config"] for started in machine.started] == [
        {"seed": 2, "explain": True},
        {"explain": True},
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "is not JSON: line 1"),
        (b"\xff", "is not UTF-8 text (byte 1)"),
        (b"[]", "must hold one JSON object"),
    ],
)
def test_a_configuration_of_the_stack_that_cannot_be_read_is_told_before_anything_is_sent(
    account: Account, machine: PlayedStepFunctions, claims: Path, content: bytes, sentence: str
) -> None:
    account.s3.put_object(Bucket="uploads", Key="config/config.json", Body=content)
    result = claimflow("predict", claims, "--explain", "--no-wait")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"s3://uploads/config/config.json {sentence}")
    assert not machine.started
    assert len(account.s3.list_objects_v2(Bucket="uploads")["Contents"]) == 1


def test_the_same_file_is_uploaded_once(account: Account, machine: PlayedStepFunctions, claims: Path) -> None:
    for _ in range(2):
        claimflow("train", claims, "--no-wait")
    first, second = machine.started
    assert first["input"] == second["input"]
    assert first["name"] != second["name"]
    assert len(account.s3.list_object_versions(Bucket="uploads")["Versions"]) == 1


def test_a_training_that_goes_well_ends_with_its_figures(account: Account, claims: Path) -> None:
    result = claimflow("train", claims)
    assert result.exit_code == 0, result.output
    assert "Train: done" in result.output
    for text in ("92.9% of 761 held-out rows", "80.0%", "91.7% of the same rows", "version 2, live"):
        assert text in result.output
    assert "s3://claimflow-results/train-claims-train-" in result.output


def test_a_prediction_that_goes_well_ends_with_its_figures(
    account: Account, machine: PlayedStepFunctions, claims: Path
) -> None:
    machine.ends_as = "predicted"
    result = claimflow("predict", claims)
    assert result.exit_code == 0, result.output
    for text in ("5 (0.4%)", "954 (79.5%)", "241 (20.1%)", "91.5%", "review.csv", "results.csv"):
        assert text in result.output


def test_a_run_that_fails_ends_with_exit_code_1_and_the_one_sentence(
    account: Account, machine: PlayedStepFunctions, claims: Path
) -> None:
    machine.ends_as = "invalid_data"
    result = claimflow("train", claims)
    assert result.exit_code == 1
    assert "bad.csv: no column holds the text" in result.output


def test_a_rejected_model_ends_with_exit_code_3_and_the_figures(
    account: Account, machine: PlayedStepFunctions, claims: Path
) -> None:
    machine.ends_as = "rejected"
    result = claimflow("train", claims)
    assert result.exit_code == 3
    assert "28.9% of 83 held-out rows" in result.output
    assert "below the bar" in result.output


def test_ctrl_c_stops_the_watching_and_says_how_to_go_on(
    account: Account, claims: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(display, "watch", interrupted)
    result = claimflow("train", claims)
    assert result.exit_code == 130
    assert "The run goes on. Watch it again with: claimflow status train-my-claims-" in result.output


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gone.csv", None, "There is no file"),
        ("claims.pdf", "x", "is no file with rows: its name must end in .csv, .xlsx, .tsv, .txt or .jsonl"),
        ("claims.xls", "x", "one of these and .gz; open it in a spreadsheet and save it as .xlsx or CSV."),
        ("Claims.ODS", "x", "; open it in a spreadsheet and save it as .xlsx or CSV."),
        ("claims.parquet", "x", "; convert it to CSV (with pandas: read it, then to_csv)."),
        ("claims.csv.zip", "x", "; unpack it and name the one file that has the texts."),
        ("claims.tar.gz", "x", "; unpack it and name the one file that has the texts."),
        ("claims.dat", "x", "; save it as one of these, or rename it if it is one already."),
        ("empty.csv", "", "is empty: it needs a header line and rows"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_before_anything_is_sent(
    tmp_path: Path, name: str, content: str | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    result = claimflow("predict", name)
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_a_file_whose_name_is_not_utf_8_is_told() -> None:
    with open(b"caf\xe9.csv", "w") as file:  # noqa: PTH123
        file.write("text\nx\n")
    result = claimflow("train", os.fsdecode(b"caf\xe9.csv"))
    assert result.exit_code == 1
    assert result.stderr == "The name 'caf\\udce9.csv' is not UTF-8 text: rename it.\n"


def test_two_uploads_of_one_file_at_once_make_one_version(
    account: Account, machine: PlayedStepFunctions, claims: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looked = submission._version, []

    def look_before_the_other_has_written(*place: Any) -> str | None:
        looked.append(place)
        if len(looked) == 1:
            account.s3.put_object(Bucket="uploads", Key=place[2], Body=claims.read_bytes())
            return None
        return look(*place)

    monkeypatch.setattr(submission, "_version", look_before_the_other_has_written)
    result = claimflow("train", claims, "--no-wait")
    assert result.exit_code == 0, result.output
    (version,) = account.s3.list_object_versions(Bucket="uploads")["Versions"]
    assert machine.started[0]["input"]["version"] == version["VersionId"]


def test_an_upload_that_is_refused_is_told(account: Account, claims: Path) -> None:
    account.s3.put_bucket_policy(Bucket="uploads", Policy="{}")
    account.s3.delete_bucket(Bucket="uploads")
    result = claimflow("train", claims, "--no-wait")
    assert result.exit_code == 1
    assert (
        result.stderr
        == "A bucket of the stack is gone: run `claimflow --stack claimflow deploy` to make it again.\n"
    )


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert "is not a file: name one file" in claimflow("train", tmp_path).stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "check the name after --config"),
        ("{", "is not JSON: line 1"),
        ("[1]", "must hold one JSON object"),
        (b"\xff\xfe", "c.json is not UTF-8 text (byte 1); save it as UTF-8."),
        ('{"lr": NaN}', "c.json holds NaN, which is not a JSON value."),
        ('{"lr": -Infinity}', "c.json holds -Infinity, which is not a JSON value."),
        ('{"lr": 1e999}', "c.json holds the number 1e999, which is too large."),
        ('{"lr": 1, "lr": 2}', "c.json has the key 'lr' twice."),
        ('{"lr": ' + "[" * 5000, "c.json is nested too deeply"),
        ('{"lr": ' + "1" * 5000 + "}", "c.json holds a number of 5,000 digits, which is too long."),
    ],
)
def test_a_configuration_that_cannot_be_read_is_told(
    claims: Path, tmp_path: Path, content: str | bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "c.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    result = claimflow("train", claims, "--config", "c.json")
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_a_configuration_may_begin_with_a_byte_order_mark(
    account: Account, machine: PlayedStepFunctions, claims: Path, tmp_path: Path
) -> None:
    (tmp_path / "c.json").write_bytes(b'\xef\xbb\xbf{"num_epoch": 2}')
    assert claimflow("train", claims, "--config", "c.json", "--no-wait").exit_code == 0
    assert machine.started[0]["input"]["config"] == {"num_epoch": 2}


# Looking


def test_status_shows_the_newest_run(account: Account, machine: PlayedStepFunctions) -> None:
    machine.add("train-old", "trained")
    machine.add("predict-new", "predicted")
    result = claimflow("status")
    assert result.exit_code == 0
    assert result.output.startswith("predict-new")
    assert "Collect" in result.output


def test_status_of_a_run_that_goes_on_tells_how_far_its_job_has_come(
    account: Account, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflow.training_log.last_line", lambda *_: "7 of 20 trials done")
    machine.add("tune-x", "trained")
    machine.running.add("tune-x")
    machine.add("train-y", "trained")
    assert "7 of 20 trials done" in claimflow("status", "tune-x").output
    assert "7 of 20 trials done" not in claimflow("status", "train-y").output


def test_status_takes_the_beginning_of_a_name(account: Account, machine: PlayedStepFunctions) -> None:
    machine.add("train-old", "trained")
    assert claimflow("status", "train-o").output.startswith("train-old")


def test_status_follow_ends_as_the_run_ended(account: Account, machine: PlayedStepFunctions) -> None:
    machine.add("train-x", "rejected")
    assert claimflow("status", "train-x", "--follow").exit_code == 3


def test_a_beginning_that_several_runs_have_is_told(account: Account, machine: PlayedStepFunctions) -> None:
    machine.add("train-a", "trained")
    machine.add("train-b", "trained")
    assert "'train' may be train-b, train-a: write more of the name." in claimflow("status", "train").stderr


@pytest.mark.parametrize("name", ["nothing", "arn:aws:states:us-east-1:1:execution:claimflow:nothing"])
def test_an_unknown_run_is_told(account: Account, machine: PlayedStepFunctions, name: str) -> None:
    machine.add("train-a", "trained")
    result = claimflow("status", name)
    assert result.exit_code == 1
    assert result.stderr == "There is no run 'nothing': `claimflow runs` lists those there are.\n"


@pytest.mark.parametrize("command", ["status", "runs"])
def test_a_stack_in_which_nothing_has_run_yet_says_how_to_start(account: Account, command: str) -> None:
    assert "Nothing has run yet: start with `claimflow train FILE`." in claimflow(command).stderr


def test_sentences_name_the_commands_for_the_account_that_was_asked(
    account: Account, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "s3", account.s3)
    assert "start with `claimflow --local train FILE`" in claimflow("--local", "status").stderr
    assert "`claimflow --local train FILE`" in claimflow("--local", "results").stderr
    machine.add("train-a", "trained")
    assert "`claimflow --local runs` lists" in claimflow("--local", "status", "x").stderr


def listed(*arguments: object) -> list[dict[str, str]]:
    """Return what a list says, by its heads, as a program reads it."""
    heads, *rows = [line.split("\t") for line in claimflow(*arguments).output.splitlines()]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def test_runs_lists_the_newest_first_with_file_figures_and_who(
    account: Account, machine: PlayedStepFunctions
) -> None:
    for recording in ("invalid_data", "rejected", "trained", "predicted"):
        machine.add(f"run-{recording}", recording)
    found = listed("runs")
    names = ("Run", "State", "File", "Action", "Rows", "Categories", "Model", "Figures")
    assert [tuple(row[name] for name in names) for row in found] == [
        ("run-predicted", "done", "claims_predict.csv", "predict", "1,200", "", "2", "79.5% accepted"),
        ("run-trained", "done", "claims_train.csv", "train", "8,000", "12", "2", "92.9% right"),
        ("run-rejected", "rejected", "small.csv", "train", "899", "12", "", "28.9% right"),
        ("run-invalid_data", "failed", "bad.csv", "train", "", "", "", ""),
    ]


def test_a_run_of_several_files_is_listed_by_the_first(
    account: Account, machine: PlayedStepFunctions
) -> None:
    machine.add("run-of-two", "trained")
    run = runs.glance(account, runs.find(account, stack.read_stack(account), "run-of-two"))
    request = {**run.data["request"], "data": ["s3://bkt/old.csv", "s3://bkt/new.csv"]}
    data = cast("State", {**run.data, "request": request})
    assert records.record(replace(run, data=data), "results").file == "old.csv and 1 more file"


def test_runs_says_who_started_each(
    account: Account, machine: PlayedStepFunctions, claims: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/Claims/ana@example.com"
    monkeypatch.setattr(Account, "sts", Caller(arn))
    claimflow("train", claims, "--no-wait")
    assert machine.started[0]["input"]["started_by"] == "Claims/ana@example.com"


def test_a_run_starts_though_nobody_knows_who_starts_it(
    account: Account, machine: PlayedStepFunctions, claims: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "sts", Caller(None))
    assert claimflow("train", claims, "--no-wait").exit_code == 0
    assert "started_by" not in machine.started[0]["input"]


class Caller:
    """STS that knows who calls, or fails."""

    def __init__(self, arn: str | None) -> None:
        self.arn = arn

    def get_caller_identity(self) -> dict[str, str]:
        if self.arn is None:
            raise ClientError({"Error": {"Code": "Throttling"}}, "GetCallerIdentity")
        return {"Arn": self.arn}


def test_no_name_is_cut_however_narrow_the_place(
    account: Account, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "train-" + "a" * 32 + "-261126-013000-ab12"
    machine.add(name, "trained")
    monkeypatch.setenv("COLUMNS", "40")
    assert listed("runs")[0]["Run"] == name
    for width, within in ((40, False), (300, True)):
        monkeypatch.setattr(display, "console", Console(force_terminal=True, width=width, highlight=False))
        (line,) = [line for line in claimflow("runs").output.splitlines() if name in line]
        assert ("claims_train.csv" in line) == within


def test_runs_as_json_say_all_there_is(account: Account, machine: PlayedStepFunctions) -> None:
    machine.add("run-bad", "invalid_data")
    machine.add("run-good", "predicted")
    good, bad = json.loads(claimflow("runs", "--json").output)
    assert (good["name"], good["state"], good["rows"], good["model"]) == ("run-good", "done", 1200, 2)
    assert good["results"].startswith("s3://results/predict-claims-")
    assert good["accepted"] == pytest.approx(954 / 1200)
    assert (bad["error"], bad["file"]) == ("InvalidData", "bad.csv")
    assert "no column holds the text" in bad["cause"]


def test_a_rejected_model_is_not_said_to_have_failed(account: Account, machine: PlayedStepFunctions) -> None:
    machine.add("train-weak", "rejected")
    assert "failed" not in claimflow("runs").output
    assert "train-weak: model rejected after" in claimflow("status").output


# Stopping


def test_stop_stops_the_newest_run_that_goes_on(account: Account, machine: PlayedStepFunctions) -> None:
    for name in ("train-old", "train-on", "train-done"):
        machine.add(name, "trained")
    machine.running |= {"train-old", "train-on"}
    result = claimflow("stop")
    assert result.output == "Run train-on: stopped.\n"
    assert machine.stopped == ["train-on"]


def test_stop_takes_a_name(account: Account, machine: PlayedStepFunctions) -> None:
    machine.add("train-on", "trained")
    machine.running.add("train-on")
    assert claimflow("stop", "train-o").exit_code == 0
    assert machine.stopped == ["train-on"]


def test_stop_of_what_does_not_run_is_told(account: Account, machine: PlayedStepFunctions) -> None:
    assert claimflow("stop").stderr == "Nothing runs: `claimflow runs` lists what did.\n"
    machine.add("train-done", "trained")
    assert claimflow("stop", "train-done").stderr == (
        "The run train-done does not go on: it has ended already.\n"
    )


# Going on


def test_redrive_goes_on_with_a_run_that_failed(account: Account, machine: PlayedStepFunctions) -> None:
    machine.add("train-broken", "trained")
    machine.failed["train-broken"] = "TimedOut"
    assert "without what is done already: `claimflow redrive train-broken`" in claimflow("status").output
    result = claimflow("redrive")
    assert (result.exit_code, machine.failed) == (0, {})
    assert result.output.startswith("Run train-broken\n")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("InvalidData", "it would end as it did (InvalidData). Start another one."),
        ("ModelRejected", "it would end as it did (ModelRejected). Start another one."),
        ("Old", "Too old. Start the same request again."),
        ("", "it is done already."),
    ],
)
def test_a_run_that_cannot_go_on_says_so(
    account: Account, machine: PlayedStepFunctions, error: str, told: str
) -> None:
    machine.add("train-x", "trained")
    machine.failed |= {"train-x": error} if error else {}
    assert claimflow("redrive").stderr == f"The run train-x cannot go on: {told}\n"


# Results


def test_results_downloads_what_people_open(account: Account, tmp_path: Path) -> None:
    for name in ("claims.results.csv", "claims.review.csv", "manifest.json", "predict/claims.results.csv"):
        put(account, f"predict-claims-1/{name}")
    put(account, "predict-claims-12/other.csv")
    result = claimflow("results", "predict-claims-1")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "out" / "predict-claims-1"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*")) == [
        "claims.results.csv",
        "claims.review.csv",
        "predict/claims.results.csv",
    ]


def test_results_of_a_training_have_the_rows_that_were_left_out(account: Account, tmp_path: Path) -> None:
    put(account, "train-1/report.html")
    left_out = "s3://results/train-1/claims.rejected.csv"
    put(account, "train-1/validation.json", json.dumps({"train": {"rejected_uri": left_out}}))
    put(account, "train-1/claims.rejected.csv", "line,reason,raw\r\n")
    claimflow("results", "train-1", "--to", "here")
    assert (tmp_path / "here" / "claims.rejected.csv").read_text() == "line,reason,raw\n"


def test_results_of_a_training_and_its_prediction_lie_apart(account: Account, tmp_path: Path) -> None:
    put(account, "train-1/report.html", "training")
    files = {"report": "s3://results/train-1/predict/report.html"}
    put(account, "train-1/predict/manifest.json", json.dumps({"files": files}))
    put(account, "train-1/predict/report.html", "prediction")
    claimflow("results", "train-1", "--to", "here")
    assert (tmp_path / "here" / "report.html").read_text() == "training"
    assert (tmp_path / "here" / "predict" / "report.html").read_text() == "prediction"


def test_results_without_a_name_are_those_of_the_newest_run_and_say_so(
    account: Account, machine: PlayedStepFunctions
) -> None:
    machine.add("predict-new", "predicted")
    folder = folder_of(machine, "predict-new")
    put(account, f"{folder}/report.html")
    lines = claimflow("results").output.splitlines()
    assert lines == ["The newest run, predict-new (done):", f"out/{folder}/report.html"]


def read(machine: PlayedStepFunctions, name: str) -> dict[str, Any]:
    return runs.glance(Account(), f"x:{name}").data


def folder_of(machine: PlayedStepFunctions, name: str) -> str:
    return str(read(machine, name)["run"]["name"])


def test_results_without_a_name_pass_over_a_run_that_only_changed_the_target(
    account: Account, machine: PlayedStepFunctions, tmp_path: Path
) -> None:
    machine.add("predict-1", "predicted")
    machine.add("threshold-0-9-1", "threshold")
    put(account, f"{folder_of(machine, 'predict-1')}/report.html")
    result = claimflow("results", "--to", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "report.html").exists()


def test_another_target_is_followed_to_what_it_gives_and_has_nothing_to_download(
    account: Account, machine: PlayedStepFunctions
) -> None:
    machine.ends_as = "threshold"
    result = claimflow("models", "threshold", "0.9")
    assert result.exit_code == 0, result.output
    assert "90.0% of the accepted rows right" in result.stdout
    assert "Download" not in result.stdout


def test_results_of_a_newest_run_that_failed_are_not_those_of_another(
    account: Account, machine: PlayedStepFunctions
) -> None:
    machine.add("predict-good", "predicted")
    put(account, "predict-good/report.html")
    machine.add("train-bad", "invalid_data")
    result = claimflow("results")
    assert result.exit_code == 1
    assert "The newest run, train-bad, has no results, as it ended as failed: bad.csv: no" in result.stderr
    assert result.stderr.endswith(
        "The newest files are those of predict-good: `claimflow results predict-good`.\n"
    )


def test_results_of_a_rejected_model_are_its_report_with_the_reason(
    account: Account, machine: PlayedStepFunctions
) -> None:
    machine.add("train-weak", "rejected")
    put(account, f"{folder_of(machine, 'train-weak')}/report.html")
    lines = claimflow("results").output.splitlines()
    assert lines[0] == "The newest run, train-weak (rejected):"
    assert "below the bar" in lines[1]
    assert lines[2].endswith("report.html")


@pytest.mark.parametrize(
    "form",
    ["predict-claims-predict-1", "s3://results/predict-claims-predict-1/report.html", "out/{name}/x", "{id}"],
)
def test_a_run_is_found_by_each_of_its_names(
    account: Account, machine: PlayedStepFunctions, form: str
) -> None:
    name = "predict-claims-predict-1"
    machine.add(name, "predicted")
    machine.add("predict-claims-predict-2", "invalid_data")
    given = form.format(name=name, id=read(machine, name)["run"]["id"])
    assert claimflow("status", given).output.startswith(f"{name}\n")


def test_results_do_not_overwrite_a_file_that_somebody_worked_on(account: Account, tmp_path: Path) -> None:
    put(account, "train-1/report.html")
    assert claimflow("results", "train-1", "--to", "here").exit_code == 0
    assert claimflow("results", "train-1", "--to", "here").exit_code == 0
    (tmp_path / "here" / "report.html").write_text("my notes")
    result = claimflow("results", "train-1", "--to", "here")
    assert result.exit_code == 1
    assert "is there with another content: name another folder with --to" in result.stderr
    assert (tmp_path / "here" / "report.html").read_text() == "my notes"


def test_results_cannot_be_put_into_what_is_a_file(account: Account, tmp_path: Path) -> None:
    put(account, "train-1/report.html")
    (tmp_path / "plain").write_text("x")
    result = claimflow("results", "train-1", "--to", "plain")
    assert result.exit_code == 1
    assert result.stderr == "plain cannot be used: File exists.\n"


def test_a_key_cannot_lead_out_of_the_folder(account: Account, tmp_path: Path) -> None:
    put(account, "train-1/../../bad.csv")
    assert claimflow("results", "train-1").exit_code == 1
    assert not list(tmp_path.rglob("*.csv"))


def test_results_of_a_run_that_failed_early_are_told_with_its_cause(
    account: Account, machine: PlayedStepFunctions
) -> None:
    machine.add("train-bad", "invalid_data")
    result = claimflow("results", "train-bad")
    assert result.exit_code == 1
    assert "has no results" in result.stderr


# Models


def test_models_shows_versions_and_which_is_live(account: Account) -> None:
    add_model(account, 0.91)
    add_model(account, 0.93)
    add_model(account, 0.95, "PendingManualApproval")
    assert [(row["Version"], row["State"], row["Accuracy"]) for row in listed("models")] == [
        ("3", "waiting for approval", "95.0%"),
        ("2", "live", "93.0%"),
        ("1", "approved", "91.0%"),
    ]


def test_models_shows_where_each_version_comes_from(account: Account) -> None:
    about = {"data": "s3://uploads/train/claims.csv", "rows": "8000", "categories": "12", "started_by": "ana"}
    add_model(account, 0.93, accuracy_interval="0.91 0.945", **about)
    (row,) = listed("models")
    assert row["Accuracy"] == "93.0% (91.0% to 94.5%)"
    assert (row["File"], row["Rows"], row["Categories"]) == ("claims.csv", "8,000", "12")
    assert (row["By"], row["Run"]) == ("ana", "train-x")
    (read,) = json.loads(claimflow("models", "--json").output)
    assert (read["state"], read["interval"], read["rows"]) == ("live", [0.91, 0.945], 8000)


def test_models_shows_a_target_that_was_set_later_and_of_which_version(account: Account) -> None:
    add_model(account, 0.93)
    add_model(account, 0.93, target_precision="0.9", target_of="1")
    assert [row["New target"] for row in listed("models")] == ["90.0%, version 1", ""]
    newest, _ = json.loads(claimflow("models", "--json").output)
    assert (newest["target"], newest["target_of"]) == (0.9, 1)


@pytest.mark.usefixtures("account")
def test_models_threshold_starts_a_run_that_changes_the_target(machine: PlayedStepFunctions) -> None:
    result = claimflow("models", "threshold", "0.9", "--no-wait")
    assert result.exit_code == 0, result.output
    (started,) = machine.started
    assert started["input"] | {"started_by": ""} == {
        "action": "threshold",
        "target_precision": 0.9,
        "started_by": "",
    }
    assert started["name"].startswith("threshold-0-9-")


@pytest.mark.parametrize("target", ["95", "1", "0.4", "nan"])
def test_a_target_that_is_none_is_refused_before_anything_is_started(
    machine: PlayedStepFunctions, target: str
) -> None:
    result = claimflow("models", "threshold", target)
    assert result.exit_code == 1
    assert f"{target} is no target: it must be a share of at least 0.5 and below 1" in result.stderr
    assert machine.started == []


def test_models_with_every_version_rejected_say_so_and_what_to_do(account: Account) -> None:
    add_model(account, 0.93, "Rejected")
    assert claimflow("models").output.endswith(
        "No model is live now, as every version is rejected: `claimflow models approve VERSION` makes one "
        "live; until then predictions are refused.\n"
    )


def test_rejecting_the_live_model_brings_back_the_one_before(account: Account) -> None:
    add_model(account, 0.91)
    add_model(account, 0.93)
    assert "Live: version 1." in claimflow("models", "reject", 2).output
    assert "No model is live now" in claimflow("models", "reject", 1).output
    assert "Live: version 2." in claimflow("models", "approve", 2).output
    older = claimflow("models", "approve", 1).output
    assert "Version 1 is older, so it is not live: `claimflow models reject 2` brings it back." in older


def test_the_registry_keeps_who_decided_and_what_the_gate_had_missed(account: Account) -> None:
    add_model(account, 0.91)
    add_model(account, 0.93, "PendingManualApproval", waits_for="Only 4 rows judged it.")
    claimflow("models", "reject", 1)
    claimflow("models", "approve", 2)
    newest, older = json.loads(claimflow("models", "--json").output)
    assert older["decision"] == f"Rejected by {account.caller}"
    assert newest["decision"] == f"Approved by {account.caller}, though: Only 4 rows judged it."
    assert newest["decision"] in " ".join(claimflow("models", "show", 2).output.split())


def test_a_version_that_is_not_there_is_told(account: Account) -> None:
    add_model(account, 0.91)
    result = claimflow("models", "approve", 7)
    assert result.exit_code == 1
    assert result.stderr == "There is no model version 7: the versions are 1.\n"


MADE_OF: Lineage = {
    "schema": 1,
    "run": "train-x",
    "job": "claimflow-x-0",
    "files": [
        {"uri": "s3://bkt/old.csv", "version": "v1", "etag": "e", "size": 7, "sha256": "ab12"},
        {"uri": "s3://bkt/decided.csv", "version": None, "etag": "e", "size": 7, "sha256": None},
    ],
    "decisions": {"until": "2026-11-27T01:00:00+00:00", "file": "s3://bkt/decided.csv"},
    "live_before": None,
    "program": {"revision": "0123456789ab", "digest": "fedc"},
    "config": {"seed": 7},
}


def add_made_model(account: Account, made_of: Lineage | None = None) -> None:
    """Register a version whose archive is `j/output/model.tar.gz`, with its lineage beside it."""
    add_model(account, 0.91, archive="s3://artifacts/models/x/j/output/model.tar.gz")
    if made_of:
        body = json.dumps(made_of).encode()
        account.s3.put_object(Bucket="artifacts", Key="models/x/j/lineage.json", Body=body)


def test_a_version_of_several_files_is_listed_by_the_first(account: Account) -> None:
    add_model(account, 0.91, data="s3://bkt/old.csv", more_files="1")
    assert "old.csv and 1 more file" in claimflow("models").output


def test_a_version_shows_what_it_was_made_of(account: Account) -> None:
    add_made_model(account, MADE_OF)
    shown = [line.split(maxsplit=1) for line in claimflow("models", "show", 1).output.splitlines()]
    for name, text in (
        ("Version", "1, live"),
        ("File", "s3://bkt/old.csv"),
        ("version", "v1"),
        ("sha256", "ab12"),
        ("File", "s3://bkt/decided.csv"),
        ("sha256", "not known"),
        ("Decisions", "up to 2026-11-27T01:00:00+00:00, in the last file"),
        ("Code", "0123456789ab"),
        ("Program", "fedc"),
        ("Configuration", '{"seed": 7}'),
    ):
        assert [name, text] in shown


def test_what_a_version_was_made_of_is_there_for_programs(account: Account) -> None:
    add_made_model(account, MADE_OF)
    found = json.loads(claimflow("models", "show", 1, "--json").output)
    assert (found["version"], found["state"], found["accuracy"]) == (1, "live", 0.91)
    assert found["lineage"] == MADE_OF


def test_a_version_of_before_has_no_lineage_and_says_so(account: Account) -> None:
    add_made_model(account)
    assert "not known: an older version of Claimflow made it" in claimflow("models", "show", 1).output
    assert json.loads(claimflow("models", "show", 1, "--json").output)["lineage"] is None
    assert "There is no model version 9: the versions are 1." in claimflow("models", "show", 9).stderr


def test_models_before_the_first_training_says_how_to_train(account: Account) -> None:
    assert "There is no model yet" in claimflow("models").stderr


# Deploying and deleting


def test_deploy_runs_sam_and_prints_what_a_person_needs_next(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(programs, "build_and_deploy", lambda a, stage, _: asked.append((a.stack, stage)))
    result = claimflow("--stack", "claimflow", "deploy", "--stage", "prod")
    assert result.exit_code == 0, result.output
    assert asked == [("claimflow", "prod")]
    assert "s3://uploads/train/" in result.output


def test_deploy_takes_the_stack_of_the_stage_if_none_is_named(
    account: Account, cloudformation: FakeCloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudformation.stacks["claimflow-prod"] = cloudformation.stacks["claimflow"]
    asked: list[str] = []
    monkeypatch.setattr(programs, "build_and_deploy", lambda a, *_: asked.append(a.stack))
    claimflow("deploy", "--stage", "prod")
    assert asked == ["claimflow-prod"]


def test_an_image_to_deploy_is_looked_for_before_anything_is_built(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(programs, "build_and_deploy", lambda a, *_: asked.append(a.stack))
    monkeypatch.setenv("PATH", "")
    result = claimflow("--stack", "claimflow", "deploy", "--image", "claimflow")
    assert (result.exit_code, asked) == (1, [])
    assert result.stderr.startswith("Neither podman nor docker is installed")


def test_a_deployment_that_fails_shows_sams_last_lines_and_a_sentence(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise programs.ProgramFailedError("`sam deploy` failed with exit code 1.", ["Error: no bucket"])

    monkeypatch.setattr(programs, "build_and_deploy", fails)
    result = claimflow("--stack", "claimflow", "deploy")
    assert result.exit_code == 1
    assert result.stderr == "Error: no bucket\n`sam deploy` failed with exit code 1.\n"


def test_delete_asks_for_the_name_and_deletes_nothing_for_another(account: Account) -> None:
    result = claimflow("delete", typed="klaimflow\n")
    assert result.exit_code == 1
    assert "nothing was deleted" in result.stderr
    assert len(account.s3.list_buckets()["Buckets"]) == 3


def test_delete_keeps_what_people_put_there_and_says_how_to_delete_that_too(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = FakeRegistry("arn:1", "arn:2")
    monkeypatch.setattr(Account, "sagemaker", registry)
    account.s3.put_object(Bucket="uploads", Key="train/a.csv", Body=b"1")
    result = claimflow("delete", typed="claimflow\n")
    assert result.exit_code == 0, result.output
    assert "files, results and decisions stay" in result.output.replace("\n", " ")
    assert "It leaves artifacts, results, uploads, decisions:" in result.output.replace("\n", " ")
    assert "`claimflow delete --everything` deletes them too." in result.output.replace("\n", " ")
    assert account.s3.list_object_versions(Bucket="uploads")["Versions"]
    assert account.dynamodb.list_tables()["TableNames"] == ["decisions"]
    assert not registry.arns
    assert claimflow("runs").stderr.startswith("There is no stack 'claimflow' here")


@pytest.mark.parametrize("before", [[], ["delete", "--yes"]], ids=["at once", "afterwards"])
def test_delete_everything_leaves_neither_files_nor_decisions_even_of_a_stack_that_is_gone(
    account: Account, monkeypatch: pytest.MonkeyPatch, before: list[str]
) -> None:
    monkeypatch.setattr(Account, "sagemaker", FakeRegistry("arn:1"))
    account.dynamodb.update_table(TableName="decisions", DeletionProtectionEnabled=True)
    for body in (b"1", b"2"):
        account.s3.put_object(Bucket="uploads", Key="train/a.csv", Body=body)
    account.s3.delete_object(Bucket="uploads", Key="train/a.csv")
    if before:
        assert claimflow(*before).exit_code == 0
    result = claimflow("delete", "--everything", typed="claimflow\n")
    assert result.exit_code == 0, result.output
    assert "every file, result, model and decision" in result.output.replace("\n", " ")
    assert "It leaves" not in result.output
    assert account.s3.list_buckets()["Buckets"] == []
    assert account.dynamodb.list_tables()["TableNames"] == []
    assert claimflow("delete", "--everything").stderr.startswith("There is no stack 'claimflow' here")


def test_delete_names_a_key_that_stays_and_with_everything_lets_it_go_last(
    account: Account, cloudformation: FakeCloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "sagemaker", FakeRegistry())
    key = account.kms.create_key()["KeyMetadata"]["KeyId"]
    cloudformation.skipped += [("AWS::KMS::Key", key), ("AWS::KMS::Key", "no-key-any-more")]
    said = claimflow("delete", "--yes").output.replace("\n", " ")
    assert f"It leaves the key {key}, " in said
    assert f"`aws kms schedule-key-deletion --key-id {key}` alone." in said
    assert "no-key-any-more" not in said
    *_, before, last, _ = claimflow("delete", "--everything", "--yes").output.splitlines()
    assert before == "Deleting decisions"
    assert last.startswith(f"Deleting the key {key} in 7 days")
    assert account.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert claimflow("delete", "--everything").stderr.startswith("There is no stack 'claimflow' here")


def test_delete_deregisters_the_job_definitions_that_updates_have_left(
    account: Account, cloudformation: FakeCloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "sagemaker", FakeRegistry())
    cloudformation.stacks["claimflow"] = {**OUTPUTS, "JobDefinitionName": "claimflow-predict"}
    for name in ("claimflow-predict", "claimflow-predict", "other-predict"):
        container = {"image": "image", "vcpus": 1, "memory": 4}
        account.batch.register_job_definition(
            jobDefinitionName=name, type="container", containerProperties=container
        )
    assert claimflow("delete", "--yes").exit_code == 0
    left = account.batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    assert [each["jobDefinitionName"] for each in left] == ["other-predict"]


def test_delete_names_nothing_that_somebody_has_deleted_since(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "sagemaker", FakeRegistry())
    account.dynamodb.delete_table(TableName="decisions")
    account.s3.delete_bucket(Bucket="results")
    result = claimflow("delete", "--yes")
    assert result.exit_code == 0, result.output
    assert "It leaves artifacts, uploads: " in result.output.replace("\n", " ")


def test_a_stack_that_cannot_be_deleted_loses_no_file(
    account: Account, cloudformation: FakeCloudFormation
) -> None:
    cloudformation.delete_fails = True
    account.s3.put_object(Bucket="uploads", Key="train/a.csv", Body=b"1")
    assert claimflow("delete", "--everything", "--yes").exit_code == 1
    assert account.s3.list_object_versions(Bucket="uploads")["Versions"]


def test_delete_empties_a_bucket_with_thousands_of_versions_of_one_key_and_says_how_far_it_is(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Account, "sagemaker", FakeRegistry())
    monkeypatch.setattr(stack, "PAGE", 100)
    monkeypatch.setattr(stack, "TOLD_EVERY", 200)
    for number in range(250):
        account.s3.put_object(Bucket="uploads", Key="train/a.csv", Body=str(number).encode())
        account.s3.delete_object(Bucket="uploads", Key="train/a.csv")
    result = claimflow("delete", "--everything", "--yes")
    assert result.exit_code == 0, result.output
    assert "Emptying uploads: 400 objects and versions are gone" in result.output
    assert account.s3.list_buckets()["Buckets"] == []


def test_delete_stops_what_runs_before_it_empties_the_buckets(
    account: Account, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = {"claimflow-1-0": "s3://artifacts/models/x", "claimflow-2-0": "s3://other-artifacts/runs/x"}
    sagemaker = FakeRegistry(jobs=jobs)
    sagemaker.at_end = lambda: account.s3.put_object(Bucket="artifacts", Key="model.tar.gz", Body=b"late")
    monkeypatch.setattr(Account, "sagemaker", sagemaker)
    machine.add("train-done", "trained")
    machine.add("train-on", "trained")
    machine.running.add("train-on")
    result = claimflow("delete", "--everything", "--yes")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[:5] == [
        "Stopping the run train-on",
        "Waiting for the training job claimflow-1-0 to stop",
        "Deleting the entries of the model registry",
        "Deleting the stack claimflow",
        "Emptying artifacts",
    ]
    assert machine.stopped == ["train-on"]
    assert sagemaker.waited == ["claimflow-1-0"]
    assert account.s3.list_buckets()["Buckets"] == []


def test_delete_goes_on_when_the_training_job_that_it_waits_for_fails(
    account: Account, machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed() -> None:
        raise WaiterError("TrainingJobCompletedOrStopped", "failed", {})

    sagemaker = FakeRegistry(jobs={"claimflow-1-0": "s3://artifacts/models/x"})
    sagemaker.at_end = failed
    monkeypatch.setattr(Account, "sagemaker", sagemaker)
    machine.add("train-on", "trained")
    machine.running.add("train-on")
    assert claimflow("delete", "--yes").exit_code == 0


def test_delete_waits_for_no_job_if_nothing_runs(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker = FakeRegistry(jobs={"claimflow-1-0": "s3://artifacts/models/x"})
    monkeypatch.setattr(Account, "sagemaker", sagemaker)
    assert claimflow("delete", "--yes").exit_code == 0
    assert not sagemaker.waited


def test_a_stack_that_cannot_be_deleted_is_told_with_the_reason(
    account: Account, cloudformation: FakeCloudFormation
) -> None:
    cloudformation.delete_fails = True
    result = claimflow("delete", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        "The stack 'claimflow' could not be deleted: Uploads: The bucket is not empty.\n"
    )


def test_delete_yes_does_not_ask(account: Account) -> None:
    assert claimflow("delete", "--yes").exit_code == 0


# What goes wrong


@pytest.mark.parametrize("command", [["status"], ["runs"], ["models"], ["results"], ["delete", "--yes"]])
def test_a_stack_that_is_not_deployed_is_told(account: Account, command: list[str]) -> None:
    result = claimflow("--stack", "other", *command)
    assert result.exit_code == 1
    assert result.stderr == (
        "There is no stack 'other' here: run `claimflow --stack other deploy` first, or name one of those "
        "here (claimflow) with --stack.\n"
    )


def test_a_stack_of_something_else_is_told(account: Account, cloudformation: FakeCloudFormation) -> None:
    cloudformation.stacks["shop"] = {"Address": "https://shop"}
    result = claimflow("--stack", "shop", "runs")
    assert "does not give out UploadsBucket" in result.stderr


def test_a_stack_that_is_being_changed_is_told(account: Account, cloudformation: FakeCloudFormation) -> None:
    cloudformation.status = "UPDATE_IN_PROGRESS"
    assert "is being changed (UPDATE_IN_PROGRESS): wait" in claimflow("runs").stderr


def test_without_credentials_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    result = claimflow("--region", "us-east-1", "runs")
    assert result.exit_code == 1
    assert result.stderr.startswith("No AWS credentials were found")


def test_without_a_region_one_sentence_says_what_to_do() -> None:
    assert claimflow("runs").stderr.startswith("No AWS region is set")


def test_a_profile_that_is_not_there_is_told() -> None:
    assert "(mine) could not be found" in claimflow("--profile", "mine", "runs").stderr


@pytest.mark.parametrize("command", [["runs"], ["deploy"], ["delete", "--yes"]])
def test_a_local_aws_that_does_not_run_is_to_be_started(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("CLAIMFLOW_LOCAL_PORT", "1")
    result = claimflow("--local", *command)
    assert result.exit_code == 1
    assert result.stderr == NOT_RUNNING.format(deploy="claimflow --local deploy") + "\n"


@pytest.mark.parametrize("port", ["abc", "0", "70000", "-1"])
def test_a_port_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("CLAIMFLOW_LOCAL_PORT", port)
    result = claimflow("--local", "runs")
    assert result.exit_code == 1
    assert result.stderr == f"CLAIMFLOW_LOCAL_PORT is '{port}'; it must be a port number from 1 to 65535.\n"


UNWRITABLE = [
    "-c",
    "import typer\nfrom workflow import display\nfrom workflow.account import Account\n"
    "app = typer.Typer(pretty_exceptions_enable=False)\n"
    "app.command()(display.plain_errors(Account)(lambda: display.say('x' * 99)))\napp()",
]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "program",
    [UNWRITABLE, ["-m", "workflow", "--help"], ["-m", "workflow", "train", "--help"]],
    ids=["a command", "help", "a command's help"],
)
def test_output_that_cannot_be_written_is_told(program: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, *program],
            cwd=programs.ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.stderr == "The output cannot be written: No space left on device.\n"
    assert ended.returncode == 1


def test_ctrl_c_while_the_command_line_is_loaded_ends_it_quietly() -> None:
    program = (
        "import builtins, runpy\nload = builtins.__import__\n"
        "def interrupted(name, *rest, **named):\n"
        "    if name == 'workflow.cli': raise KeyboardInterrupt\n"
        "    return load(name, *rest, **named)\n"
        "builtins.__import__ = interrupted\nrunpy.run_module('workflow', run_name='__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=programs.ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (130, "")


def test_a_denied_call_names_the_permission(account: Account, machine: PlayedStepFunctions) -> None:
    machine.add("train-a", "trained")
    machine.error = ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeExecution")
    assert "not allowed to call DescribeExecution" in claimflow("status").stderr


# The local AWS and the help


def test_local_passes_everything_on(monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        passed.append(arguments)
        return 3

    monkeypatch.setattr(programs, "local_aws", run)
    assert claimflow("local", "logs", "--follow", "--job", "x").exit_code == 3
    assert passed == [["logs", "--follow", "--job", "x"]]


@pytest.mark.parametrize(
    "command",
    ["deploy", "train", "predict", "classify", "status", "runs", "results", "models", "delete"],
)
def test_every_command_has_a_help_text(command: str) -> None:
    result = claimflow(command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_without_a_command_the_help_is_shown() -> None:
    assert "deploy" in claimflow().output
