"""A fake account: moto for S3 and SageMaker, fakes for CloudFormation and Step Functions."""

# ruff: noqa: N803, A002 - the arguments are named as AWS names them

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from docs.policies import template
from tests.unit.workflow.histories import recorded
from workflow.account import Account

TABLE = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:claimflow"
EXECUTIONS = MACHINE.replace(":stateMachine:", ":execution:")
BUCKETS = {"UploadsBucket": "uploads", "ArtifactsBucket": "artifacts", "ResultsBucket": "results"}
OUTPUTS = {
    **BUCKETS,
    "DecisionsTable": "decisions",
    "StateMachineArn": MACHINE,
    "StateMachineAliasArn": f"{MACHINE}:live",
    "ModelPackageGroup": "claimflow-models",
    "NotificationTopic": "arn:aws:sns:us-east-1:000000000000:topic",
    "RepositoryUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/claimflow",
}


class UnknownError(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "ExecutionDoesNotExist", "Message": "no"}}, "DescribeExecution")


class NotRedrivableError(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "ExecutionNotRedrivable", "Message": "Too old"}}, "Redrive")


class Exceptions:
    ExecutionDoesNotExist = UnknownError
    InvalidArn = UnknownError
    ExecutionNotRedrivable = NotRedrivableError


class Pages:
    def __init__(self, *pages: dict[str, Any]) -> None:
        self.pages = pages

    def paginate(self, **_: object) -> Iterator[dict[str, Any]]:
        yield from self.pages


class StoppingJobs:
    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)

    def paginate(self, *, NameContains: str, StatusEquals: str) -> Iterator[dict[str, Any]]:
        found = [name for name in self.names if NameContains in name and StatusEquals == "Stopping"]
        yield {"TrainingJobSummaries": [{"TrainingJobName": name} for name in found]}


