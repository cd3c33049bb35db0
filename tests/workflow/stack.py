"""A deployed stack, on the local AWS or in an account: what a test uploads, starts, waits for and reads."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3

ROOT = Path(__file__).resolve().parents[2]
ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def free_port() -> int:
    """Return a TCP port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def aws_environment(port: int) -> dict[str, str]:
    """Return the variables with which the AWS command lines reach the local AWS and nothing else."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CLAIMFLOW_"))}
    return kept | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
        "PATH": os.pathsep.join(
            [str(ROOT / ".venv" / name / "bin") for name in ("app", "sam", "local")] + [os.environ["PATH"]]
        ),
    }


def local_session() -> boto3.Session:
    """Return a session with the keys of the local AWS."""
    return boto3.Session("test", "test", region_name="us-east-1")


@dataclass
class Stack:
    """The deployed stack: its name, outputs and the environment of the command lines.

    `prefix` begins the name of each file and execution of the tests. A run may take `wait_seconds`, and is
    asked for every `pause` seconds.
    """

    name: str
    environment: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    queue: str = ""
    first_model: str = ""
    prefix: str = ""
    wait_seconds: float = 180
    pause: float = 0.1
    session: boto3.Session = field(default_factory=local_session)

    def client(self, service: str) -> Any:
        """Return a boto3 client of the AWS that the stack is on."""
        return self.session.client(service, endpoint_url=self.environment.get("AWS_ENDPOINT_URL"))

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a real command line (aws, sam, claimflow) against the local AWS."""
        done = subprocess.run(
            arguments,
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=600,
        )
        if check:
            assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done

    def upload(self, key: str, body: bytes | str) -> str:
        """Put an object in the uploads bucket, its name with the tests' prefix; returns the s3:// address."""
        data = body.encode() if isinstance(body, str) else body
        folder, slash, name = key.rpartition("/")
        key = f"{folder}{slash}{self.prefix}{name}"
        self.client("s3").put_object(Bucket=self.outputs["UploadsBucket"], Key=key, Body=data)
        return f"s3://{self.outputs['UploadsBucket']}/{key}"

    def start(self, request: Any) -> str:
        """Start an execution with any JSON as its input; returns its ARN."""
        return str(
            self.client("stepfunctions").start_execution(
                stateMachineArn=self.outputs["StateMachineAliasArn"],
                name=f"{self.prefix}{uuid.uuid4()}",
                input=json.dumps(request),
            )["executionArn"]
        )

    def executions(self) -> list[dict[str, Any]]:
        """List every execution of the state machine, newest first."""
        pages = self.client("stepfunctions").get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self.outputs["StateMachineArn"])
        return [execution for page in found for execution in page["executions"]]

    def own_executions(self) -> list[str]:
        """List the executions that the tests started, or their uploads did."""
        client = self.client("stepfunctions")
        arns = [execution["executionArn"] for execution in self.executions()]
        return [
            arn
            for arn in arns
            if self.prefix in arn or self.prefix in client.describe_execution(executionArn=arn)["input"]
        ]

    def execution_of(self, data: str) -> str:
        """Wait for the execution that an upload starts; returns its ARN."""
        deadline = time.monotonic() + self.wait_seconds
        while time.monotonic() < deadline:
            for arn in self.executions_of(data):
                return arn
            time.sleep(self.pause)
        raise AssertionError(f"no execution was started for {data}")

    def executions_of(self, data: str) -> list[str]:
        """List the executions whose request names this data file."""
        client = self.client("stepfunctions")
        arns = [execution["executionArn"] for execution in self.executions()]
        inputs = {arn: json.loads(client.describe_execution(executionArn=arn)["input"]) for arn in arns}
        return [
            arn
            for arn, request in inputs.items()
            if isinstance(request, dict) and request.get("data") == data
        ]

    def wait(self, arn: str) -> dict[str, Any]:
        """Wait until an execution ended; returns what DescribeExecution says of it."""
        client = self.client("stepfunctions")
        deadline = time.monotonic() + self.wait_seconds
        while time.monotonic() < deadline:
            described: dict[str, Any] = client.describe_execution(executionArn=arn)
            if described["status"] in ENDED:
                return described
            time.sleep(self.pause)
        raise AssertionError(f"still running after {self.wait_seconds} s: {self.states(arn)}")

    def wait_until_published(self, version: str | None) -> dict[str, bytes]:
        """Wait until all that lies below live/ is of a version, by its ARN, or nothing; returns the files."""
        s3, bucket = self.client("s3"), self.outputs["ArtifactsBucket"]
        deadline = time.monotonic() + self.wait_seconds
        while time.monotonic() < deadline:
            listed = s3.list_objects_v2(Bucket=bucket, Prefix="live/").get("Contents", [])
            try:
                objects = {one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"]) for one in listed}
            except s3.exceptions.NoSuchKey:  # deleted since the look
                continue
            marks = {each["Metadata"].get("model-package") for each in objects.values()}
            if marks == ({version} if version else set()) and len(objects) in (0, 3):
                return {key: each["Body"].read() for key, each in objects.items()}
            time.sleep(self.pause)
        raise AssertionError(f"live/ has {marks}, not {version}")

    def run(self, request: Any) -> dict[str, Any]:
        """Start an execution and wait for its end."""
        return self.wait(self.start(request))

    def states(self, arn: str) -> list[str]:
        """List the states that an execution entered, in order."""
        pages = self.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        return [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]

    def read(self, uri: str) -> bytes:
        """Read an object by its s3:// address."""
        address = urlparse(uri)
        body = self.client("s3").get_object(Bucket=address.netloc, Key=address.path.lstrip("/"))["Body"]
        return bytes(body.read())

    def table(self, uri: str) -> list[dict[str, str]]:
        """Read a CSV by its s3:// address."""
        return list(csv.DictReader(io.StringIO(self.read(uri).decode("utf-8-sig"))))

    def packages(self, status: str | None = None) -> list[dict[str, Any]]:
        """List the versions in the model package group, newest first."""
        wanted = {"ModelApprovalStatus": status} if status else {}
        listed = self.client("sagemaker").list_model_packages(
            ModelPackageGroupName=self.outputs["ModelPackageGroup"],
            SortOrder="Descending",
            MaxResults=100,
            **wanted,
        )
        return list(listed["ModelPackageSummaryList"])

    def no_live_model(self) -> None:
        """Reject every version, so that no model is live and none waits for approval."""
        for package in [*self.packages("Approved"), *self.packages("PendingManualApproval")]:
            self.client("sagemaker").update_model_package(
                ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="Rejected"
            )

    def live_model_uri(self) -> str:
        """Return the address of the live model's model.tar.gz."""
        package = self.client("sagemaker").describe_model_package(
            ModelPackageName=self.packages("Approved")[0]["ModelPackageArn"]
        )
        return str(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])

    def notifications(self, expected: int = 0) -> list[dict[str, str]]:
        """Take the notifications that came since the last call, waiting for as many as are `expected`."""
        client, deadline = self.client("sqs"), time.monotonic() + self.wait_seconds
        taken: list[dict[str, str]] = []
        while time.monotonic() < deadline:
            found = client.receive_message(
                QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=int(self.pause)
            ).get("Messages", [])
            for message in found:
                taken.append(json.loads(message["Body"]))
                client.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            if not found and len(taken) >= expected:
                return taken
        raise AssertionError(f"{len(taken)} of {expected} notifications came")


