"""A local AWS to test, and short ways to ask things of it."""

import contextlib
import io
import json
import os
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = REPOSITORY / ".venv" / "local" / "bin" / "python"
# Answers of AWS and requests to it are JSON.
Json = Any

ROLE = "arn:aws:iam::000000000000:role/test"
DEADLINE_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], Any]) -> Json:
    """Ask until the answer is true, and give it."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{condition} was not true within {DEADLINE_SECONDS} s")


class Local:
    """A local AWS in a folder of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.programs = folder / "programs"
        self.programs.mkdir(parents=True)
        self.state = folder / "state"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CLAIMFLOW_LOCAL_DIR": str(self.state),
            "CLAIMFLOW_LOCAL_PORT": str(port),
            "CLAIMFLOW_LOCAL_GRACE_SECONDS": "1",
            "CLAIMFLOW_PROGRAMS": str(self.programs),
        }
        self._clients: dict[str, Any] = {}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.start(*arguments).finish()

    def start(self, *arguments: str) -> "Command":
        return Command([str(PYTHON), "-m", "local", *arguments], self.environment)

    def client(self, service: str) -> Json:
        if service not in self._clients:
            self._clients[service] = boto3.client(  # type: ignore[call-overload]
                service,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"max_attempts": 1}),
            )
        return self._clients[service]


class Command:
    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def finish(self) -> subprocess.CompletedProcess[str]:
        out, err = self._process.communicate(timeout=DEADLINE_SECONDS)
        return subprocess.CompletedProcess(self._process.args, self._process.returncode, out, err)


@contextlib.contextmanager
def local_aws(folder: Path) -> Iterator[Local]:
    if not PYTHON.exists():
        pytest.skip("the local AWS's environment is missing: make setup")
    local = Local(folder, free_port())
    try:
        yield local
    finally:
        local.command("down")


def write_program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(script)
    path.chmod(0o755)


def training_request(bucket: str, name: str, script: str, **more: Json) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "HyperParameters": {"num_epoch": "1"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/data/train"}
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "Environment": {"SCRIPT": script},
        **more,
    }


def finished_training(aws: Local, request: dict[str, Any]) -> dict[str, Any]:
    """Run a training job to its end and describe it."""
    aws.client("sagemaker").create_training_job(**request)
    return ended_training(aws, request["TrainingJobName"])


def ended_training(aws: Local, name: str) -> dict[str, Any]:
    def ended() -> Json:
        job = aws.client("sagemaker").describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    job: dict[str, Any] = wait_for(ended)
    return job


def messages(aws: Local, group: str, stream: str = "") -> list[str]:
    """The log lines of the streams whose name begins so."""
    with contextlib.suppress(aws.client("logs").exceptions.ResourceNotFoundException):
        pages = aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [
            event["message"]
            for page in pages
            for event in page["events"]
            if event["logStreamName"].startswith(stream)
        ]
    return []


def finished_job(aws: Local, queue: str, definition: str, script: str, **more: Json) -> dict[str, Any]:
    """Run a Batch job to its end and describe it."""
    job_id = submit(aws, queue, definition, script, **more)
    return ended_job(aws, job_id)


def submit(aws: Local, queue: str, definition: str, script: str, **more: Json) -> str:
    overrides = {"environment": [{"name": "SCRIPT", "value": script}], **more.pop("containerOverrides", {})}
    return str(
        aws.client("batch").submit_job(
            jobName="job", jobQueue=queue, jobDefinition=definition, containerOverrides=overrides, **more
        )["jobId"]
    )


def ended_job(aws: Local, job_id: str) -> dict[str, Any]:
    def ended() -> Json:
        job = described_job(aws, job_id)
        return job if job["status"] in ("SUCCEEDED", "FAILED") else None

    job: dict[str, Any] = wait_for(ended)
    return job


def described_job(aws: Local, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = aws.client("batch").describe_jobs(jobs=[job_id])["jobs"][0]
    return job


def start_machine(
    aws: Local, machine_name: str, definition: dict[str, Any], data: Json = None, **more: Json
) -> str:
    """Make a state machine of this definition and start it; returns the execution's ARN."""
    machine = aws.client("stepfunctions").create_state_machine(
        name=machine_name, roleArn=ROLE, definition=json.dumps(definition)
    )["stateMachineArn"]
    return str(
        aws.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(data or {}), **more
        )["executionArn"]
    )


def ended_execution(aws: Local, arn: str) -> dict[str, Any]:
    def ended() -> Json:
        execution = aws.client("stepfunctions").describe_execution(executionArn=arn)
        return execution if execution["status"] != "RUNNING" else None

    execution: dict[str, Any] = wait_for(ended)
    return execution


def run_state(aws: Local, name: str, state: dict[str, Any], data: Json = None) -> dict[str, Any]:
    """Run a machine of one state to its end."""
    definition = {"StartAt": "Only", "States": {"Only": {"End": True, **state}}}
    return ended_execution(aws, start_machine(aws, name, definition, data))


def events(aws: Local, arn: str) -> list[dict[str, Any]]:
    pages = (
        aws.client("stepfunctions")
        .get_paginator("get_execution_history")
        .paginate(executionArn=arn, maxResults=3)
    )
    return [event for page in pages for event in page["events"]]


def make_function(aws: Local, name: str, code: str, **more: Json) -> str:
    """A Lambda function whose module is this code; returns its ARN."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    return str(
        aws.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="app.handler",
            Role=ROLE,
            Code={"ZipFile": packed.getvalue()},
            **{"Timeout": 20, **more},
        )["FunctionArn"]
    )
