"""evaluate: what a training left becomes figures and words."""

import json

import pytest

from evaluate.handler import handler as evaluate
from shared import keys
from shared.errors import TimedOut, TrainingFailed
from tests.unit.functions.stack import ARTIFACTS, EVALUATION, RESULTS, Stack, labelled, tar_gz


def trained(stack: Stack, **evaluation: object) -> dict[str, object]:
    state = stack.validated("train", labelled(20))
    state["training"] = stack.trained(state, **evaluation)
    return state


def test_the_figures_stand_beside_the_bar(stack: Stack) -> None:
    found = evaluate(trained(stack, accuracy=0.85), None)
    assert (found["accuracy"], found["bar"], found["validation_rows"]) == (0.85, 0.8, 200)
    assert (found["beats_bar"], found["beats_live"]) == (True, True)
    assert "live_accuracy" not in found


@pytest.mark.parametrize(("accuracy", "beats"), [(0.8, True), (0.7999, False)])
def test_reaching_the_bar_is_enough(stack: Stack, accuracy: float, beats: bool) -> None:
    assert evaluate(trained(stack, accuracy=accuracy), None)["beats_bar"] is beats


@pytest.mark.parametrize(("live", "beats"), [(0.84, True), (0.85, True), (0.86, False)])
def test_the_live_model_is_compared_on_the_same_rows(stack: Stack, live: float, beats: bool) -> None:
    stack.live(accuracy=0.99)
    found = evaluate(trained(stack, accuracy=0.85, champion={"accuracy": live}), None)
    assert (found["live_accuracy"], found["beats_live"]) == (live, beats)


def test_a_live_model_that_could_not_be_measured_stands_with_its_own_accuracy(stack: Stack) -> None:
    stack.live(accuracy=0.99)
    found = evaluate(trained(stack, accuracy=0.85, champion=None), None)
    assert (found["live_accuracy"], found["beats_live"]) == (0.99, False)


def test_the_files_are_copied_to_where_people_look(stack: Stack) -> None:
    state = trained(stack)
    found = evaluate(state, None)
    folder = state["run"]["results"]
    assert (found["evaluation"], found["report"]) == (f"{folder}/evaluation.json", f"{folder}/report.html")
    assert stack.read(found["report"]) == b"<p>Report</p>"
    head = stack.s3.head_object(Bucket=RESULTS, Key=f"{keys.run_name(state['run'])}/report.html")
    assert head["ContentType"] == "text/html; charset=utf-8"


def test_the_model_gets_a_card_that_later_runs_read(stack: Stack) -> None:
    state = trained(stack)
    card = stack.json(evaluate(state, None)["card"])
    run = state["run"]
    assert card == {
        "schema": 1,
        "run": keys.run_name(run),
        "job": state["training"]["job"],
        "data": {key: run["data"][key] for key in ("uri", "version", "etag")},
        "labels": ["brakes", "engine"],
        "text_column": "text",
        "label_column": "category",
        "validation_fraction": 0.1,
        "held_out": f"s3://{ARTIFACTS}/runs/{run['id']}/validation/",
        "accuracy": 0.9,
        "accuracy_interval": [0.85, 0.94],
        "validation_rows": 200,
        "acceptance": EVALUATION["acceptance"],
        "rows": 40,
    }
    assert stack.table(f"{card['held_out']}part-00000.csv")


def test_the_message_has_the_figures_and_the_report(stack: Stack) -> None:
    stack.live(accuracy=0.9)
    found = evaluate(trained(stack, accuracy=0.853, champion={"accuracy": 0.91}), None)
    assert found["subject"] == "Claimflow: the model from claims.csv was not good enough (85.3%)"
    for part in (
        "85.3% of 200 rows",
        "The bar is 80.0%: reached",
        "91.0%: the live one is better",
        found["report"],
    ):
        assert part in found["message"]


def test_on_aws_the_message_links_to_the_console(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    found = evaluate(trained(stack), None)
    assert (
        "https://eu-west-1.console.aws.amazon.com/s3/object/results-bucket?region=eu-west-1&prefix=train-"
        in found["message"]
    )


def test_doing_it_again_writes_the_same_objects(stack: Stack) -> None:
    state = trained(stack)
    first, before = evaluate(state, None), stack.everything()
    assert evaluate(state, None) == first
    assert stack.everything() == before


def test_a_training_that_was_stopped_by_its_limit_says_so(stack: Stack) -> None:
    state = trained(stack)
    state["training"] |= {"status": "Stopped", "detail": "MaxRuntimeExceeded"}
    with pytest.raises(
        TimedOut, match="was stopped: it reached the longest training time that the stack allows"
    ):
        evaluate(state, None)


@pytest.mark.parametrize("status", ["Stopped", "Failed", "InProgress"])
def test_a_training_that_did_not_complete_is_refused(stack: Stack, status: str) -> None:
    state = trained(stack)
    state["training"]["status"] = status
    said = "was stopped before its end" if status == "Stopped" else f"ended as {status}"
    with pytest.raises(TrainingFailed, match=said):
        evaluate(state, None)


GOOD = json.dumps(EVALUATION | {"validation_rows": 3})


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (b"no archive", "cannot be read"),
        (tar_gz({"evaluation.json": GOOD}), "wrote no report.html"),
        (tar_gz({"evaluation.json": GOOD, "report.html": "x"})[:60], "cannot be read"),
        (tar_gz({"evaluation.json": "{", "report.html": "x"}), "cannot be read"),
        (tar_gz({"evaluation.json": "[]", "report.html": "x"}), "cannot be read"),
        (tar_gz({"evaluation.json": GOOD.replace("0.9,", "NaN,"), "report.html": "x"}), "impossible figures"),
        (
            tar_gz({"evaluation.json": GOOD.replace('"schema": 1', '"schema": 3'), "report.html": "x"}),
            "another schema",
        ),
        (tar_gz({"evaluation.json": GOOD.replace(": 3,", ": 0,"), "report.html": "x"}), "impossible figures"),
    ],
)
def test_what_cannot_be_read_is_a_failed_training(stack: Stack, archive: bytes, said: str) -> None:
    state = trained(stack)
    stack.write(state["training"]["output_uri"], archive)
    with pytest.raises(TrainingFailed, match=said):
        evaluate(state, None)


def test_a_missing_output_is_a_failed_training(stack: Stack) -> None:
    state = trained(stack)
    state["training"]["output_uri"] += "x"
    with pytest.raises(TrainingFailed, match="is not there"):
        evaluate(state, None)


def test_an_archive_far_too_large_is_refused(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluate.handler.SIZE_LIMIT", 5)
    with pytest.raises(TrainingFailed, match="larger than 5 bytes"):
        evaluate(trained(stack), None)


def test_members_are_taken_by_name_whatever_their_folder(stack: Stack) -> None:
    state = trained(stack)
    archive = tar_gz({"../../evaluation.json": GOOD, "./data/report.html": "x", "other": "y"})
    stack.write(state["training"]["output_uri"], archive)
    assert evaluate(state, None)["accuracy"] == 0.9


@pytest.mark.parametrize("live", [True, False])
def test_a_rejected_model_leaves_the_waiting_file_unlabelled(stack: Stack, live: bool) -> None:
    if live:
        stack.live(accuracy=0.99)
    state = trained(stack, accuracy=0.5)
    assert "not labelled" not in evaluate(state, None)["message"]
    state["run"]["predict"] = {"uri": "s3://uploads/requests/new.csv"}
    said = evaluate(state, None)["message"]
    assert "s3://uploads/requests/new.csv was not labelled" in said
    assert ("label it with the live model" in said) is live
