"""evaluate: what a training left becomes figures and words."""

import csv
import json
import re
from pathlib import Path

import pytest

from contract.errors import TimedOut, TrainingFailed
from evaluate.handler import VERDICT
from evaluate.handler import handler as evaluate
from tests.unit.functions.stack import (
    ARTIFACTS,
    EVALUATION,
    RESULTS,
    Stack,
    State,
    champion,
    labelled,
    tar_gz,
)


def trained(stack: Stack, **evaluation: object) -> State:
    state = stack.validated("train", labelled(20))
    state["training"] = stack.trained(state, **evaluation)
    return state


def test_the_figures_stand_beside_the_bar(stack: Stack) -> None:
    found = evaluate(trained(stack, accuracy=0.85), None)
    assert (found["accuracy"], found["bar"], found["validation_rows"]) == (0.85, 0.8, 200)
    assert "live_accuracy" not in found


@pytest.mark.parametrize(("accuracy", "beats"), [(0.8, True), (0.7999, False)])
def test_reaching_the_bar_is_enough(stack: Stack, accuracy: float, beats: bool) -> None:
    found = evaluate(trained(stack, accuracy=accuracy), None)
    assert (f"The bar is 80.0%: {'reached' if beats else 'not reached'}." in found["message"]) is True


def test_the_message_tells_of_a_bar_in_the_configuration_that_does_not_count(stack: Stack) -> None:
    state = stack.validated("train", labelled(20), {"accuracy_bar": 0.4})
    state["training"] = stack.trained(state, accuracy=0.5)
    assert "accuracy_bar 0.4 in the configuration is below" in evaluate(state, None)["message"]


SUSPECTS = (
    "line,text,label,likely_label,chance\r\n"
    '7,"It squeals, loudly",engine,brakes,0.001\r\n'
    "12,=2+3 smoke,brakes,engine,0.02\r\n"
)
COUNTED = {"rows": 20, "count": 2, "shown": []}


@pytest.mark.parametrize("output", [None, "csv", "xlsx"])
def test_rows_whose_labels_are_probably_wrong_are_given_to_people(output: str | None, stack: Stack) -> None:
    state = stack.validated("train", labelled(20), {"output": output})
    state["training"] = stack.trained(state, SUSPECTS, suspects=COUNTED)
    found = evaluate(state, None)
    ending = output or "csv"
    address = f"s3://{RESULTS}/{state['run']['name']}/claims.suspects.{ending}"
    assert found["suspects"] == {"count": 2, "file": address}
    assert f"2 rows of the file may have a wrong category: {address}" in found["message"]
    if ending == "csv":
        lines = stack.read(address).decode("utf-8-sig").splitlines()
        assert lines[1].endswith('"It squeals, loudly",engine,brakes,0.001')
        assert "'=2+3 smoke" in lines[2]


@pytest.mark.parametrize(("characters", "output"), [(200_000, None), (40_000, "xlsx")])
def test_a_suspect_of_a_long_text_is_given_to_people_as_csv(
    characters: int, output: str | None, stack: Stack
) -> None:
    state = stack.validated("train", labelled(20), {"output": output})
    rows = f"line,text,label,likely_label,chance\r\n7,{'x' * characters},engine,brakes,0.001\r\n"
    state["training"] = stack.trained(state, rows, suspects=COUNTED | {"count": 1})
    csv.field_size_limit(131_072)  # as when Python starts
    found = evaluate(state, None)
    assert found["suspects"]["file"].endswith("/claims.suspects.csv")
    assert "x" * characters in stack.read(found["suspects"]["file"]).decode("utf-8-sig")


@pytest.mark.parametrize(
    ("rows", "counted"), [(None, COUNTED), (SUSPECTS, None), (SUSPECTS, COUNTED | {"count": 0})]
)
def test_without_suspects_none_are_told(
    rows: str | None, counted: dict[str, object] | None, stack: Stack
) -> None:
    state = stack.validated("train", labelled(20))
    state["training"] = stack.trained(state, rows, **({"suspects": counted} if counted else {}))
    found = evaluate(state, None)
    assert "suspects" not in found
    assert "wrong category" not in found["message"]


