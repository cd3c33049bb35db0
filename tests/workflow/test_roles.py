"""A stack whose roles are enforced: trainings and predictions, as they go well and as they go wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from docs import permission_table
from docs.policies import Grant, Request, grants, template
from tests.workflow.claims import FAST, NETWORK, as_csv, rows
from tests.workflow.fixtures import local_stack
from tests.workflow.stack import Stack, output_of, wait_for_job

ACCOUNT, REGION = "000000000000", "us-east-1"
PSEUDO = {"Partition": "aws", "Region": REGION, "AccountId": ACCOUNT}
# Of the functions, tests/unit/functions goes through every grant.
GRANTS = [
    pytest.param(role, each, id=f"{role}-{each.action}-{each.pattern}")
    for role in permission_table.roles()
    if not role.endswith("FunctionRole")
    for each in grants(role)
    if each.action not in permission_table.by_aws(role)
]


class Decision(NamedTuple):
    """What a role asked for, by its name in the template; `by` is what of its policies allows it."""

    role: str
    request: Request
    allowed: bool
    by: frozenset[Grant]


@pytest.fixture(scope="module")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield a stack of its own, on a local AWS that enforces roles."""
    with local_stack(tmp_path_factory.mktemp("roles"), CLAIMFLOW_LOCAL_ROLES="1") as stack:
        stack.wait_seconds = 600
        yield stack


@pytest.fixture(scope="module")
def decisions(enforced: Stack) -> list[Decision]:
    """Return what was decided while everything was done that a stack does."""
    learns(enforced)
    predicts(enforced)
    is_stopped(enforced)
    tunes(enforced)
    fails_and_goes_on(enforced)
    changes_what_is_live(enforced)
    return decided(enforced)


def learns(stack: Stack) -> None:
    stack.upload("config/config.json", json.dumps(FAST))
    data = stack.upload("train/first.csv", as_csv(rows(240)))
    trained = output_of(stack.wait(stack.execution_of(data)))
    stack.wait_until_published(trained["registration"]["arn"])
    stack.upload("elsewhere/first.csv", "text\n")


def predicts(stack: Stack) -> None:
    small = stack.upload("requests/small.csv", as_csv(rows(1, seed=6)))
    at_once = stack.start({"action": "predict", "data": small})
    output_of(stack.wait(at_once))
    assert "Predict at once" in stack.states(at_once)
    by_upload = stack.upload("predict/one.csv", as_csv(rows(30, seed=1)))
    output_of(stack.wait(stack.execution_of(by_upload)))
    data = stack.upload("requests/many.csv", as_csv(rows(40, seed=2)))
    output_of(stack.run({"action": "predict", "data": data, "config": {"rows_per_shard": 20}}))


def is_stopped(stack: Stack) -> None:
    """Stop a training that has a checkpoint, and let it go on from there; stop a prediction."""
    data = stack.upload("requests/stopped.csv", as_csv(rows(240, seed=3)))
    config = NETWORK | {"num_epoch": 60, "patience": 60, "seq_len": 256}
    training = stack.start({"action": "train", "data": data, "config": config})
    wait_for_checkpoint(stack)
    stop(stack, training)
    stack.client("stepfunctions").redrive_execution(executionArn=training)
    assert stack.wait(training)["status"] != "ABORTED"
    prediction = stack.start({"action": "predict", "data": data})
    wait_for_shard(stack)
    stop(stack, prediction)


def tunes(stack: Stack) -> None:
    """Stop a tuning in its first trial, and let another one end."""
    data = stack.upload("requests/tuned.csv", as_csv(rows(240, seed=5)))
    slow = NETWORK | {"num_epoch": 200, "patience": 200, "seq_len": 256, "tuning": {"dropout": [0.1, 0.2]}}
    tuning = stack.start({"action": "tune", "data": data, "config": slow, "trials": 1})
    wait_for_job(stack)
    stop(stack, tuning)
    quick = FAST | {"tuning": {"ngram_words": [1, 2]}}
    output_of(stack.run({"action": "tune", "data": data, "config": quick, "trials": 1}))


