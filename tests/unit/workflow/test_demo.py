"""The demo, with SAM and the local AWS left out."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from tests.unit.workflow.fakes import PlayedStepFunctions
from tests.unit.workflow.histories import recorded
from workflow import cli, demo, display, outcome, programs
from workflow.account import Account

REVIEW = "description,prediction,reason\nit leaks from below,Leak,low confidence\n"


@pytest.fixture(autouse=True)
def nothing_is_started(monkeypatch: pytest.MonkeyPatch, account: Account) -> None:
    monkeypatch.setattr(programs, "start_local_aws", lambda tell: None)
    monkeypatch.setattr(programs, "build_and_deploy", lambda *_: None)
    monkeypatch.setattr(demo, "Account", lambda **_: account)
    monkeypatch.setattr(display.console, "_file", None)
    monkeypatch.setattr(display.stderr, "_file", None)
    for recording in ("trained", "predicted", "rejected"):
        account.s3.put_object(Bucket="results", Key=f"{run_id(recording)}/report.html", Body=b"x")
    suspects = f"{run_id('trained')}/claims_train.suspects.csv"
    account.s3.put_object(Bucket="results", Key=suspects, Body=b"line,text\r\n")
    prediction = run_id("predicted")
    files = {"review": f"s3://results/{prediction}/claims.review.csv"}
    account.s3.put_object(
        Bucket="results", Key=f"{prediction}/manifest.json", Body=json.dumps({"files": files}).encode()
    )
    account.s3.put_object(Bucket="results", Key=f"{prediction}/claims.review.csv", Body=REVIEW.encode())


def run_id(recording: str) -> str:
    description, events = recorded(recording)
    outputs = [description.get("output")]
    outputs += [event.get("stateExitedEventDetails", {}).get("output") for event in reversed(events)]
    found: str = json.loads(next(filter(None, outputs)))["run"]["results"]
    return found.rsplit("/", 1)[-1]


def run_demo(machine: PlayedStepFunctions, training: str, prediction: str = "predicted") -> Result:
    endings = iter([training, prediction])
    start = machine.start_execution

    def start_next(**request: object) -> dict[str, object]:
        machine.ends_as = next(endings)
        return start(**request)  # type: ignore[arg-type]

    machine.start_execution = start_next  # type: ignore[method-assign, assignment]
    app = typer.Typer()
    app.command()(display.plain_errors(Account)(demo.demo))
    return CliRunner().invoke(app, [])


def test_the_demo_ends_with_figures_files_and_what_to_try(
    machine: PlayedStepFunctions, tmp_path: Path
) -> None:
    result = run_demo(machine, "trained")
    assert result.exit_code == 0, result.output
    for text in (
        "92.9%",
        "954 (79.5%)",
        "241 (20.1%)",
        "it leaks from below",
        "claimflow local down",
        "s3 cp",
    ):
        assert text in result.output
    assert result.output.splitlines()[-1].endswith(
        " in the desk: .venv/app/bin/claimflow --local desk --open"
    )
    assert "127.0.0.1" not in result.output
    assert (tmp_path / "out" / "demo" / "prediction" / "claims.review.csv").read_text() == REVIEW
    assert (tmp_path / "out" / "demo" / "training" / "report.html").exists()
    assert "training/claims_train.suspects.csv" in result.output.replace("\n", "")


def test_nothing_else_is_drawn_in_a_terminal_while_a_run_shows_itself(
    machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True)
    monkeypatch.setattr(display, "console", terminal)
    drawn: list[int] = []
    follow = cli.follow

    def noted(*given: Any) -> Any:
        drawn.append(len(terminal._live_stack))
        return follow(*given)

    monkeypatch.setattr(cli, "follow", noted)
    assert run_demo(machine, "trained").exit_code == 0
    assert drawn == [0, 0]


def test_what_was_odd_is_told_with_the_file_that_it_is_about(
    machine: PlayedStepFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "warnings", lambda run: ["It is odd."])
    result = run_demo(machine, "trained")
    for name in ("claims_train.csv", "claims_predict.csv"):
        assert f"  {name}: It is odd.\n" in result.output


def test_a_rejected_model_is_told_and_the_live_one_labels(machine: PlayedStepFunctions) -> None:
    result = run_demo(machine, "rejected")
    assert result.exit_code == 0, result.output
    assert "The live model stays, and labels the file now." in result.output
    assert "954 (79.5%)" in result.output


def test_a_training_that_fails_ends_the_demo_with_its_sentence(machine: PlayedStepFunctions) -> None:
    result = run_demo(machine, "invalid_data")
    assert result.exit_code == 1
    assert "no column holds the text" in result.output
    assert "nothing to predict with" in result.stderr


def test_a_prediction_that_fails_ends_the_demo_with_its_sentence(machine: PlayedStepFunctions) -> None:
    result = run_demo(machine, "trained", "invalid_data")
    assert result.exit_code == 1
    assert "no column holds the text" in result.stderr


def test_rows_for_review_are_shown_whatever_separates_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "claims.review.csv"
    path.write_text(REVIEW.replace(",", ";"), encoding="utf-8-sig")
    demo.review(path)
    assert "→ Leak (low confidence)" in capsys.readouterr().out
