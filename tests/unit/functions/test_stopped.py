"""The notice of a run that ended without telling it itself."""

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from shared import aws
from stopped import blocked
from stopped.ending import notice
from stopped.handler import handler
from tests.unit.functions.stack import TOPIC

ARN = "arn:aws:states:eu-west-1:1:execution:claimflow:train-claims"


def detail(**values: Any) -> dict[str, Any]:
    request = json.dumps({"action": "train", "data": "s3://uploads/train/claims.csv"})
    return {"executionArn": ARN, "name": "train-claims", "status": "ABORTED", "input": request} | values


def test_a_stopped_run_is_told_with_its_file_and_execution() -> None:
    told = notice(detail())
    assert told.subject == "Claimflow: claims.csv ended: aborted"
    assert "was stopped" in told.message
    assert "claims.csv" in told.message
    assert ARN in told.message


def test_a_stopped_run_says_how_to_go_on_from_where_it_was() -> None:
    assert "claimflow redrive train-claims" in notice(detail()).message


def test_a_run_that_took_too_long_is_told() -> None:
    assert "longer than a run may" in notice(detail(status="TIMED_OUT")).message


def test_a_fault_that_no_step_caught_is_told_with_its_cause() -> None:
    told = notice(detail(status="FAILED", error="States.DataLimitExceeded", cause="The state\nis too large."))
    assert "States.DataLimitExceeded. The state is too large." in told.message


@pytest.mark.parametrize("unreadable", [None, "", "{", '"train"', "{}", "[" * 5_000 + "]" * 5_000])
def test_a_request_that_cannot_be_read_leaves_the_executions_name(unreadable: str | None) -> None:
    assert notice(detail(input=unreadable)).subject == "Claimflow: train-claims ended: aborted"


def test_the_notice_goes_to_the_topic() -> None:
    told = notice(detail())
    message = {
        "TopicArn": TOPIC,
        "Subject": told.subject,
        "Message": told.message,
    }
    with Stubber(aws.sns()) as stub:
        stub.add_response("publish", {}, message)
        assert handler({"detail": detail()}, None) == {"subject": told.subject}
        stub.assert_no_pending_responses()


def waiting(reason: str) -> dict[str, Any]:
    return {
        "jobName": "claimflow-claims-0",
        "jobQueue": "queue",
        "status": "RUNNABLE",
        "statusReason": reason,
    }


def test_a_prediction_that_waits_for_capacity_is_told_and_goes_on_by_itself() -> None:
    reason = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested"
    told = blocked.notice(waiting(reason))
    assert told.subject == "Claimflow: predictions wait for a machine"
    assert "claimflow-claims-0 waits, and all behind it: no machine came for it" in told.message
    assert reason in told.message
    assert "Start again" not in told.message, "it has not ended"
    assert "goes on by itself" in told.message


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too large", "larger BatchInstanceTypes"),
        ("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - too few", "more MaxvCpus"),
        ("MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS - not allowed", "must change what it asks for"),
        ("ACTION_REQUIRED - the compute environment is invalid", "must change what it asks for"),
    ],
)
def test_a_prediction_that_no_waiting_helps_says_what_to_change(reason: str, advice: str) -> None:
    message = blocked.notice(waiting(reason)).message
    assert advice in message
    assert reason in message


@pytest.mark.parametrize("reason", ["UNDETERMINED - the root cause is undetermined.", ""])
def test_of_a_prediction_that_waits_for_an_unknown_reason_no_cause_is_made_up(reason: str) -> None:
    message = blocked.notice(waiting(reason)).message
    assert (f"AWS Batch says: {reason.rstrip('.')}" if reason else "no reason was given") in message


def test_the_event_of_a_blocked_queue_is_told_as_one() -> None:
    told = blocked.notice(waiting("UNDETERMINED"))
    sent = {"TopicArn": TOPIC, "Subject": told.subject, "Message": told.message}
    with Stubber(aws.sns()) as stub:
        stub.add_response("publish", {}, sent)
        event = {"detail-type": "Batch Job Queue Blocked", "detail": waiting("UNDETERMINED")}
        assert handler(event, None) == {"subject": told.subject}
        stub.assert_no_pending_responses()
