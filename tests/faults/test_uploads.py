"""What befalls uploads: events that come twice, late or in another order, files replaced in mid-run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.errors import AwsUnavailable
from shared import aws
from start.handler import handler as start
from stopped.handler import handler as stopped
from tests.faults.clients import faults
from tests.faults.rules import BROKEN, THROTTLED, UNANSWERED, Rule
from tests.faults.steps import STEPS, StepFailed, take
from tests.unit.functions.stack import SETTINGS, TOPIC, UPLOADS, Stack, csv_text, labelled

WHERE = "uploads"


@pytest.fixture
def machine(account: Stack) -> Stack:
    account.step_functions.create_state_machine(
        name="claimflow", definition="{}", roleArn="arn:aws:iam::123456789012:role/claimflow"
    )
    return account


def requests(machine: Stack) -> list[dict[str, Any]]:
    """The requests of all executions, in the order of their names."""
    client, arn = machine.step_functions, SETTINGS["CLAIMFLOW_STATE_MACHINE"]
    found = client.list_executions(stateMachineArn=arn)["executions"]
    described = [client.describe_execution(executionArn=one["executionArn"]) for one in found]
    return [json.loads(one["input"]) for one in described]


def uploaded(machine: Stack, key: str, content: str) -> dict[str, Any]:
    """Upload a file, and give the event of it."""
    put = machine.s3.put_object(Bucket=UPLOADS, Key=key, Body=content.encode())
    thing = {"key": key, "version-id": put["VersionId"], "etag": put["ETag"].strip('"')}
    return {"detail": {"bucket": {"name": UPLOADS}, "object": thing}}


@pytest.mark.fault(
    where=WHERE,
    fault="upload events come twice, late and in the wrong order",
    then="one run for each upload, each with its own version of the file",
    reads="",
)
def test_events_in_any_order_and_number_start_one_run_an_upload(machine: Stack) -> None:
    first = uploaded(machine, "train/claims.csv", labelled(20))
    second = uploaded(machine, "train/claims.csv", labelled(30))
    other = uploaded(machine, "predict/claims.csv", "text\na\n")
    for event in (second, other, first, second, first, other, second):
        start(event, None)
    versions = [event["detail"]["object"]["version-id"] for event in (first, second, other)]
    assert sorted(request["version"] for request in requests(machine)) == sorted(versions)


@pytest.mark.parametrize("kind", [THROTTLED, BROKEN, UNANSWERED])
@pytest.mark.fault(
    where=WHERE,
    fault="Step Functions is too busy, fails or does not answer when an upload comes",
    then="asked again; one run. If it lasts, Lambda tries the event again, and then keeps it in a queue",
    reads="",
)
def test_an_upload_survives_a_start_that_fails(kind: str, machine: Stack) -> None:
    event = uploaded(machine, "predict/claims.csv", "text\na\n")
    with faults([aws.step_functions()], Rule(kind, times=None)), pytest.raises(AwsUnavailable):
        start(event, None)
    with faults([aws.step_functions()], Rule(kind, times=2)):
        start(event, None)
    assert len(requests(machine)) == 1


@pytest.mark.parametrize("name", ["validate to train", "validate to predict"])
@pytest.mark.fault(
    where=WHERE,
    fault="the same key is uploaded again before the run has read it",
    then="the run goes on with the version that it began with; the new one has a run of its own",
    reads="",
)
def test_a_file_replaced_before_it_is_read_changes_nothing(name: str, account: Stack) -> None:
    state = STEPS[name].before(account)
    undisturbed = take(STEPS[name], state)
    written = account.everything()
    account.upload(state["request"]["data"].removeprefix(f"s3://{UPLOADS}/"), "text,category\nanother,file\n")
    assert take(STEPS[name], state) == undisturbed
    assert account.everything() == written


@pytest.mark.fault(
    where=WHERE,
    fault="the same key is uploaded again before the results are written",
    then="the results are those of the version that the run began with",
    reads="",
)
def test_a_file_replaced_in_mid_run_does_not_get_the_predictions_of_the_old_one(account: Stack) -> None:
    state = STEPS["collect"].before(account)
    rows = account.table(state["request"]["data"])
    account.upload("predict/open.csv", csv_text(["id", "text"], [("other", "rows")]))
    table = account.table(take(STEPS["collect"], state)["results"])
    assert [(row["id"], row["text"]) for row in table] == [(row["id"], row["text"]) for row in rows]


@pytest.mark.parametrize("name", ["validate to train", "validate to predict", "collect"])
@pytest.mark.fault(
    where=WHERE,
    fault="the version of the file that a run began with is deleted in mid-run",
    then="the run fails; nothing is half written",
    reads="is not there",
)
def test_a_file_deleted_in_mid_run_is_told(name: str, account: Stack, reads: str) -> None:
    state = STEPS[name].before(account)
    file = state["run"]["data"]
    account.s3.delete_object(Bucket=file["bucket"], Key=file["key"], VersionId=file["version"])
    with pytest.raises(StepFailed) as failed:
        take(STEPS[name], state)
    assert reads in failed.value.sentence
    assert file["key"] in failed.value.sentence
    assert "\n" not in failed.value.sentence


@pytest.mark.parametrize("name", ["validate to train", "validate to predict", "collect"])
@pytest.mark.fault(
    where=WHERE,
    fault="a file in a bucket without versions is replaced while it is read",
    then="the run fails rather than to mix two files",
    reads="was changed while it was being read",
)
def test_a_file_without_versions_that_changes_is_told(name: str, account: Stack, reads: str) -> None:
    account.s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Suspended"})
    state = STEPS[name].before(account)
    assert state["run"]["data"]["version"] in {None, "null"}
    account.upload(state["run"]["data"]["key"], "text,category\nanother,file\n")
    with pytest.raises(StepFailed) as failed:
        take(STEPS[name], state)
    assert reads in failed.value.sentence


@pytest.mark.parametrize("kind", [THROTTLED, BROKEN])
@pytest.mark.fault(
    where=WHERE,
    fault="the notification topic is too busy when a run was stopped",
    then="asked again; one message",
    reads="The run was stopped before its end; start it again to have its results whole.",
)
def test_a_stopped_run_is_told_although_the_topic_is_busy(kind: str, account: Stack, reads: str) -> None:
    topic = aws.sns().create_topic(Name=TOPIC.rpartition(":")[2])["TopicArn"]
    detail = {"status": "ABORTED", "name": "a run", "input": "{}", "executionArn": "arn"}
    with faults([aws.sns()], Rule(kind, times=2)) as active:
        stopped({"detail": detail}, None)
    assert len(active.requests) == 3
    from moto.sns.models import sns_backends  # noqa: PLC0415

    ((_, sent, *_),) = sns_backends["123456789012"]["eu-west-1"].topics[topic].sent_notifications
    assert reads in sent
