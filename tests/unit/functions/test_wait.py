"""explain: a training that got no machine waits and is tried again; any other fails."""

import json
from typing import Any

import pytest

from contract import steps
from explain.handler import handler
from tests.unit.functions.stack import EXECUTION

NO_QUOTA = "SageMaker.ResourceLimitExceededException"
QUOTA = "The account-level service limit 'ml.m5.xlarge for training job usage' is 0 Instances."
NO_CAPACITY = "CapacityError: Unable to provision requested ML compute capacity."
ITSELF = "InternalServerError: We encountered an internal error. Please try again."
RUN = {"id": "train-claims-1", "action": "train", "job_name": "claimflow-claims-0123456789abcdef"}
State = dict[str, Any]


def training(error: str, cause: str, **more: Any) -> State:
    request = {"action": "train", "data": "s3://b/train/claims.csv"}
    before = {"request": request, "run": RUN, "validation": {"train": {}, "predict": None}}
    return {**before, "error": {"Error": error, "Cause": cause}, **more}


def job(reason: str) -> str:
    return json.dumps({"TrainingJobName": "j", "TrainingJobStatus": "Failed", "FailureReason": reason})


def explained(state: State, redrives: int = 0) -> State:
    return dict(handler({"state": state, "execution": EXECUTION, "redrives": redrives}, None))


@pytest.mark.parametrize(
    ("error", "cause", "said"),
    [
        (NO_QUOTA, QUOTA, f"AWS gave it no machine ({QUOTA.rstrip('.')})"),
        ("States.TaskFailed", job(NO_CAPACITY), f"AWS gave it no machine ({NO_CAPACITY.rstrip('.')})"),
        ("States.TaskFailed", job(NO_CAPACITY)[:-1], "AWS gave it no machine (CapacityError"),
        ("States.TaskFailed", job(ITSELF), "SageMaker itself failed (InternalServerError"),
    ],
    ids=["quota", "capacity", "capacity, cut", "SageMaker"],
)
def test_a_training_without_a_machine_waits_and_people_are_told_once(
    error: str, cause: str, said: str
) -> None:
    state = training(error, cause)
    first = explained(state)
    assert first["wait"] == {"number": 1, "begins": True, "job_name": f"{RUN['job_name']}-w1"}
    assert first["subject"] == "Claimflow: claims.csv waits for a machine"
    assert f"The training waits: {said}" in first["message"]
    assert "It is tried again every 10 minutes" in first["message"]
    assert f"stop {EXECUTION.rsplit(':', 1)[-1]}`" in first["message"]
    run = {**RUN, "job_name": first["wait"]["job_name"]}
    second = explained({**state, "run": run, "failure": first})
    assert second["wait"] == {"number": 2, "begins": False, "job_name": f"{RUN['job_name']}-w2"}


@pytest.mark.parametrize(
    ("error", "cause", "most", "hours"),
    [
        (NO_QUOTA, QUOTA, steps.MOST_WAITS, "12 hours"),
        ("States.TaskFailed", job(ITSELF), steps.MOST_WAITS_FOR_SAGEMAKER, "1 hour in all"),
    ],
)
def test_a_wait_has_an_end_and_the_run_fails_then(error: str, cause: str, most: int, hours: str) -> None:
    state, waits = training(error, cause), 0
    while "wait" in (failure := explained(state)):
        waits += 1
        assert waits > 1 or hours in failure["message"]
        state["failure"] = failure
        state["run"] = {**RUN, "job_name": failure["wait"]["job_name"]}
    assert waits == most
    assert failure["subject"].startswith("Claimflow: claims.csv failed")
    assert "redrive" in failure["message"]


def test_a_redriven_training_waits_anew() -> None:
    state = training(NO_QUOTA, QUOTA)
    state["failure"] = {
        **explained(state),
        "wait": {"number": steps.MOST_WAITS, "begins": False, "job_name": "j"},
    }
    assert "wait" not in explained(state)
    assert explained(state, redrives=1)["wait"]["begins"] is True


@pytest.mark.parametrize(
    "cause",
    [
        job("AlgorithmError: CapacityError of the program, exit code: 1"),
        job("AlgorithmError: , exit code: 137"),
        json.dumps({"TrainingJobName": "j", "TrainingJobStatus": "Stopped"}),
        "[]",
        "",
    ],
)
def test_a_training_that_failed_by_itself_does_not_wait(cause: str) -> None:
    assert "wait" not in explained(training("States.TaskFailed", cause))


def test_another_step_does_not_wait_for_a_machine() -> None:
    assert "wait" not in explained(training(NO_QUOTA, QUOTA, training={}))


def test_only_a_quota_is_to_be_asked_for() -> None:
    assert "Service Quotas" in explained(training(NO_QUOTA, QUOTA))["message"]
    assert "Service Quotas" not in explained(training("States.TaskFailed", job(NO_CAPACITY)))["message"]