class FakeCloudFormation:
    """CloudFormation with one stack, Claimflow's; more can be added. Deleting can be made to fail."""

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, str]] = {"claimflow": OUTPUTS}
        self.status = "CREATE_COMPLETE"
        self.delete_fails = False
        self.deleted: list[dict[str, str]] = []
        self.parameters: dict[str, str] = {}
        self.skipped = [
            *(("AWS::S3::Bucket", name) for name in BUCKETS.values()),
            ("AWS::S3::BucketPolicy", "uploads"),
            ("AWS::DynamoDB::Table", "decisions"),
        ]

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        if StackName not in self.stacks:
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self.stacks[StackName].items()]
        return {
            "Stacks": [
                {
                    "StackId": StackName,
                    "StackName": StackName,
                    "StackStatus": self.status,
                    "Outputs": outputs,
                    "Parameters": [
                        {"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()
                    ],
                }
            ]
        }

    def list_stacks(self) -> dict[str, Any]:
        return {"StackSummaries": []}

    def delete_stack(self, *, StackName: str) -> None:
        if not self.delete_fails:
            del self.stacks[StackName]
            self.deleted.append({"StackName": StackName, "StackId": StackName})

    def get_waiter(self, _: str) -> "FakeCloudFormation":
        return self

    def wait(self, **_: object) -> None:
        if self.delete_fails:
            raise WaiterError("StackDeleteComplete", "failed", {})

    def get_paginator(self, call: str) -> Pages:
        if call == "describe_stacks":
            return Pages(*(self.describe_stacks(StackName=name) for name in self.stacks))
        if call == "list_stacks":
            return Pages({"StackSummaries": [{"StackName": "another", "StackId": "x"}, *self.deleted]})
        if self.deleted:
            skipped = {"ResourceStatus": "DELETE_SKIPPED", "LogicalResourceId": "X"}
            return Pages(
                *(
                    {"StackEvents": [{**skipped, "ResourceType": kind, "PhysicalResourceId": name}]}
                    for kind, name in self.skipped
                )
            )
        first = {"ResourceStatus": "DELETE_FAILED", "LogicalResourceId": "Uploads"}
        return Pages(
            {"StackEvents": [{"ResourceStatus": "DELETE_COMPLETE", "LogicalResourceId": "Topic"}]},
            {"StackEvents": [{**first, "ResourceStatusReason": "The bucket is not empty."}]},
        )


class FakeRegistry:
    """SageMaker as far as deleting goes, which moto does not know: model versions, and jobs under way.

    A job ends when it is waited for; `at_end` is called then.
    """

    def __init__(self, *arns: str, jobs: dict[str, str] | None = None) -> None:
        self.arns = list(arns)
        self.jobs = jobs or {}
        self.waited: list[str] = []
        self.at_end: Callable[[], object] = lambda: None

    def describe_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:
        output = {"S3OutputPath": self.jobs[TrainingJobName]}
        return {"TrainingJobName": TrainingJobName, "OutputDataConfig": output}

    def get_waiter(self, _: str) -> "FakeRegistry":
        return self

    def wait(self, *, TrainingJobName: str, **_: object) -> None:
        self.waited.append(TrainingJobName)
        self.at_end()

    def get_paginator(self, call: str) -> Any:
        if call == "list_training_jobs":
            return StoppingJobs(self.jobs)
        return Pages(*({"ModelPackageSummaryList": [{"ModelPackageArn": arn}]} for arn in list(self.arns)))

    def delete_model_package(self, *, ModelPackageName: str) -> None:
        self.arns.remove(ModelPackageName)


class Executions:
    def __init__(self, listed: list[dict[str, Any]]) -> None:
        self.listed = listed

    def paginate(self, *, statusFilter: str | None = None, **_: object) -> Iterator[dict[str, Any]]:
        for each in self.listed:
            yield {"executions": [each] if statusFilter in (None, each["status"]) else []}


class PlayedStepFunctions:
    """Step Functions that plays recorded executions: what is started ends as `ends_as` was recorded.

    Those in `running` are listed as going on until they are stopped; those in `failed` have failed with that
    error until they are redriven.
    """

    exceptions = Exceptions

    def __init__(self, ends_as: str = "trained") -> None:
        self.ends_as = ends_as
        self.played: dict[str, str] = {}
        self.started: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.running: set[str] = set()
        self.stopped: list[str] = []
        self.failed: dict[str, str] = {}

    def add(self, name: str, recording: str) -> None:
        self.played[name] = recording

    def start_execution(self, *, name: str, input: str, **request: object) -> dict[str, Any]:
        self.started.append({"name": name, **request, "input": json.loads(input)})
        self.add(name, self.ends_as)
        return {"executionArn": f"{EXECUTIONS}:{name}"}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        if self.error:
            raise self.error
        name = executionArn.rsplit(":", 1)[-1]
        if name not in self.played:
            raise UnknownError
        described = {**recorded(self.played[name])[0], "name": name, "executionArn": executionArn}
        if name in self.failed:
            described |= {"status": "FAILED", "error": self.failed[name], "cause": "It is so."}
        return described | ({"status": "RUNNING"} if name in self.running else {})

    def redrive_execution(self, *, executionArn: str) -> None:
        if self.failed.pop(executionArn.rsplit(":", 1)[-1]) == "Old":
            raise NotRedrivableError

    def get_execution_history(self, *, executionArn: str, maxResults: int, **_: object) -> dict[str, Any]:
        events = recorded(self.played[executionArn.rsplit(":", 1)[-1]])[1]
        return {"events": events[::-1][:maxResults]}

    def stop_execution(self, *, executionArn: str, cause: str) -> None:
        assert cause
        name = executionArn.rsplit(":", 1)[-1]
        self.running.remove(name)
        self.stopped.append(name)

    def get_paginator(self, call: str) -> Pages | Executions:
        if call == "list_executions":
            return Executions(self._listed())
        events = recorded(next(reversed(self.played.values())))[1]
        return Pages({"events": events[:10]}, {"events": events[10:]})

    def _listed(self) -> list[dict[str, Any]]:
        first = datetime(2024, 3, 1, tzinfo=UTC)
        return [
            {
                "executionArn": f"{EXECUTIONS}:{name}",
                "name": name,
                "status": "RUNNING" if name in self.running else recorded(recording)[0]["status"],
                "startDate": first + timedelta(minutes=number),
                "stopDate": first + timedelta(minutes=number, seconds=30),
            }
            for number, (name, recording) in reversed(list(enumerate(self.played.items())))
        ]


def make_stack(account: Account) -> None:
    """Make the stack's buckets and model package group."""
    for bucket in BUCKETS.values():
        account.s3.create_bucket(Bucket=bucket)
    account.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    account.sagemaker.create_model_package_group(ModelPackageGroupName="claimflow-models")
    make_table(account.dynamodb)


def make_table(client: Any) -> None:
    """Make the table of decisions, with the keys that the template gives it."""
    table = template()["Resources"]["Decisions"]["Properties"]
    keys = {name: table[name] for name in TABLE}
    client.create_table(TableName="decisions", **keys)


def add_model(
    account: Account, accuracy: float, status: str = "Approved", *, archive: str | None = None, **about: str
) -> None:
    """Register a model version, if need be with an archive."""
    containers = [{"Image": "claimflow:1", "ModelDataUrl": archive}]
    named = {"InferenceSpecification": {"Containers": containers, "SupportedContentTypes": ["text/csv"]}}
    account.sagemaker.create_model_package(
        ModelPackageGroupName="claimflow-models",
        **(named if archive else {}),  # type: ignore[arg-type]
        ModelApprovalStatus=status,  # type: ignore[arg-type]
        CustomerMetadataProperties={"accuracy": repr(accuracy), "run": "train-x", **about},
    )
