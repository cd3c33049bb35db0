"""Unsuccessful executions that go on from where they ended, as on AWS."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_server import (
    ROLE,
    Json,
    Local,
    ended_execution,
    ended_training,
    events,
    make_function,
    messages,
    start_machine,
    wait_for,
)
from tests.local.test_state_machines import batch_state, train_state

CODE = """
import boto3
def handler(event, context):
    objects = boto3.client("s3").list_objects_v2(Bucket=event["bucket"], Prefix="mended").get("KeyCount")
    print("run", event.get("state"), event.get("redrive"))
    if event.get("needs") and not objects: raise ValueError("Nothing is mended.")
    return {"state": event.get("state"), "redrive": event.get("redrive")}
"""
COUNT = "$$.Execution.RedriveCount"


@pytest.fixture(scope="module")
def function(aws: Local) -> str:
    return make_function(aws, "redriven-function", CODE)


def task(function: str, state: str, **more: Json) -> dict[str, Any]:
    payload = {"bucket.$": "$.bucket", "state": state, "redrive.$": COUNT}
    return {
        "Type": "Task",
        "Resource": function,
        "Parameters": {**payload, **more.pop("payload", {})},
        "ResultPath": f"$.{state}",
        **more,
    }


def needing(function: str, bucket: str, name: str, aws: Local) -> str:
    """An execution of three states whose second fails until the bucket holds an object `mended`; its ARN."""
    retry = [{"ErrorEquals": ["ValueError"], "MaxAttempts": 1, "IntervalSeconds": 1}]
    states = {
        "First": task(function, "first", Next="Second"),
        "Second": task(function, "second", payload={"needs": True}, Retry=retry, Next="Third"),
        "Third": task(function, "third", End=True),
    }
    return start_machine(aws, name, {"StartAt": "First", "States": states}, {"bucket": bucket})


def redrive(aws: Local, arn: str) -> dict[str, Any]:
    """Redrive an execution to its end."""
    aws.client("stepfunctions").redrive_execution(executionArn=arn)
    return ended_execution(aws, arn)


def mend(aws: Local, bucket: str) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="mended", Body=b"")


def types(aws: Local, arn: str) -> list[str]:
    return [event["type"] for event in events(aws, arn)]


def test_a_redriven_execution_goes_on_from_the_state_that_failed(
    aws: Local, function: str, bucket: str, name: str
) -> None:
    arn = needing(function, bucket, name, aws)
    assert ended_execution(aws, arn)["status"] == "FAILED"
    mend(aws, bucket)
    execution = redrive(aws, arn)
    assert (execution["status"], execution["redriveCount"]) == ("SUCCEEDED", 1)
    assert "error" not in execution
    # The first state keeps what it gave before there was a redrive.
    assert [
        (part["state"], part["redrive"])
        for part in (json.loads(execution["output"])[key] for key in ("first", "second", "third"))
    ] == [("first", 0), ("second", 1), ("third", 1)]


def test_the_history_of_a_redriven_execution_tells_where_it_went_on(
    aws: Local, function: str, bucket: str, name: str
) -> None:
    arn = needing(function, bucket, name, aws)
    ended_execution(aws, arn)
    mend(aws, bucket)
    redrive(aws, arn)
    happened = events(aws, arn)
    at = next(index for index, event in enumerate(happened) if event["type"] == "ExecutionRedriven")
    assert happened[at]["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert [event["type"] for event in happened[at - 1 : at + 5]] == [
        "ExecutionFailed", "ExecutionRedriven",
        "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
    ]  # fmt: skip
    assert [event["id"] for event in happened] == list(range(1, len(happened) + 1))


def test_a_redriven_state_has_all_its_retries_again(
    aws: Local, function: str, bucket: str, name: str
) -> None:
    arn = needing(function, bucket, name, aws)
    ended_execution(aws, arn)
    for count in (1, 2):
        execution = redrive(aws, arn)
        assert (execution["status"], execution["redriveCount"]) == ("FAILED", count)
    assert types(aws, arn).count("TaskFailed") == 3 * 2


def test_a_redriven_execution_keeps_the_definition_with_which_it_began(
    aws: Local, function: str, bucket: str, name: str
) -> None:
    arn = needing(function, bucket, name, aws)
    machine = ended_execution(aws, arn)["stateMachineArn"]
    other = {"StartAt": "Other", "States": {"Other": {"Type": "Succeed"}}}
    aws.client("stepfunctions").update_state_machine(stateMachineArn=machine, definition=json.dumps(other))
    mend(aws, bucket)
    assert set(json.loads(redrive(aws, arn)["output"])) == {"bucket", "first", "second", "third"}


def test_a_redriven_fail_state_fails_again(aws: Local, function: str, bucket: str, name: str) -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Failed", "ResultPath": "$.error"}]
    states = {
        "Only": task(function, "only", payload={"needs": True}, Catch=catch, End=True),
        "Failed": {"Type": "Fail", "Error": "Told", "Cause": "It was told."},
    }
    arn = start_machine(aws, name, {"StartAt": "Only", "States": states}, {"bucket": bucket})
    ended_execution(aws, arn)
    mend(aws, bucket)
    execution = redrive(aws, arn)
    assert (execution["status"], execution["error"], execution["cause"]) == (
        "FAILED", "Told", "It was told.",
    )  # fmt: skip
    assert types(aws, arn)[-3:] == ["ExecutionRedriven", "FailStateEntered", "ExecutionFailed"]


def test_a_stopped_execution_is_redriven_with_a_new_job(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    state = train_state(
        training, 'echo on; case "$TRAINING_JOB_NAME" in *-0) exec sleep 600;; esac', End=True
    )
    state["Parameters"].pop("TrainingJobName")
    state["Parameters"]["TrainingJobName.$"] = f"States.Format('{name}-{{}}', {COUNT})"
    arn = start_machine(aws, name, {"StartAt": "Only", "States": {"Only": state}})
    wait_for(lambda: messages(aws, "/aws/sagemaker/TrainingJobs", f"{name}-0"))
    aws.client("stepfunctions").stop_execution(executionArn=arn)
    execution = redrive(aws, arn)
    assert execution["status"] == "SUCCEEDED", execution
    assert ended_training(aws, f"{name}-0")["TrainingJobStatus"] == "Stopped"
    assert ended_training(aws, f"{name}-1")["TrainingJobStatus"] == "Completed"


def test_an_execution_that_timed_out_is_redriven_with_its_whole_time(
    aws: Local, job_queue: str, job_definition: str, bucket: str, name: str
) -> None:
    state = batch_state(job_queue, job_definition, "exec sleep 600")
    definition = {"StartAt": "Only", "TimeoutSeconds": 1, "States": {"Only": {**state, "End": True}}}
    arn = start_machine(aws, name, definition)
    assert ended_execution(aws, arn)["status"] == "TIMED_OUT"
    assert redrive(aws, arn)["status"] == "TIMED_OUT"
    assert types(aws, arn).count("TaskSubmitted") == 2


def test_what_cannot_be_redriven_is_refused_with_the_reason(
    aws: Local, function: str, bucket: str, name: str
) -> None:
    client = aws.client("stepfunctions")
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100, "End": True}}}
    arn = start_machine(aws, name, wait)
    with pytest.raises(ClientError, match=r"ExecutionNotRedrivable.*Execution is RUNNING"):
        client.redrive_execution(executionArn=arn)
    done = ended_execution(aws, arn)
    assert done["redriveStatus"] == "NOT_REDRIVABLE"
    assert done["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    with pytest.raises(ClientError, match=r"ExecutionNotRedrivable.*Execution is SUCCEEDED"):
        client.redrive_execution(executionArn=arn)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        client.redrive_execution(executionArn=f"{arn}-other")


def test_a_redrive_sent_twice_is_one_redrive(aws: Local, function: str, bucket: str, name: str) -> None:
    arn = needing(function, bucket, name, aws)
    assert ended_execution(aws, arn)["redriveStatus"] == "REDRIVABLE"
    client = aws.client("stepfunctions")
    mend(aws, bucket)
    dates = [client.redrive_execution(executionArn=arn, clientToken=name)["redriveDate"] for _ in range(2)]
    assert dates[0] == dates[1]
    execution = ended_execution(aws, arn)
    assert (execution["redriveCount"], execution["redriveDate"]) == (1, dates[0])
    listed = client.list_executions(stateMachineArn=execution["stateMachineArn"])["executions"]
    assert [(item["redriveCount"], item["redriveDate"]) for item in listed] == [(1, dates[0])]


def test_an_execution_that_was_never_redriven_counts_none(aws: Local, name: str) -> None:
    definition = {
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "Parameters": {"n.$": COUNT}, "End": True}},
    }
    machine = aws.client("stepfunctions").create_state_machine(
        name=name, roleArn=ROLE, definition=json.dumps(definition)
    )["stateMachineArn"]
    arn = aws.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]
    execution = ended_execution(aws, arn)
    assert (json.loads(execution["output"]), execution["redriveCount"]) == ({"n": 0}, 0)
    assert "redriveDate" not in execution