@pytest.mark.parametrize(("live", "beats"), [(8, True), (9, True), (10, False)])
def test_both_are_compared_on_the_same_rows(stack: Stack, live: int, beats: bool) -> None:
    stack.live()
    found = evaluate(trained(stack, accuracy=0.85, champion=champion(9, live)), None)
    compared = (found["compared_rows"], found["compared_accuracy"], found["live_accuracy"])
    assert compared == (10, 0.9, live / 10)
    assert ("is good enough" in found["subject"]) is beats
    assert "reason" not in found


def test_a_small_file_does_not_win_by_being_easy(stack: Stack) -> None:
    """Its own held-out rows say 100%; those of the live model say otherwise."""
    stack.live()
    found = evaluate(trained(stack, accuracy=1.0, champion=champion(150, 260, rows=271)), None)
    assert found["compared_accuracy"] < found["live_accuracy"]
    assert "On 271 rows that neither had seen, 4 of them held out for the live one" in found["message"]


def test_an_older_training_image_compared_on_the_new_files_rows(stack: Stack) -> None:
    stack.live()
    counts = {
        "both_right": 160,
        "only_new_right": 0,
        "only_live_right": 20,
        "both_wrong": 20,
        "accuracy": 0.9,
    }
    found = evaluate(trained(stack, champion=counts), None)
    assert (found["compared_rows"], found["compared_accuracy"], found["live_accuracy"]) == (200, 0.8, 0.9)


def test_a_model_that_could_not_be_compared_waits(stack: Stack) -> None:
    stack.live()
    for nothing in (None, champion(0, 0, rows=0)):
        found = evaluate(trained(stack, champion=nothing), None)
        assert "live_accuracy" not in found
        assert "could not be compared with the live model" in found["reason"]


LOST = {"labels": ["gearbox"], "count": 1, "rows": 3, "live_right": 3}


def test_no_category_of_the_live_model_is_lost(stack: Stack) -> None:
    stack.live()
    found = evaluate(trained(stack, champion=champion(9, 9, lost=LOST)), None)
    assert found["reason"] == (
        "It does not know the category 'gearbox' of the live model (version 1): add rows of it, or train "
        'with `claimflow train --replace` (in a request "replace": true) if that is meant.'
    )
    assert found["reason"] in found["message"]
    assert found["subject"] == "Claimflow: the model from claims.csv has too little to show (90.0%)"


def test_a_request_may_let_categories_go_and_their_rows_do_not_count(stack: Stack) -> None:
    stack.live()
    state = trained(stack, champion=champion(7, 9, lost=LOST))
    assert "was not good enough" in evaluate(state, None)["subject"]
    state["run"]["replace"] = True
    found = evaluate(state, None)
    compared = (found["compared_rows"], found["compared_accuracy"], found["live_accuracy"])
    assert compared == (7, 1, pytest.approx(6 / 7))
    assert ("is good enough" in found["subject"], "reason" in found) == (True, False)


def judged_by(state: State, texts: int) -> State:
    state["validation"]["train"]["validation_texts"] = texts
    return state


@pytest.mark.parametrize(("texts", "waits"), [(15, False), (14, True), (1, True)])
def test_a_model_needs_enough_held_out_rows(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, texts: int, waits: bool
) -> None:
    monkeypatch.setenv("CLAIMFLOW_LEAST_HELD_OUT_ROWS", "15")
    found = evaluate(judged_by(trained(stack), texts), None)
    assert ("reason" in found) is waits
    if texts == 1:
        assert found["reason"] == (
            "Only 1 different held-out row judged it, and 15 are needed: that takes about 140 more labelled "
            "rows."
        )


