import json
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.workflow.histories import START, history, recorded
from workflow.executions import data_of, steps

VALIDATE = [
    ("TaskStateEntered", {"name": "Validate"}),
    ("LambdaFunctionScheduled", {}),
]


def table(name: str) -> list[tuple[str, str]]:
    return [(step.name, step.status) for step in steps(recorded(name)[1])]


def test_a_good_training_shows_its_tasks_and_the_gate_and_no_routing() -> None:
    names = ["Prepare", "Validate", "Train", "Evaluate", "Gate", "Register", "Notify trained"]
    assert table("trained") == [(name, "done") for name in names]


def test_a_good_prediction_shows_its_tasks() -> None:
    names = ["Prepare", "Validate", "Predict", "Collect", "Notify results"]
    assert table("predicted") == [(name, "done") for name in names]


def test_a_caught_error_makes_a_failed_step_that_names_it() -> None:
    failed = steps(recorded("invalid_data")[1])[1]
    assert (failed.name, failed.status, failed.error) == ("Validate", "failed", "InvalidData")


def test_the_end_of_a_run_that_failed_is_its_last_step() -> None:
    assert table("invalid_data")[-1] == ("Failed", "failed")
    assert table("rejected")[-1] == ("Rejected", "failed")


def test_the_training_job_is_known_from_its_submission() -> None:
    jobs = [step.job for step in steps(recorded("trained")[1]) if step.job]
    assert jobs == ["claimflow-claims-train-7586cc057d854fd1-0"]


def test_a_half_told_history_has_one_running_step() -> None:
    _, events = recorded("trained")
    seen = steps(events[:19])
    assert [(step.name, step.status) for step in seen][-1] == ("Train", "running")
    assert seen[-1].duration(seen[-1].started + timedelta(seconds=5)) == timedelta(seconds=5)


def test_a_retried_state_is_one_step_with_several_attempts_and_its_error_is_forgotten() -> None:
    failure = ("LambdaFunctionFailed", {"error": "Lambda.TooManyRequestsException", "cause": "…"})
    events = history(
        *VALIDATE,
        failure,
        ("LambdaFunctionScheduled", {}),
        ("LambdaFunctionSucceeded", {"output": "{}"}),
        ("TaskStateExited", {"name": "Validate", "output": "{}"}),
    )
    (step,) = steps(events)
    assert (step.status, step.attempts, step.error) == ("done", 2, None)
    assert step.duration(START) == timedelta(seconds=5)


def test_a_state_between_two_attempts_shows_the_error() -> None:
    (step,) = steps(history(*VALIDATE, ("LambdaFunctionFailed", {"error": "Lambda.ServiceException"})))
    assert (step.status, step.attempts, step.error) == ("running", 1, "Lambda.ServiceException")


def test_a_state_that_took_too_long_shows_that() -> None:
    (step,) = steps(history(*VALIDATE, ("LambdaFunctionTimedOut", {})))
    assert step.error == "States.Timeout"


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("ExecutionAborted", "stopped"),
        ("ExecutionTimedOut", "failed"),
        ("ExecutionFailed", "failed"),
        ("ExecutionSucceeded", "done"),
    ],
)
def test_the_end_of_the_run_ends_the_step_that_is_open(end: str, status: str) -> None:
    (step,) = steps(history(*VALIDATE, (end, {})))
    assert (step.status, step.ended) == (status, START + timedelta(seconds=3))


def test_a_history_of_nothing_gives_no_steps() -> None:
    assert steps([]) == []


def test_a_clock_that_is_behind_gives_no_negative_duration() -> None:
    (step,) = steps(history(*VALIDATE))
    assert step.duration(START) == timedelta()


def test_the_data_of_a_run_that_succeeded_is_its_output() -> None:
    data = data_of(*recorded("predicted"))
    assert data["results"]["rows"] == 1200


def test_the_data_of_a_run_that_failed_is_what_its_last_finished_state_gave() -> None:
    data = data_of(*recorded("rejected"))
    assert data["evaluation"]["accuracy"] < data["evaluation"]["bar"]
    assert data["run"]["action"] == "train"


def test_a_run_that_has_only_begun_has_its_input_as_data() -> None:
    description: dict[str, Any] = {"input": '{"action": "train"}'}
    assert data_of(description, []) == {"request": {"action": "train"}}
    assert data_of({}, []) == {}


def test_a_training_that_waits_for_another_says_for_which_until_it_is_its_turn() -> None:
    said = "The run waits for the training of claims.csv, which began before it."
    refused = {"error": "AnotherTrains", "cause": json.dumps({"errorMessage": said})}
    waiting = [
        ("TaskStateEntered", {"name": "Turn"}),
        ("LambdaFunctionScheduled", {}),
        ("LambdaFunctionFailed", refused),
    ]
    (step,) = steps(history(*waiting))
    assert (step.status, step.waits) == (
        "running",
        "waits for the training of claims.csv, which began before it",
    )
    done = [
        ("LambdaFunctionScheduled", {}),
        ("LambdaFunctionSucceeded", {}),
        ("TaskStateExited", {"name": "Turn"}),
    ]
    (step,) = steps(history(*waiting, *done))
    assert (step.status, step.attempts) == ("done", 2)


def test_a_training_whose_reason_to_wait_was_cut_still_waits_for_another() -> None:
    refused = {"error": "AnotherTrains", "cause": '{"errorMessage": "The run waits for the tra'}
    (step,) = steps(history(("TaskStateEntered", {"name": "Turn"}), ("LambdaFunctionFailed", refused)))
    assert step.waits == "waits for another training"


def test_a_step_that_is_redriven_runs_again_and_ends_as_it_ends_then() -> None:
    failed = [
        *VALIDATE,
        ("LambdaFunctionFailed", {"error": "Unexpected", "cause": "…"}),
        ("ExecutionFailed", {"error": "Unexpected", "cause": "…"}),
    ]
    again = [*failed, ("ExecutionRedriven", {"redriveCount": 1}), ("LambdaFunctionScheduled", {})]
    done = [
        *again,
        ("LambdaFunctionSucceeded", {}),
        ("TaskStateExited", {"name": "Validate", "output": "{}"}),
    ]
    found = [steps(history(*events)) for events in (failed, again, done)]
    seen = [[(step.name, step.status, step.attempts) for step in each] for each in found]
    assert seen == [[("Validate", "failed", 1)], [("Validate", "running", 2)], [("Validate", "done", 2)]]


def test_the_failed_end_of_a_redriven_run_stays_as_it_was() -> None:
    found = steps(
        history(
            ("TaskStateEntered", {"name": "Failed"}),
            ("TaskScheduled", {}),
            ("TaskFailed", {"error": "TrainingFailed", "cause": "…"}),
            ("ExecutionFailed", {"error": "TrainingFailed", "cause": "…"}),
            ("ExecutionRedriven", {"redriveCount": 1}),
            ("TaskScheduled", {}),
            ("TaskStateExited", {"name": "Failed", "output": "{}"}),
            ("TaskStateEntered", {"name": "Train"}),
        )
    )
    assert [(step.name, step.status) for step in found] == [("Failed", "failed"), ("Train", "running")]
