"""What a run that ended is said to have come to."""

from datetime import UTC, datetime
from typing import Any

import pytest

from workflow import outcome
from workflow.runs import Run

NOW = datetime(2024, 3, 1, tzinfo=UTC)
WANTED = {"predict_wanted": True, "predict": {"uri": "s3://uploads/requests/1/new.csv"}}


def ended(error: str | None = None, **data: Any) -> Run:
    status = "FAILED" if error else "SUCCEEDED"
    return Run("arn:x", "x", status, NOW, NOW, error, None, data=data)


def rejected(run: dict[str, Any], beats_bar: bool = False) -> Run:
    return ended("ModelRejected", run=run, evaluation={"beats_bar": beats_bar})


def test_a_rejected_first_model_leaves_none_live() -> None:
    said = outcome.sentence(rejected({"has_live_model": False}))
    assert said == "The new model is below the bar and was not registered; no model is live."


@pytest.mark.parametrize(("beats_bar", "below"), [(False, "the bar"), (True, "the live model")])
def test_a_rejected_model_leaves_the_live_one(beats_bar: bool, below: str) -> None:
    said = outcome.sentence(rejected({"has_live_model": True}, beats_bar))
    assert said == f"The new model is below {below} and was not registered; the live model stays as it is."


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
    (said,) = outcome.hints(rejected({**WANTED, "has_live_model": live}), "claimflow")
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
