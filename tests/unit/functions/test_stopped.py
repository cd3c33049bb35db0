"""The notice of a run that ended without telling it itself."""

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from shared import aws
from stopped.ending import notice
from stopped.handler import handler

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


def test_the_notice_goes_to_the_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_TOPIC", "arn:aws:sns:eu-west-1:1:claimflow")
    told = notice(detail())
    message = {
        "TopicArn": "arn:aws:sns:eu-west-1:1:claimflow",
        "Subject": told.subject,
        "Message": told.message,
    }
    with Stubber(aws.sns()) as stub:
        stub.add_response("publish", {}, message)
        assert handler({"detail": detail()}, None) == {"subject": told.subject}
        stub.assert_no_pending_responses()