def packed(text: str) -> bytes:
    """Gzip a text."""
    return gzip.compress(text.encode())


def output_of(ended: dict[str, Any]) -> dict[str, Any]:
    """Return the state data with which an execution succeeded."""
    assert ended["status"] == "SUCCEEDED", f"{ended.get('error')}: {ended.get('cause')}"
    return dict(json.loads(ended["output"]))


def wait_for_job(stack: Stack) -> str:
    """Return the name of the training job that runs now."""
    deadline = time.monotonic() + stack.wait_seconds
    while time.monotonic() < deadline:
        time.sleep(stack.pause)
        running = stack.client("sagemaker").list_training_jobs(StatusEquals="InProgress")
        for job in running["TrainingJobSummaries"]:
            described = stack.client("sagemaker").describe_training_job(
                TrainingJobName=job["TrainingJobName"]
            )
            if stack.outputs["ArtifactsBucket"] in described["OutputDataConfig"]["S3OutputPath"]:
                return str(job["TrainingJobName"])
    raise AssertionError("no training job was started")


def wait_for_jobs(stack: Stack, count: int) -> None:
    """Wait until so many jobs run."""
    deadline = time.monotonic() + stack.wait_seconds
    while len(running_jobs(stack)) < count:
        assert time.monotonic() < deadline, f"{count} jobs do not run"
        time.sleep(stack.pause)


def wait_for_error(stack: Stack, arn: str, error: str) -> None:
    """Wait until a step of an execution has ended with an error, and is to be tried again."""
    deadline = time.monotonic() + stack.wait_seconds
    while time.monotonic() < deadline:
        history = stack.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
        failed = [
            value for event in history for key, value in event.items() if key.endswith("FailedEventDetails")
        ]
        if any(each.get("error") == error for each in failed):
            return
        time.sleep(stack.pause)
    raise AssertionError(f"no {error} in {stack.states(arn)}")


def kill_jobs(stack: Stack) -> None:
    """Kill the programs of all running jobs, as a machine that runs out of memory does."""
    for process in running_jobs(stack):
        os.kill(process, signal.SIGKILL)


@contextmanager
def jobs_at_rest(stack: Stack) -> Iterator[None]:
    """Stop the programs of the jobs that run now, and let them go on afterwards."""
    groups = running_jobs(stack)  # each leads a group of its own
    for group in groups:
        os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        for group in groups:
            with suppress(ProcessLookupError):  # that of a job which was stopped meanwhile
                os.killpg(group, signal.SIGCONT)


def running_jobs(stack: Stack) -> list[int]:
    """Return the processes of the jobs that run now, of which there is or will be one."""
    pids = Path(stack.environment["CLAIMFLOW_LOCAL_DIR"]) / "pids"
    deadline = time.monotonic() + stack.wait_seconds
    while not (found := list(pids.glob("*.json"))) and time.monotonic() < deadline:
        time.sleep(stack.pause)
    assert found, "no job runs"
    return [int(json.loads(file.read_text())["pid"]) for file in found]


def wait_for_end_of(stack: Stack, job: str) -> str:
    """Wait until a training job is over; returns its status."""
    deadline = time.monotonic() + stack.wait_seconds
    while time.monotonic() < deadline:
        time.sleep(stack.pause)
        described = stack.client("sagemaker").describe_training_job(TrainingJobName=job)
        if described["TrainingJobStatus"] not in {"InProgress", "Stopping"}:
            return str(described["TrainingJobStatus"])
    raise AssertionError(f"{job} does not end")
