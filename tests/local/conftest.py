"""One local AWS for all tests of this folder, with tiny programs in the place of `train` and `predict`."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.local_server import Local, local_aws, training_request, write_program

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("local_aws")


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The running local AWS. Its `train` and `predict` are shell scripts that do what SCRIPT says."""
    with local_aws(tmp_path_factory.mktemp("local-aws")) as local:
        write_program(local.programs, "train", '#!/bin/sh\ncd "$CLAIMFLOW_BASE_DIR"\neval "$SCRIPT"\n')
        write_program(local.programs, "predict", '#!/bin/sh\neval "$SCRIPT"\n')
        write_program(local.programs, "say", '#!/bin/sh\necho "$@"\n')
        started = local.command("up")
        assert started.returncode == 0, started.stderr
        yield local


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"test-{next(_numbers)}"


@pytest.fixture
def bucket(aws: Local, name: str) -> str:
    aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def training(aws: Local, bucket: str, name: str) -> dict[str, Any]:
    """A request for a training job that succeeds."""
    aws.client("s3").put_object(
        Bucket=bucket, Key="data/train/part-00000.csv", Body=b"row,text,label\n0,ok,a\n"
    )
    return training_request(bucket, name, "true")


@pytest.fixture(scope="session")
def job_queue(aws: Local) -> str:
    batch = aws.client("batch")
    environment = batch.create_compute_environment(
        computeEnvironmentName="test",
        type="MANAGED",
        computeResources={"type": "FARGATE", "maxvCpus": 16, "subnets": ["subnet-1"]},
    )["computeEnvironmentArn"]
    return str(
        batch.create_job_queue(
            jobQueueName="test",
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
        )["jobQueueArn"]
    )


@pytest.fixture
def job_definition(aws: Local, name: str) -> str:
    return str(
        aws.client("batch").register_job_definition(
            jobDefinitionName=name,
            type="container",
            parameters={"word": "hello"},
            containerProperties={
                "image": "image",
                "command": ["predict"],
                "environment": [{"name": "SCRIPT", "value": "true"}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": f"/test/{name}", "awslogs-stream-prefix": "predict"},
                },
            },
        )["jobDefinitionArn"]
    )
