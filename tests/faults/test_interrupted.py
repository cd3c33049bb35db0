"""What befalls a function that ends in its middle: after any of its requests, it can be taken again."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from contract.errors import AwsUnavailable
from contract.keys import LIVE_KEYS
from explain.handler import handler as explain
from publish.handler import handler as publish
from shared import aws
from tests.faults.clients import faults
from tests.faults.rules import DENIED, RESET, THROTTLED, UNANSWERED, Rule
from tests.faults.steps import STEPS, StepFailed, explained, take
from tests.unit.functions.stack import ARTIFACTS, EXECUTION, GROUP, RESULTS, Stack

WHERE = "functions"
MAKE_A_VERSION = ["register", "threshold"]
STORING = [name for name in STEPS if name not in MAKE_A_VERSION]


#: The file of a step that comes last, and the folder of which it tells.
LAST = {
    "collect": ("/manifest.json", f"s3://{RESULTS}/"),
    "validate to predict": ("/predict/manifest.json", f"s3://{ARTIFACTS}/runs/predict-"),
}


def clients() -> list[Any]:
    return [aws.s3(), aws.sagemaker(), aws.dynamodb()]


def remove(account: Stack, uris: set[str]) -> None:
    for uri in uris:
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        account.s3.delete_object(Bucket=bucket, Key=key)


@pytest.mark.parametrize("name", STORING)
@pytest.mark.fault(
    where=WHERE,
    fault="a function ends after any of its requests",
    then="taken again, it writes the same files; a manifest is there only when all that it names is there",
    reads="and trying again did not help. Start it again",
)
def test_a_step_that_ends_after_any_request_is_whole_when_taken_again(
    name: str, account: Stack, reads: str
) -> None:
    step = STEPS[name]
    state = step.before(account)
    before = account.everything()
    with faults(clients()) as undisturbed:
        given = take(step, state)
    written = account.everything()
    for count in range(len(undisturbed.requests)):
        remove(account, written.keys() - before.keys())
        with faults(clients(), Rule(RESET, skip=count, times=None)), pytest.raises(StepFailed) as failed:
            take(step, state)
        assert reads in failed.value.sentence
        nothing_too_early(account, name, written)
        assert take(step, state) == given
        assert account.everything() == written


def nothing_too_early(account: Stack, name: str, written: dict[str, bytes]) -> None:
    """The file that says that all is there comes after all that it names."""
    there = account.everything().keys()
    last, folder = LAST.get(name, ("", "no such folder"))
    if any(uri.startswith(folder) and uri.endswith(last) for uri in there):
        assert {uri for uri in written if uri.startswith(folder)} <= there


def approved(account: Stack) -> list[dict[str, Any]]:
    listed = account.sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]
    return [package for package in listed if package["ModelApprovalStatus"] == "Approved"]


@pytest.mark.parametrize("kind", [RESET, UNANSWERED])
@pytest.mark.parametrize("count", range(16))
@pytest.mark.parametrize("name", MAKE_A_VERSION)
@pytest.mark.fault(
    where=WHERE,
    fault="the step that makes a model or its new target live ends after any of its requests",
    then="that is live, or not at all; taken again, one version of it is live, and the message is the same",
    reads="and trying again did not help. Start it again",
)
def test_a_registration_that_ends_after_any_request_makes_one_version(
    name: str, count: int, kind: str, account: Stack, reads: str
) -> None:
    step = STEPS[name]
    state = step.before(account)
    versions = len(approved(account))
    with faults(clients(), Rule(kind, skip=count, times=None)) as active:
        try:
            take(step, state)
        except StepFailed as failed:
            assert reads in failed.sentence  # noqa: PT017  it may also have gone well: it has fewer requests
        else:
            assert len(active.requests) <= count
    # The lock of the one that ended holds nobody for longer than a function may run.
    with patch("register.lock.time", SimpleNamespace(time=lambda: time.time() + 1000)):
        registration = take(step, state)
    assert registration["live"]
    assert registration["version"] == versions + 1
    assert len(approved(account)) == versions + 1
    if name == "threshold":
        assert registration["target"]["of"] == versions
        assert f"It is the same model as version {versions}" in registration["message"]


@pytest.mark.parametrize("kind", [RESET, UNANSWERED])
@pytest.mark.parametrize("count", range(17))  # as many as it makes
@pytest.mark.fault(
    where=WHERE,
    fault="the function that publishes the live model's files ends after any of its requests",
    then="called again, the files are those of the live version, every one",
    reads="",
)
def test_a_publication_that_ends_after_any_request_is_made_good_by_the_next(
    count: int, kind: str, account: Stack
) -> None:
    before, newest = account.live(), account.live(accuracy=0.95)
    publish({}, None)
    reject = {"ModelPackageArn": newest["registration"]["arn"], "ModelApprovalStatus": "Rejected"}
    account.sagemaker.update_model_package(**reject)
    with faults(clients(), Rule(kind, skip=count, times=None)), pytest.raises(AwsUnavailable):
        publish({}, None)
    assert publish({}, None)["version"] == before["registration"]["version"]
    heads = [account.s3.head_object(Bucket=ARTIFACTS, Key=key) for key in LIVE_KEYS.values()]
    assert {head["Metadata"]["model-package"] for head in heads} == {before["registration"]["arn"]}


@pytest.mark.parametrize("kind", [THROTTLED, DENIED, UNANSWERED])
@pytest.mark.fault(
    where=WHERE,
    fault="S3 cannot be used when a failed shard is to be explained",
    then="the run ends with what is known without it",
    reads="The prediction claims failed",
)
def test_a_failure_is_explained_although_nothing_can_be_read(kind: str, account: Stack, reads: str) -> None:
    state = STEPS["collect"].before(account)
    cause = '{"JobId": "1", "JobQueue": "q", "JobName": "claims", "Status": "FAILED", "StatusReason": "x"}'
    caught = {**state, "error": {"Error": "States.TaskFailed", "Cause": cause}}
    with faults(clients(), Rule(kind, times=None)):
        failure = explain({"state": caught, "execution": EXECUTION, "redrives": 0}, None)
    assert failure["sentence"].startswith(reads)
    assert "\n" not in failure["sentence"]
    assert explained(state, "Odd", "")["sentence"]
