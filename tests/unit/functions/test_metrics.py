"""What the functions write as metrics: lines of the embedded metric format, with figures and no texts."""

import datetime
import json
from typing import Any

import pytest
from botocore.stub import Stubber

from collect.measured import figures
from collect.tally import Tally
from contract import metrics
from evaluate.handler import handler as evaluate
from explain.handler import handler as explain
from register.handler import handler as register
from shared import aws
from stopped.handler import handler as stopped
from tests.unit.functions.stack import EXECUTION, GROUP, SETTINGS, Stack, labelled
from tests.unit.functions.test_collect import CLAIMS, predicted
from tests.unit.functions.test_promise import decide
from tests.unit.functions.test_register import passed
from tests.unit.workflow.fakes import make_table

Figures = dict[str, float]
Capture = pytest.CaptureFixture[str]


def written(capsys: Capture) -> Figures:
    """Return the metrics that CloudWatch would take from the lines written so far, each with one value."""
    found: Figures = {}
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        if "_aws" not in document:
            continue
        (directive,) = document["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == metrics.NAMESPACE
        assert directive["Dimensions"] == [[metrics.DIMENSION]]
        units = {each["Name"]: each["Unit"] for each in directive["Metrics"]}
        assert units.items() <= {each.name: each.unit for each in metrics.ALL}.items()
        assert set(document) == {"_aws", metrics.DIMENSION, *units}, "a line has nothing but figures"
        assert document[metrics.DIMENSION] == GROUP
        for name in units:
            (found[name],) = document[name]
    return found


def test_the_names_of_metrics_differ() -> None:
    assert len({metric.name for metric in metrics.ALL}) == len(metrics.ALL)


def test_a_labelled_file_gives_its_counts_and_shares(stack: Stack, capsys: Capture) -> None:
    stack.live()
    state = predicted(stack, CLAIMS)
    written(capsys)
    found = stack.collect(state)
    assert written(capsys) == {
        "Rows": found["rows"],
        "Accepted": found["accepted"],
        "Review": found["review_rows"],
        "Rejected": 1,
        "Missing": 0,
        "Unlike": 1,
        "BrokenPromise": 0,
        "AcceptedShare": 25,
        "ReviewShare": 75,
        "UnlikeShare": 25,
    }


def test_a_file_of_which_no_row_was_labelled_has_no_shares() -> None:
    names = {metric.name for metric in figures(Tally(rows=2), is_broken=False)}
    assert "Rows" in names
    assert not {name for name in names if name.endswith("Share")}


def test_audits_below_the_promise_are_a_metric(stack: Stack, capsys: Capture) -> None:
    stack.live()
    table = aws.dynamodb()
    make_table(table)
    decide(table, 1, right=2, wrong=20)
    state = predicted(stack, CLAIMS)
    written(capsys)
    stack.collect(state)
    assert written(capsys)["BrokenPromise"] == 1


def describe(stack: Stack, state: dict[str, Any]) -> Any:
    """Return SageMaker as it tells a job on Spot: it took 200 seconds, of which 60 are billed."""
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    told = {
        "TrainingJobName": state["training"]["job"],
        "TrainingJobArn": f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{state['training']['job']}",
        "ModelArtifacts": {"S3ModelArtifacts": state["training"]["model_uri"]},
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "CreationTime": now,
        "TrainingTimeInSeconds": 200,
        "BillableTimeInSeconds": 60,
        "EnableManagedSpotTraining": True,
    }
    stubber = Stubber(stack.sagemaker)
    stubber.add_response("describe_training_job", told, {"TrainingJobName": state["training"]["job"]})
    return stubber


def test_a_training_gives_its_accuracy_and_its_seconds(stack: Stack, capsys: Capture) -> None:
    state = stack.validated("train", labelled(20))
    state["training"] = stack.trained(state, accuracy=0.9)
    written(capsys)
    with describe(stack, state):
        evaluate(state, None)
    assert written(capsys) == {"Accuracy": 90, "TrainingSeconds": 200, "BillableSeconds": 60}


def test_a_training_whose_time_cannot_be_asked_for_is_evaluated(stack: Stack, capsys: Capture) -> None:
    state = stack.validated("train", labelled(20))
    state["training"] = stack.trained(state)
    stubber = Stubber(stack.sagemaker)
    stubber.add_client_error("describe_training_job", "ThrottlingException", "Rate exceeded", 400)
    written(capsys)
    with stubber:
        assert evaluate(state, None)["accuracy"]
    assert written(capsys) == {"Accuracy": 90}


def test_only_a_model_that_went_live_gives_the_accuracy_of_the_live_model(
    stack: Stack, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = stack.validated("train", labelled(20))
    written(capsys)
    stack.made_live(state, accuracy=0.9)
    assert written(capsys)["LiveAccuracy"] == 90
    monkeypatch.setenv("CLAIMFLOW_APPROVAL", "manual")
    waiting = passed(stack, accuracy=0.95)
    register(waiting, None)
    assert "LiveAccuracy" not in written(capsys)


@pytest.mark.parametrize(
    ("error", "metric"), [("InvalidData", "RefusedRuns"), ("StackMisconfigured", "FailedRuns")]
)
def test_a_run_that_failed_is_counted_by_who_has_to_mend_it(error: str, metric: str, capsys: Capture) -> None:
    cause = json.dumps({"errorMessage": "It is so.", "errorType": error})
    explain(
        {"state": {"error": {"Error": error, "Cause": cause}}, "execution": EXECUTION, "redrives": 0}, None
    )
    assert written(capsys) == {metric: 1}


def execution(**dates: datetime.datetime) -> dict[str, Any]:
    return {"executionArn": EXECUTION, "stateMachineArn": "m", "name": "r", "status": "RUNNING", **dates}


@pytest.mark.parametrize(
    ("running", "seconds"),
    [
        ([], 0),
        ([{"startDate": 11}, {"startDate": 9}], 3 * 3600),
        ([{"startDate": 2, "redriveDate": 10}], 2 * 3600),
    ],
)
def test_each_hour_the_age_of_the_oldest_run_is_measured(
    running: list[dict[str, int]], seconds: int, capsys: Capture
) -> None:
    made = [
        {key: datetime.datetime(2026, 1, 1, hour, tzinfo=datetime.UTC) for key, hour in dates.items()}
        for dates in running
    ]
    machine = SETTINGS["CLAIMFLOW_STATE_MACHINE"]
    stubber = Stubber(aws.step_functions())
    stubber.add_response(
        "list_executions",
        {"executions": [execution(**dates) for dates in made]},
        {"stateMachineArn": machine, "statusFilter": "RUNNING"},
    )
    with stubber:
        stopped({"detail-type": "Scheduled Event", "time": "2026-01-01T12:00:00Z", "detail": {}}, None)
    assert written(capsys) == {"OldestRunSeconds": seconds}


@pytest.mark.parametrize(("status", "count"), [("FAILED", {"FailedRuns": 1}), ("ABORTED", {})])
def test_a_failure_that_no_step_caught_is_counted_and_what_a_person_stopped_is_not(
    status: str, count: Figures, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMFLOW_TOPIC", "arn:aws:sns:eu-west-1:123456789012:claimflow")
    stubber = Stubber(aws.sns())
    stubber.add_response("publish", {"MessageId": "1"})
    with stubber:
        stopped({"detail": {"status": status, "name": "train-claims", "executionArn": EXECUTION}}, None)
    assert written(capsys) == count
