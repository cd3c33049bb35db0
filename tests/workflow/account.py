"""The stack of an AWS account that `make aws-test` runs the tests marked `aws` on, in place of the local AWS.

The tests train, and reject models, so it must be a stack without a live model. What they make is named after
`aws-test-`, and goes at their end, but for what AWS keeps: executions, jobs and logs.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from contract import keys
from tests.workflow.stack import Stack
from workflow import stack as deployed
from workflow.account import Account
from workflow.runs import read_run

STACK = os.environ.get("CLAIMFLOW_AWS_TEST", "")
WAIT_SECONDS = 1800  # for an instance, and for the job on it
NOTHING_RUN = "so nothing was run on AWS"


@contextmanager
def stack_of_account(name: str) -> Iterator[Stack]:
    """Find the stack in the account that the credentials open, and remove what the tests made there.

    Skips the tests without credentials, and fails them on a stack that cannot be used.
    """
    check_credentials()
    account = Account(stack=name, region=boto3.Session().region_name)
    outputs = asdict(deployed.read_stack(account))
    stack = Stack(
        name,
        dict(os.environ),
        {deployed.OUTPUTS[field]: value for field, value in outputs.items()},
        prefix=f"aws-test-{uuid.uuid4().hex[:8]}-",
        wait_seconds=WAIT_SECONDS,
        pause=0.1 if "AWS_ENDPOINT_URL" in os.environ else 5,  # the local AWS's jobs end within seconds
        session=account.session,
    )
    if stack.packages("Approved"):
        pytest.fail(
            f"The stack {name} has a live model, which these tests would reject: deploy another for them."
        )
    versions = {package["ModelPackageArn"] for package in stack.packages()}
    try:
        yield stack
    finally:
        clean_up(stack, account, versions)


def check_credentials() -> None:
    """Skip the tests where the environment names no region or holds no credentials that work."""
    if not boto3.Session().region_name:
        pytest.skip(f"the environment names no AWS region (AWS_DEFAULT_REGION or AWS_PROFILE), {NOTHING_RUN}")
    try:
        boto3.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        pytest.skip(f"the environment has no AWS credentials that work ({error}), {NOTHING_RUN}")


def clean_up(stack: Stack, account: Account, versions: set[str]) -> None:
    """Delete the queue, the model versions but those given, and the files of the tests' own executions."""
    stack.client("sqs").delete_queue(QueueUrl=stack.queue)
    topic = stack.client("sns")
    for each in topic.list_subscriptions_by_topic(TopicArn=stack.outputs["NotificationTopic"])[
        "Subscriptions"
    ]:
        if each["Endpoint"].endswith(f":{stack.prefix}notifications"):
            topic.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
    for arn in stack.own_executions():
        if read_run(account, arn).running:
            stack.client("stepfunctions").stop_execution(executionArn=arn)
            stack.wait(arn)
        run = read_run(account, arn)
        if made := run.data.get("run"):
            delete(stack, "ArtifactsBucket", f"{keys.run_prefix(made['id'])}/")
            delete(stack, "ArtifactsBucket", f"{keys.training_output(made['id'])}/")
            delete(stack, "ResultsBucket", f"{run.folder}/")
    for folder in (keys.TRAIN_PREFIX, keys.PREDICT_PREFIX, keys.REQUESTS_PREFIX):
        delete(stack, "UploadsBucket", f"{folder}{stack.prefix}")
    delete(stack, "ArtifactsBucket", stack.prefix)
    stack.no_live_model()
    stack.wait_until_published(None)
    for package in stack.packages():
        if package["ModelPackageArn"] not in versions:
            stack.client("sagemaker").delete_model_package(ModelPackageName=package["ModelPackageArn"])


def delete(stack: Stack, bucket: str, prefix: str) -> None:
    """Delete every version of the objects whose keys begin with a prefix."""
    name, client = stack.outputs[bucket], stack.client("s3")
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name, Prefix=prefix):
        for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            client.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])