def fails_and_goes_on(stack: Stack) -> None:
    """Let every shard fail as the model is cut off, and go on with the whole one."""
    uri = stack.live_model_uri()
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    whole = stack.read(uri)
    stack.client("s3").put_object(Bucket=bucket, Key=key, Body=whole[: len(whole) // 2])
    data = stack.upload("requests/cut_off.csv", as_csv(rows(30, seed=4)))
    arn = stack.start({"action": "predict", "data": data, "config": {"rows_per_shard": 10}})
    assert stack.wait(arn)["error"] == "PredictionFailed"
    stack.client("s3").put_object(Bucket=bucket, Key=key, Body=whole)
    stack.client("stepfunctions").redrive_execution(executionArn=arn)
    output_of(stack.wait(arn))


def changes_what_is_live(stack: Stack) -> None:
    output_of(stack.run({"action": "threshold", "target_precision": 0.6}))
    stack.no_live_model()
    stack.wait_until_published(None)


def stop(stack: Stack, arn: str) -> None:
    stack.client("stepfunctions").stop_execution(executionArn=arn)
    assert stack.wait(arn)["status"] == "ABORTED"


def wait_for_checkpoint(stack: Stack) -> None:
    s3, deadline = stack.client("s3"), time.monotonic() + stack.wait_seconds
    while time.monotonic() < deadline:
        listed = s3.list_objects_v2(Bucket=stack.outputs["ArtifactsBucket"], Prefix="runs/train-stopped")
        if any("/checkpoints/" in each["Key"] for each in listed.get("Contents", [])):
            return
        time.sleep(stack.pause)
    raise AssertionError("no checkpoint was written")


def wait_for_shard(stack: Stack) -> None:
    batch, deadline = stack.client("batch"), time.monotonic() + stack.wait_seconds
    while time.monotonic() < deadline:
        if batch.list_jobs(jobQueue=stack.outputs["JobQueueArn"], jobStatus="RUNNING")["jobSummaryList"]:
            return
        time.sleep(stack.pause)
    raise AssertionError("no shard was started")


def decided(stack: Stack) -> list[Decision]:
    """Read the decisions of the local AWS, and decide the same once more by the template."""
    resources = stack.client("cloudformation").describe_stack_resources(StackName=stack.name)
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources["StackResources"]}
    log = Path(stack.environment["CLAIMFLOW_LOCAL_DIR"]) / "decisions.jsonl"
    return list(_read(log.read_text(encoding="utf-8").splitlines(), names, stack.name))


def _read(lines: list[str], names: dict[str, str], stack: str) -> Iterator[Decision]:
    roles = {physical: logical for logical, physical in names.items()}
    values = meanings(names, stack)
    for line in map(json.loads, lines):
        role, request = roles[line["role"]], Request(line["action"], line["resource"], line["context"])
        by = frozenset(each for each in grants(role) if each.allows(request, values))
        yield Decision(role, request, line["allowed"], by)


def meanings(names: dict[str, str], stack: str) -> dict[str, str]:
    """Return what the names in the template's policies stand for on the local AWS."""
    account, resources = f"{REGION}:{ACCOUNT}", template()["Resources"]
    arns = {
        "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{account}:table/",
        "AWS::ECR::Repository": f"arn:aws:ecr:{account}:repository/",
        "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/",
        "AWS::Logs::LogGroup": f"arn:aws:logs:{account}:log-group:",
        "AWS::S3::Bucket": "arn:aws:s3:::",
        "AWS::SQS::Queue": f"arn:aws:sqs:{account}:",
        "AWS::Lambda::Function": f"arn:aws:lambda:{account}:function:",
        "AWS::Serverless::Function": f"arn:aws:lambda:{account}:function:",
    }
    own = {f"AWS::{key}": value for key, value in PSEUDO.items()} | {
        "AWS::StackName": stack,
        "StateMachine.Name": names["StateMachine"].rsplit(":", 1)[-1],
    }
    return (
        own
        | names
        | {
            f"{name}.Arn": arns[each["Type"]] + names.get(name, "")
            for name, each in resources.items()
            if each["Type"] in arns
        }
    )


def test_nobody_is_denied_what_the_stack_does(decisions: list[Decision]) -> None:
    assert {each[:2] for each in decisions if not each.allowed} == set()


def test_a_stack_that_trains_and_predicts_makes_many_decisions_by_every_role(
    decisions: list[Decision],
) -> None:
    """Two work where the local AWS has nothing: on the logs of jobs and of a network."""
    elsewhere = {"ExecutionRole", "FlowLogsRole"}
    assert {each.role for each in decisions} == set(permission_table.roles()) - elsewhere
    assert len({each[:2] for each in decisions}) >= 90


def test_the_template_and_the_deployed_policies_decide_alike(decisions: list[Decision]) -> None:
    assert [each for each in decisions if bool(each.by) != each.allowed] == []


@pytest.mark.parametrize(("role", "grant"), GRANTS)
def test_without_any_one_action_a_role_is_denied_what_it_needs(
    decisions: list[Decision], role: str, grant: Grant
) -> None:
    """Something that the stack did was allowed by this action on this resource, and by nothing else."""
    assert any(each.role == role and each.by == {grant} for each in decisions)


def test_what_no_test_sees_is_allowed_and_is_not_seen(decisions: list[Decision]) -> None:
    seen = {(each.role, each.request.action) for each in decisions}
    unseen = {(role, action) for role, actions in permission_table.BY_AWS.items() for action in actions}
    assert unseen & seen == set()
    assert unseen <= {(role, each.action) for role in permission_table.BY_AWS for each in grants(role)}