def test_three_hundred_honest_rows_are_enough_by_default_and_ten_or_their_copies_are_not(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = (Path(__file__).resolve().parents[3] / "template.yaml").read_text(encoding="utf-8")
    (default,) = re.findall(r"\n  LeastHeldOutRows:\n.*?Default: (\d+)", template, re.DOTALL)
    monkeypatch.setenv("CLAIMFLOW_LEAST_HELD_OUT_ROWS", default)
    for content, waits in ((labelled(150), False), (labelled(5), True), (labelled(5, copies=60), True)):
        state = stack.validated("train", content)
        state["training"] = stack.trained(state)
        assert ("reason" in evaluate(state, None)) is waits


def test_every_category_must_be_judged(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    per_class = [{"label": "brakes", "support": 30}, {"label": "engine", "support": 0}]
    state = trained(stack, per_class=per_class)
    assert evaluate(state, None)["reason"] == (
        "The category 'engine' had fewer than 1 held-out row: that takes about 1 more row of it with other "
        "texts."
    )
    monkeypatch.setenv("CLAIMFLOW_LEAST_HELD_OUT_ROWS_PER_CATEGORY", "3")
    assert "about 30 more rows of it" in evaluate(state, None)["reason"]
    monkeypatch.setenv("CLAIMFLOW_LEAST_HELD_OUT_ROWS_PER_CATEGORY", "0")
    assert "reason" not in evaluate(state, None)


def test_the_lower_end_of_the_interval_is_told_and_can_be_required(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = trained(stack, accuracy=0.85, accuracy_interval=[0.79, 0.9])
    found = evaluate(state, None)
    assert "(95% interval: 79.0% to 90.0%)" in found["message"]
    assert "reason" not in found
    monkeypatch.setenv("CLAIMFLOW_BAR_BY_LOWER_BOUND", "true")
    assert evaluate(state, None)["reason"] == (
        "The accuracy may be as low as 79.0% (95% interval), and that end must reach the bar of 80.0%: if as "
        "many are right, that takes about 160 more labelled rows."
    )


def test_a_rejected_model_is_told_what_it_lacks_too(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_LEAST_HELD_OUT_ROWS", "15")
    found = evaluate(judged_by(trained(stack, accuracy=0.0), 1), None)
    assert "about 140 more labelled rows" in found["message"]


def test_what_validation_noticed_is_in_the_message(stack: Stack) -> None:
    state = trained(stack)
    state["validation"]["train"]["warnings"] = ["1 text stands with more than one category."]
    said = evaluate(state, None)["message"]
    assert "About the labelled file:\n1 text stands with more than one category." in said


def test_a_loser_is_told_that_another_model_went_live_meanwhile(stack: Stack) -> None:
    stack.live()
    state = trained(stack, champion=champion(8, 9))
    state["run"]["round"] = 1
    found = evaluate(state, None)
    assert "Version 1 went live while this model was trained, so the two were compared." in found["message"]
    assert "for 80.0%, and the live model (version 1) for 90.0%: the live one is better." in found["message"]
    assert found["against_live"] in " ".join(found["message"].split())


def test_the_files_are_copied_to_where_people_look(stack: Stack) -> None:
    state = trained(stack)
    found = evaluate(state, None)
    folder = f"s3://{RESULTS}/{state['run']['name']}"
    assert (found["evaluation"], found["report"]) == (f"{folder}/evaluation.json", f"{folder}/report.html")
    assert stack.read(found["report"]) == b"<main><p>Report</p>"
    head = stack.s3.head_object(Bucket=RESULTS, Key=f"{state['run']['name']}/report.html")
    assert head["ContentType"] == "text/html; charset=utf-8"


def page(stack: Stack, state: State) -> str:
    return stack.read(evaluate(state, None)["report"]).decode()


def test_the_report_of_a_refused_model_begins_with_why(stack: Stack) -> None:
    assert page(stack, trained(stack, accuracy=0.5)) == (
        '<main><p class="note warned"><b>This model was refused: 50.0% is below the bar of 80.0%. It was '
        "not registered and predicts nothing.</b></p><p>Report</p>"
    )
    stack.live()
    said = page(stack, trained(stack, champion=champion(8, 9)))
    assert "This model was refused: On 10 rows that neither had seen, " in said
    assert "the live one is better. It was not registered and predicts nothing.</b></p><p>Report</p>" in said


def test_the_report_of_a_model_that_waits_begins_with_why_and_no_category_brings_markup_in(
    stack: Stack,
) -> None:
    stack.live()
    lost = {"labels": ["<b>gear</b>"], "count": 1, "rows": 3, "live_right": 3}
    said = page(stack, trained(stack, champion=champion(9, 9, lost=lost)))
    assert (
        "a person has to approve it. It does not know the category &#x27;&lt;b&gt;gear&lt;/b&gt;&#x27;"
        in said
    )


def test_a_report_without_a_place_for_the_verdict_stays_as_it_is(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.functions.stack.REPORT", "<p>Old</p>")
    assert page(stack, trained(stack, accuracy=0.5)) == "<p>Old</p>"


def test_the_training_leaves_one_place_for_the_verdict() -> None:
    template = Path(__file__).resolve().parents[3] / "model" / "report.html"
    assert template.read_text(encoding="utf-8").count(f"<main>\n{VERDICT}\n") == 1


def test_the_model_gets_a_card_that_later_runs_read(stack: Stack) -> None:
    state = trained(stack)
    card = stack.json(evaluate(state, None)["card"])
    run = state["run"]
    assert card == {
        "schema": 1,
        "run": run["name"],
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
    found = evaluate(trained(stack, accuracy=0.853, champion=champion(9, 10)), None)
    assert found["subject"] == "Claimflow: the model from claims.csv was not good enough (85.3%)"
    for part in (
        "85.3% of 200 rows",
        "The bar is 80.0%: reached",
        "100.0%: the live one is better",
        found["report"],
    ):
        assert part in found["message"]


def test_the_message_says_why_little_is_accepted_and_what_to_do(stack: Stack) -> None:
    said = "Nothing is accepted. Decide the suspects first, then train again."
    acceptance = {"target_precision": 0.98, "threshold": None, "coverage": 0.0, "advice": said}
    found = evaluate(trained(stack, acceptance=acceptance), None)
    assert found["advice"] == said
    assert said in found["message"]


def test_the_message_says_how_right_the_upper_levels_of_a_hierarchy_are(stack: Stack) -> None:
    level = {"accuracy_interval": [0.8, 1.0], "macro_f1": 0.9, "coverage": 0.9, "precision": 0.99}
    levels = [{"categories": 1, "accuracy": 0.99, **level}, {"categories": 7, "accuracy": 0.912, **level}]
    said = "the upper levels have right: 99.0% at level 1 (1 category), 91.2% at level 2 (7 categories)."
    assert said in evaluate(trained(stack, levels=levels), None)["message"]
    assert "upper level" not in evaluate(trained(stack), None)["message"]


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
        (tar_gz({"evaluation.json": "{", "report.html": "x"}), "evaluation.json is not JSON: line 1"),
        (tar_gz({"evaluation.json": "[]", "report.html": "x"}), "must hold one JSON object"),
        (tar_gz({"evaluation.json": "{}", "report.html": "x"}), "cannot be read"),
        (tar_gz({"evaluation.json": GOOD.replace("0.9,", "NaN,"), "report.html": "x"}), "holds NaN"),
        (tar_gz({"evaluation.json": GOOD.replace("0.9,", "9,"), "report.html": "x"}), "impossible figures"),
        (tar_gz({"evaluation.json": '{"a": ' + "[" * 5_000, "report.html": "x"}), "is nested too deeply"),
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
    state["run"]["predict"] = state["run"]["data"] | {"uri": "s3://uploads/requests/new.csv"}
    said = evaluate(state, None)["message"]
    assert "s3://uploads/requests/new.csv was not labelled" in said
    assert ("label it with the live model" in said) is live


def test_three_thousand_categories_are_read(stack: Stack) -> None:
    labels = [f"category {number} " + "x" * 180 for number in range(3_000)]
    pairs = [{"label": label, "prediction": labels[0], "rows": 1} for label in labels[1:1_001]]
    found = evaluate(trained(stack, schema=2, labels=labels, confusion=pairs), None)
    assert stack.json(found["card"])["labels"] == labels
    assert len(json.dumps(found)) < 5_000
