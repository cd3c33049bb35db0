"""One local AWS and one deployed stack for all workflow tests of a session, here and in tests/faults.

It is the local AWS with faults (tests/faults/server.py): none befalls a test that asks for none.
`make aws-test` takes a stack of an account in its place.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.workflow.account import STACK, stack_of_account
from tests.workflow.claims import FAST, as_csv, rows
from tests.workflow.stack import ROOT, Stack, aws_environment, free_port, output_of

LOCAL_PYTHON = ROOT / ".venv" / "local" / "bin" / "python"
NO_IMAGE = f"sha256:{'0' * 64}"  # the local AWS runs the programs as they lie here
# Named, as SAM looks for it beside the template, which is built into another folder.
LOCAL_STAGE = ("--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack_of_account(STACK) if STACK else local_stack(tmp_path_factory.mktemp("local-aws")) as deployed:
        subscribe(deployed)
        yield deployed


@contextmanager
def local_stack(folder: Path, **settings: str) -> Iterator[Stack]:
    """Start a local AWS with more settings, deploy the stack to it, and end both."""
    port = free_port()
    environment = aws_environment(port) | settings
    environment |= {"CLAIMFLOW_LOCAL_PORT": str(port), "CLAIMFLOW_LOCAL_DIR": str(folder)}
    start_server(environment)
    try:
        deployed = Stack("claimflow-test", environment)
        deploy(deployed, folder)
        yield deployed
    finally:
        subprocess.run(
            [LOCAL_PYTHON, "-m", "local", "down"], cwd=ROOT, env=environment, check=False, timeout=120
        )


def start_server(environment: dict[str, str]) -> None:
    """Start the local AWS with faults, with what it held before if it was there."""
    command = [LOCAL_PYTHON, ROOT / "tests/faults/server.py", "up"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)


def deploy(stack: Stack, folder: Path) -> None:
    """Build and deploy as the README says, with a bar low enough for the tests to move it."""
    stack.command("sam", "build", *LOCAL_STAGE, "--build-dir", str(folder / "build"))
    stack.command(*deploy_command(stack, folder))
    described = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]
    stack.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def deploy_command(stack: Stack, folder: Path) -> list[str]:
    """Return the `sam deploy` of the test stack."""
    built = str(folder / "build" / "template.yaml")
    return [
        *("sam", "deploy", *LOCAL_STAGE, "--template-file", built),
        *("--stack-name", stack.name, "--s3-prefix", stack.name),
        *(
            "--parameter-overrides",
            # Files of one row go to the function, others to Batch, of which most tests are.
            f"ImageDigest={NO_IMAGE} AccuracyBar=0.5 LogRetentionDays=1 TrainingsAtOnce=2 SmallRows=1",
        ),
    ]


def subscribe(stack: Stack) -> None:
    """Let a queue collect what the notification topic sends."""
    queues, topic = stack.client("sqs"), stack.outputs["NotificationTopic"]
    stack.queue = queues.create_queue(QueueName=f"{stack.prefix}notifications")["QueueUrl"]
    named = queues.get_queue_attributes(QueueUrl=stack.queue, AttributeNames=["QueueArn"])
    arn = named["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queues.set_queue_attributes(QueueUrl=stack.queue, Attributes={"Policy": policy})
    stack.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)


@pytest.fixture(scope="session")
def trained(stack: Stack) -> Stack:
    """Return the stack after one good training."""
    data = stack.upload("requests/first.csv", as_csv(rows(240)))
    ended = stack.run({"action": "train", "data": data, "config": FAST})
    stack.first_model = output_of(ended)["registration"]["arn"]
    return stack


@pytest.fixture
def live(trained: Stack) -> Stack:
    """Return the stack, its first model live and no other, whatever the tests before did to it."""
    if [package["ModelPackageArn"] for package in trained.packages("Approved")] != [trained.first_model]:
        trained.no_live_model()
        trained.client("sagemaker").update_model_package(
            ModelPackageArn=trained.first_model, ModelApprovalStatus="Approved"
        )
    trained.notifications()
    return trained
