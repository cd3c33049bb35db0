"""What a run that ended is said to have come to."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contract.state import known
from workflow import outcome
from workflow.records import record
from workflow.runs import Run, plain_cause

NOW = datetime(2024, 3, 1, tzinfo=UTC)
WANTED = {"predict_wanted": True, "predict": {"uri": "s3://uploads/requests/1/new.csv"}}


LIVE = {"version": 4}
BELOW, ABOVE = {"accuracy": 0.7, "bar": 0.8}, {"accuracy": 0.9, "bar": 0.8, "against_live": ""}


def ended(error: str | None = None, **data: Any) -> Run:
    status = "FAILED" if error else "SUCCEEDED"
    return Run("arn:x", "x", status, NOW, NOW, error, None, data=known(data))


def rejected(run: dict[str, Any], evaluation: dict[str, Any] = BELOW) -> Run:
    return ended("ModelRejected", run=run, evaluation=evaluation)


def test_a_rejected_first_model_does_not_say_what_is_live_by_now() -> None:
    said = outcome.sentence(rejected({"live_model": None}))
    assert (
        said == "The new model is below the bar and was not registered; no model was live to compare it with."
    )


@pytest.mark.parametrize(("evaluation", "below"), [(BELOW, "the bar"), (ABOVE, "the live model")])
def test_a_rejected_model_leaves_the_live_one(evaluation: dict[str, Any], below: str) -> None:
    said = outcome.sentence(rejected({"live_model": LIVE}, evaluation))
    assert said == f"The new model is below {below} and was not registered; the live model stays as it is."


@pytest.mark.parametrize(("evaluation", "below"), [(BELOW, "the bar"), (ABOVE, "a bar of its configuration")])
def test_a_model_below_another_bar_is_told_which_and_by_how_much(
    evaluation: dict[str, Any], below: str
) -> None:
    more = {"below": "The macro F1 is 60.0%, below macro_f1_bar, 70.0%."}
    said = outcome.sentence(rejected({"live_model": LIVE}, evaluation | more))
    assert said.startswith(f"The new model is below {below} and was not registered")
    assert said.endswith(more["below"])


def test_a_model_that_was_overtaken_is_told_by_which_and_by_how_much() -> None:
    evaluation = ABOVE | {"against_live": "Version 5 went live while this model was trained."}
    run = rejected({"live_model": LIVE}, evaluation)
    assert outcome.sentence(run).endswith("stays as it is. Version 5 went live while this model was trained.")


def test_a_rejected_model_with_few_rows_is_told_how_many_it_takes() -> None:
    evaluation = BELOW | {"reason": "That takes about 140 more labelled rows."}
    run = rejected({"live_model": None}, evaluation)
    assert outcome.sentence(run).endswith("compare it with. That takes about 140 more labelled rows.")


def test_the_figures_say_what_training_and_prediction_cost_each() -> None:
    trained = {
        "seconds": 1800,
        "machines": ["ml.m5.xlarge"],
        "dollars": 1.115,
        "at_most": False,
        "saved": 0.7,
    }
    labelled = {"seconds": 45, "machines": ["a.large", "b.large"], "dollars": 0.002, "at_most": True}
    evaluation = {"accuracy": 1.0, "bar": 0.8, "validation_rows": 42, "cost": trained}
    results = {"rows": 1, "accepted": 1, "review_rows": 0, "rejected": 0, "cost": labelled}
    found = dict(outcome.figures(ended(evaluation=evaluation, results=results)))
    assert found["Cost of the training"] == "$1.11: 1,800 s of ml.m5.xlarge; Spot saved 70%"
    assert found["Cost of the prediction"] == "at most $0.0020: 45 s of a.large or b.large"
    of_laptop = dict(outcome.figures(ended(evaluation=evaluation, results=results), local=True))
    assert found.items() - of_laptop.items() == {each for each in found.items() if "Cost" in each[0]}


def test_a_run_of_before_says_nothing_of_its_cost() -> None:
    results = {"rows": 1, "accepted": 1, "review_rows": 0, "rejected": 0}
    assert not [name for name, _ in outcome.figures(ended(results=results)) if "Cost" in name]


def test_the_figures_of_a_comparison_name_its_rows() -> None:
    compared = {"compared_rows": 312, "compared_accuracy": 0.9, "live_accuracy": 0.95}
    evaluation = {"accuracy": 1.0, "bar": 0.8, "validation_rows": 42, **compared}
    found = dict(outcome.figures(ended(evaluation=evaluation)))
    assert found["Live model before"] == "95.0% of 312 rows that neither had seen (the new one: 90.0%)"


TARGET = {"target_precision": 0.9, "coverage": 0.75, "precision": 0.93, "of": 4}
ASKED = {"action": "threshold", "target_precision": 0.9, "started_by": "ana"}


def test_another_target_is_told_with_what_it_gives() -> None:
    run = ended(request=ASKED, registration={"version": 5, "live": True, "target": TARGET})
    assert outcome.figures(run) == [
        ("Model", "version 5, live"),
        ("Same model as", "version 4"),
        ("Target", "90.0% of the accepted rows right"),
        ("Accepts when measured", "75.0% of the rows, 93.0% of them right"),
    ]
    assert (outcome.sentence(run), outcome.exit_code(run), outcome.hints(run, "claimflow")) == (
        "Done.",
        0,
        [],
    )


def test_a_target_that_was_there_already_names_no_other_version() -> None:
    run = ended(request=ASKED, registration={"version": 4, "live": True, "target": TARGET})
    assert "Same model as" not in dict(outcome.figures(run))


def test_another_target_is_a_line_of_the_list_of_runs() -> None:
    run = ended(request=ASKED, registration={"version": 5, "live": True, "target": TARGET})
    line = record(run, "results")
    assert (line.action, line.file, line.model, line.figures) == ("threshold", None, 5, "90.0% target")
    assert (line.started_by, line.results) == ("ana", None)


def test_a_target_that_waits_for_a_person_names_the_command_that_approves_it() -> None:
    run = ended(request=ASKED, registration={"version": 5, "live": False, "target": TARGET})
    assert outcome.hints(run, "claimflow") == [
        "Model version 5 waits for a person: `claimflow models approve 5` makes it live."
    ]


def test_a_model_that_is_still_to_be_compared_has_no_version() -> None:
    run = ended(run={}, registration={"live": False, "again": {}})
    assert outcome.hints(run, "claimflow") == []


def test_a_version_that_waits_is_named_with_the_command_that_approves_it() -> None:
    run = ended(run={"predict_wanted": False}, registration={"version": 3, "live": False})
    assert outcome.hints(run, "claimflow --local") == [
        "Model version 3 waits for a person: `claimflow --local models approve 3` makes it live."
    ]


def test_a_file_that_waits_for_an_approval_is_said_not_to_be_labelled() -> None:
    run = ended(run=WANTED, registration={"version": 3, "live": False})
    assert outcome.hints(run, "claimflow")[1] == (
        "s3://uploads/requests/1/new.csv was not labelled: "
        "approve the version, then label the file with `claimflow predict FILE`."
    )


@pytest.mark.parametrize(
    ("live", "to_do"),
    [
        (True, "label the file with the live model (`claimflow predict FILE`), or train on more rows"),
        (False, "was not labelled: train on more rows and try again."),
    ],
)
def test_a_file_that_waits_for_a_rejected_model_is_said_not_to_be_labelled(live: bool, to_do: str) -> None:
    (said,) = outcome.hints(rejected({**WANTED, "live_model": LIVE if live else None}), "claimflow")
    assert said.startswith("s3://uploads/requests/1/new.csv was not labelled: ")
    assert to_do in said


@pytest.mark.parametrize(
    "run",
    [
        ended(run=WANTED, registration={"version": 3, "live": True}),
        ended(run=WANTED, results={"rows": 1}),
        rejected({"predict_wanted": False}),
        ended("InvalidData", run=WANTED),
    ],
    ids=["live", "predicted", "nothing to label", "failed otherwise"],
)
def test_otherwise_nothing_is_left_to_do(run: Run) -> None:
    assert outcome.hints(run, "claimflow") == []


@pytest.mark.parametrize(
    ("status", "error", "data", "state", "code"),
    [
        ("SUCCEEDED", None, {"registration": {"version": 1, "live": True}}, "done", 0),
        ("SUCCEEDED", None, {"registration": {"version": 1, "live": False}}, "waiting for approval", 0),
        (
            "SUCCEEDED",
            None,
            {"registration": {"version": 1, "live": False, "reason": "It needs 20 more rows."}},
            "waiting for approval",
            3,
        ),
        ("FAILED", "ModelRejected", {}, "rejected", 3),
        ("FAILED", "PartlyDone", {}, "partly done", 4),
        ("FAILED", "InvalidData", {}, "failed", 1),
        ("TIMED_OUT", None, {}, "failed", 1),
        ("ABORTED", None, {}, "stopped", 1),
    ],
)
def test_a_run_has_a_state_in_words_and_an_exit_status(
    status: str, error: str | None, data: dict[str, Any], state: str, code: int
) -> None:
    run = Run("arn:x", "x", status, NOW, NOW, error, None, data=data)
    assert (outcome.state_of(run), outcome.exit_code(run)) == (state, code)


def test_a_model_with_too_little_evidence_says_what_it_needs() -> None:
    run = ended(registration={"version": 1, "live": False, "reason": "It needs 20 more rows."})
    assert outcome.sentence(run) == "It needs 20 more rows."


def test_what_was_found_and_how_a_file_was_read_is_told_below_its_name_when_there_are_two() -> None:
    run = ended(
        run={"data": {"uri": "s3://b/k/claims.csv"}, "predict": {"uri": "s3://b/k/new.csv"}},
        validation={
            "train": {"reading": "semicolon-separated, Windows-1252", "warnings": ["Two are alike."]},
            "predict": {"reading": "", "warnings": ["The text was guessed.", "The text was guessed."]},
        },
        evaluation={"advice": "About 400 more rows would help."},
        results={"advice": None, "warnings": ["A category is unknown."]},
    )
    assert outcome.warnings(run) == [
        "About the labelled file claims.csv:",
        "The file was read as semicolon-separated, Windows-1252.",
        "Two are alike.",
        "About 400 more rows would help.",
        "About the file to label new.csv:",
        "The text was guessed.",
        "A category is unknown.",
    ]
    assert outcome.warnings(ended()) == []


def test_nothing_is_said_about_a_file_of_which_nothing_was_noticed() -> None:
    validation = {"train": {"warnings": []}, "predict": {"warnings": ["It was guessed."]}}
    files = {"data": {"uri": "s3://uploads/1/a.csv"}, "predict": {"uri": "s3://uploads/1/b.csv"}}
    run = ended(run=files, validation=validation)
    assert outcome.warnings(run) == ["About the file to label b.csv:", "It was guessed."]


def test_how_a_file_was_read_is_told_once_though_a_warning_has_it_too() -> None:
    said = "claims.csv was read as tab-separated."
    run = ended(validation={"predict": {"reading": "tab-separated", "warnings": [said]}})
    assert outcome.warnings(run) == [said]


def test_in_aws_a_file_has_the_page_beside_it_that_opens_it() -> None:
    report = "s3://results/predict-1/a b.html"
    arn = "arn:aws:states:eu-west-1:1:execution:claimflow:predict-1"
    run = Run(arn, "x", "SUCCEEDED", NOW, NOW, None, None, data={"results": {"report": report}})
    page = "https://eu-west-1.console.aws.amazon.com/s3/object/results?region=eu-west-1&prefix=predict-1/a%20b.html"
    assert outcome.addresses(run, links=True) == [("Prediction report", report), ("", page)]
    assert outcome.addresses(run, links=False) == [("Prediction report", report)]


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ('{"errorType": "InvalidData", "errorMessage": "a.csv: no text.", "trace": []}', "a.csv: no text."),
        ("a.csv: no text.", "a.csv: no text."),
        ('"quoted"', '"quoted"'),
        ("{}", "{}"),
        (None, None),
    ],
)
def test_a_cause_is_a_sentence_though_a_lambda_left_json(cause: str | None, said: str | None) -> None:
    assert plain_cause(cause) == said


@pytest.mark.parametrize(
    "request_",
    [
        "train",
        None,
        7,
        [],
        {},
        {"action": {"a": 1}, "data": 3, "started_by": [1]},
        {"data": "s3://b/\x1b[31ma\n.csv"},
    ],
)
def test_a_run_is_listed_whatever_its_request_was(request_: Any) -> None:
    listed = record(ended("InvalidRequest", request=request_), "results-bucket")
    assert (listed.state, listed.action, listed.rows) == ("failed", None, None)
    assert listed.file is None or listed.file.isprintable()


def test_a_tuned_run_shows_its_trials_the_best_settings_and_where_the_table_lies() -> None:
    best = {
        "trials": 20,
        "completed": 18,
        "chosen": {"wd": "0.1", "optimizer": '"sgd"'},
        "table": "s3://r/t.csv",
    }
    tuned = ended(run={"tuning": {"best": best}}, evaluation={**ABOVE, "validation_rows": 10})
    figures = dict(outcome.figures(tuned))
    assert figures["Trials"] == "20, 18 of them to their end"
    assert figures["Best settings"] == 'wd 0.1, optimizer "sgd"'
    assert ("Trials", "s3://r/t.csv") in outcome.addresses(tuned, links=False)


def test_a_run_that_has_chosen_nothing_yet_shows_no_trials() -> None:
    assert "Trials" not in dict(outcome.figures(ended(run={"tuning": {}})))
