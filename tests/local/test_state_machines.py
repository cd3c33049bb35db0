"""Step Functions, as strict as AWS."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_server import (
    ROLE,
    Json,
    Local,
    described_job,
    ended_execution,
    ended_training,
    events,
    make_function,
    messages,
    run_state,
    start_machine,
    wait_for,
)

TRAIN = "arn:aws:states:::sagemaker:createTrainingJob.sync"
SUBMIT = "arn:aws:states:::batch:submitJob.sync"
INVOKE = "arn:aws:states:::lambda:invoke"
CODE = """
import time
class InvalidData(Exception): pass
def handler(event, context):
    print("seen", event.get("say"))
    if event.get("sleep"): time.sleep(event["sleep"])
    if event.get("fail"): raise InvalidData(event["fail"])
    if event.get("size"): return {"text": "x" * event["size"]}
    return {"said": event.get("say")}
"""


@pytest.fixture(scope="module")
def function(aws: Local) -> str:
    return make_function(aws, "states-function", CODE)


def train_state(training: dict[str, Any], script: str, **more: Json) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": TRAIN,
        "Parameters": training | {"Environment": {"SCRIPT": script}},
        **more,
    }


def batch_state(queue: str, definition: str, script: str, **more: Json) -> dict[str, Any]:
    environment = [{"Name": "SCRIPT", "Value": script}]
    parameters = {
        "JobName": "job",
        "JobQueue": queue,
        "JobDefinition": definition,
        "ContainerOverrides": {"Environment": environment},
        **more,
    }
    return {"Type": "Task", "Resource": SUBMIT, "Parameters": parameters}


def test_training_gives_the_job_and_its_history(aws: Local, training: dict[str, Any], name: str) -> None:
    execution = run_state(aws, name, train_state(training, "true"))
    assert execution["status"] == "SUCCEEDED", execution
    assert json.loads(execution["output"])["TrainingJobStatus"] == "Completed"
    happened = events(aws, execution["executionArn"])
    assert [event["type"] for event in happened] == [
        "ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted",
        "TaskSucceeded",         "TaskStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    assert happened[4]["taskSubmittedEventDetails"]["resource"] == "createTrainingJob.sync"
    assert happened[4]["taskSubmittedEventDetails"]["resourceType"] == "sagemaker"
    assert [event["previousEventId"] for event in happened] == list(range(8))


def test_a_failed_training_fails_the_task_with_the_job_as_cause(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    state = train_state(training, "echo 'No labels.' > output/failure; exit 1")
    execution = run_state(aws, name, state)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(execution["cause"])["FailureReason"] == "AlgorithmError: No labels., exit code: 1"


def test_a_training_name_that_was_used_has_awss_error_name(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    run_state(aws, name, train_state(training, "true"))
    execution = run_state(aws, f"{name}-again", train_state(training, "true"))
    assert execution["error"] == "SageMaker.ResourceInUseException"


def test_a_batch_job_fails_the_task_with_the_job_as_cause(
    aws: Local, job_queue: str, job_definition: str, name: str
) -> None:
    state = batch_state(job_queue, job_definition, "exit 3", ArrayProperties={"Size": 2})
    execution = run_state(aws, name, state)
    cause = json.loads(execution["cause"])
    assert (execution["error"], cause["Status"]) == ("States.TaskFailed", "FAILED")
    assert cause["ArrayProperties"]["StatusSummary"]["FAILED"] == 2
    child = described_job(aws, f"{cause['JobId']}:0")
    assert child["container"]["exitCode"] == 3


def test_a_batch_job_that_is_refused_has_awss_error_name(aws: Local, job_queue: str, name: str) -> None:
    execution = run_state(aws, name, batch_state(job_queue, "nobody", "true"))
    assert execution["error"] == "Batch.ClientException"


def test_stopping_an_execution_stops_its_training(aws: Local, training: dict[str, Any], name: str) -> None:
    state = {
        **train_state(training, "echo on\nexec sleep 600"),
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rest"}],
    }
    definition = {
        "StartAt": "Only",
        "States": {"Only": {**state, "End": True}, "Rest": {"Type": "Pass", "End": True}},
    }
    arn = start_machine(aws, name, definition)
    wait_for(lambda: messages(aws, "/aws/sagemaker/TrainingJobs", name))
    aws.client("stepfunctions").stop_execution(executionArn=arn, error="Stopped", cause="by hand")
    assert ended_training(aws, name)["TrainingJobStatus"] == "Stopped"
    execution = ended_execution(aws, arn)
    assert (execution["status"], execution["cause"]) == ("ABORTED", "by hand")
    assert events(aws, arn)[-1]["type"] == "ExecutionAborted"


def test_a_task_that_takes_too_long_stops_its_job_and_is_a_timeout(
    aws: Local, job_queue: str, job_definition: str, name: str
) -> None:
    state = {**batch_state(job_queue, job_definition, "exec sleep 600"), "TimeoutSeconds": 1}
    execution = run_state(aws, name, state)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Timeout")
    submitted = next(
        event for event in events(aws, execution["executionArn"]) if event["type"] == "TaskSubmitted"
    )
    job_id = json.loads(submitted["taskSubmittedEventDetails"]["output"])["JobId"]
    wait_for(lambda: described_job(aws, job_id)["status"] == "FAILED")


def test_an_execution_that_takes_too_long_has_timed_out(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    state = train_state(training, "exec sleep 600", End=True)
    arn = start_machine(aws, name, {"StartAt": "Only", "TimeoutSeconds": 1, "States": {"Only": state}})
    assert ended_execution(aws, arn)["status"] == "TIMED_OUT"
    assert ended_training(aws, name)["TrainingJobStatus"] == "Stopped"
    assert events(aws, arn)[-1]["type"] == "ExecutionTimedOut"


def test_a_choice_on_a_path_that_is_missing_fails(aws: Local, name: str) -> None:
    rule = {"Variable": "$.a.b", "BooleanEquals": True, "Next": "End"}
    states = {"Only": {"Type": "Choice", "Choices": [rule], "Default": "End"}, "End": {"Type": "Succeed"}}
    execution = ended_execution(aws, start_machine(aws, name, {"StartAt": "Only", "States": states}))
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Runtime")
    assert "Invalid path '$.a.b'" in execution["cause"]


@pytest.mark.parametrize(("data", "end"), [({"a": None}, "Here"), ({}, "Missing")])
def test_is_present_asks_for_the_key_not_for_its_value(
    aws: Local, name: str, data: dict[str, Any], end: str
) -> None:
    rule = {"Variable": "$.a", "IsPresent": True, "Next": "Here"}
    ends = {key: {"Type": "Pass", "Result": key, "End": True} for key in ("Here", "Missing")}
    choice = {"Type": "Choice", "Choices": [rule], "Default": "Missing"}
    execution = ended_execution(
        aws, start_machine(aws, name, {"StartAt": "C", "States": {"C": choice, **ends}}, data)
    )
    assert json.loads(execution["output"]) == end


def test_a_parameter_path_that_is_missing_fails_and_is_not_caught(
    aws: Local, function: str, name: str
) -> None:
    state = {
        "Type": "Task", "Resource": INVOKE, "End": True,
        "Parameters": {"FunctionName": function, "Payload": {"say.$": "$.nothing"}},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rest"}],
    }  # fmt: skip
    states = {"Only": state, "Rest": {"Type": "Succeed"}}
    execution = ended_execution(aws, start_machine(aws, name, {"StartAt": "Only", "States": states}))
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Runtime")


def test_the_retry_count_and_the_maximum_of_attempts_hold(
    aws: Local, training: dict[str, Any], name: str
) -> None:
    retry = {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2.0}
    state = train_state(training, "exit 1", Retry=[{**retry, "MaxDelaySeconds": 2, "JitterStrategy": "FULL"}])
    del state["Parameters"]["TrainingJobName"]
    state["Parameters"]["TrainingJobName.$"] = f"States.Format('{name}-{{}}', $$.State.RetryCount)"
    assert run_state(aws, name, state)["status"] == "FAILED"
    listed = aws.client("sagemaker").list_training_jobs(
        NameContains=f"{name}-", SortBy="Name", SortOrder="Ascending"
    )
    assert [job["TrainingJobName"] for job in listed["TrainingJobSummaries"]] == [
        f"{name}-{n}" for n in range(3)
    ]


def test_a_fail_state_takes_error_and_cause_from_the_data(aws: Local, name: str) -> None:
    state = {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.sentence"}
    arn = start_machine(
        aws, name, {"StartAt": "F", "States": {"F": state}}, {"error": "InvalidData", "sentence": "No."}
    )
    execution = ended_execution(aws, arn)
    assert (execution["error"], execution["cause"]) == ("InvalidData", "No.")
    assert "output" not in execution or execution["output"] is None


def test_a_lambda_exception_is_caught_by_its_class_name(aws: Local, function: str, name: str) -> None:
    state = {
        "Type": "Task", "Resource": INVOKE, "End": True,
        "Parameters": {"FunctionName": function, "Payload": {"fail": "Line 3 has no text."}},
        "Catch": [{"ErrorEquals": ["InvalidData"], "ResultPath": "$.error", "Next": "Rest"}],
    }  # fmt: skip
    states = {"Only": state, "Rest": {"Type": "Succeed"}}
    execution = ended_execution(aws, start_machine(aws, name, {"StartAt": "Only", "States": states}))
    caught = json.loads(execution["output"])["error"]
    cause = json.loads(caught["Cause"])
    assert caught["Error"] == cause["errorType"] == "InvalidData"
    assert cause["errorMessage"] == "Line 3 has no text."
    assert any("in handler" in frame for frame in cause["stackTrace"])


def test_a_result_that_is_too_large_fails_the_state(aws: Local, function: str, name: str) -> None:
    payload = {"FunctionName": function, "Payload": {"size": 300_000}}
    execution = run_state(aws, name, {"Type": "Task", "Resource": INVOKE, "Parameters": payload})
    assert (execution["status"], execution["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_the_same_start_twice_is_one_execution(aws: Local, name: str) -> None:
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100, "End": True}}}
    first = start_machine(aws, name, definition, name="run")
    machine = aws.client("stepfunctions").describe_execution(executionArn=first)["stateMachineArn"]
    again = aws.client("stepfunctions").start_execution(stateMachineArn=machine, name="run", input="{}")
    assert again["executionArn"] == first
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        aws.client("stepfunctions").start_execution(stateMachineArn=machine, name="run", input='{"other": 1}')
    ended_execution(aws, first)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        aws.client("stepfunctions").start_execution(stateMachineArn=machine, name="run", input="{}")
    with pytest.raises(ClientError, match="InvalidName"):
        aws.client("stepfunctions").start_execution(stateMachineArn=machine, name="x" * 81, input="{}")
    for no_json in ("{", '{"rate": NaN}'):
        with pytest.raises(ClientError, match="InvalidExecutionInput"):
            aws.client("stepfunctions").start_execution(stateMachineArn=machine, name="new", input=no_json)


def test_executions_are_listed_in_pages(aws: Local, name: str) -> None:
    machine = aws.client("stepfunctions").create_state_machine(
        name=name, roleArn=ROLE, definition=json.dumps({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}})
    )["stateMachineArn"]
    started = [
        aws.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"] for _ in range(3)
    ]
    for arn in started:
        ended_execution(aws, arn)
    pages = (
        aws.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=machine, maxResults=2)
    )
    assert {item["executionArn"] for page in pages for item in page["executions"]} == set(started)


def test_an_execution_that_an_alias_started_ends_on_the_version_that_it_began_with(
    aws: Local, name: str
) -> None:
    client = aws.client("stepfunctions")
    made = client.create_state_machine(
        name=name, roleArn=ROLE, definition=says("first", wait=2), publish=True, versionDescription="first"
    )
    machine = made["stateMachineArn"]
    version = {"stateMachineVersionArn": made["stateMachineVersionArn"], "weight": 100}
    alias = client.create_state_machine_alias(name="live", routingConfiguration=[version])[
        "stateMachineAliasArn"
    ]
    begun = client.start_execution(stateMachineArn=alias, name="begun", input="{}")["executionArn"]
    changed = client.update_state_machine(stateMachineArn=machine, definition=says("second"), publish=True)[
        "stateMachineVersionArn"
    ]
    held = client.start_execution(stateMachineArn=alias, input="{}")["executionArn"]
    client.update_state_machine_alias(
        stateMachineAliasArn=alias, routingConfiguration=[{"stateMachineVersionArn": changed, "weight": 100}]
    )
    later = client.start_execution(stateMachineArn=alias, input="{}")["executionArn"]
    ended = [json.loads(ended_execution(aws, arn)["output"]) for arn in (begun, held, later)]
    assert ended == ["first", "first", "second"]
    assert len(client.list_executions(stateMachineArn=machine)["executions"]) == 3


def test_an_execution_that_an_alias_starts_twice_by_its_name_is_one(aws: Local, name: str) -> None:
    client = aws.client("stepfunctions")
    version = client.create_state_machine(
        name=name, roleArn=ROLE, definition=says("late", wait=3600), publish=True
    )["stateMachineVersionArn"]
    alias = client.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
    )["stateMachineAliasArn"]
    once, twice = (
        client.start_execution(stateMachineArn=alias, name="begun", input="{}")["executionArn"]
        for _ in range(2)
    )
    client.stop_execution(executionArn=once)
    assert once == twice


def says(text: str, wait: int = 0) -> str:
    """Return a definition that waits, and then gives the text."""
    states: dict[str, Any] = {
        "Wait": {"Type": "Wait", "Seconds": wait, "Next": "Say"},
        "Say": {"Type": "Pass", "Result": text, "End": True},
    }
    return json.dumps({"StartAt": "Wait", "States": states})
