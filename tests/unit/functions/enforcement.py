"""Every handler may do only what its role in template.yaml allows; what the tests themselves do is free.

`tests/conftest.py` imports it before any handler: it stands in the way of the decorator that makes them. Each
call of a handler to AWS is decided, and what decided it is kept, for `test_zz_permissions.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any
from unittest.mock import patch
from urllib.parse import urlparse

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from docs.permission_table import needed_by_aws
from docs.policies import Grant, Request, grants
from shared import telemetry

ACCOUNT, REGION, STACK = "123456789012", "eu-west-1", "claimflow"
BUCKETS = {
    "UploadsBucket": "uploads-bucket",
    "ArtifactsBucket": "artifacts-bucket",
    "ResultsBucket": "results-bucket",
}
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:claimflow"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:claimflow"
# What the names of the template stand for in these tests.
VALUES = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "StateMachine": MACHINE,
    "StateMachine.Name": "claimflow",
    "Topic": TOPIC,
    "KmsKeyArn": KEY,  # these tests are of a stack that has one
    "Decisions.Arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/decisions",
    "ImageRepository.Arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/claimflow",
    **{f"{name}.Arn": f"arn:aws:s3:::{bucket}" for name, bucket in BUCKETS.items()},
}


@dataclass(frozen=True)
class Decision:
    """A request of a role, and the grants that allow it: none if it was denied."""

    role: str
    request: Request
    by: frozenset[Grant]


decisions: set[Decision] = set()
# Answers to operations that no fake service has, by service and operation; a test sets them (`answered`).
_answers: dict[tuple[str, str], Callable[..., Any]] = {}
_running: list[str] = []  # the role of the handler that runs, for its threads too


@contextmanager
def answered(service: str, operation: str, answer: Callable[..., Any]) -> Iterator[None]:
    """Let a function answer an operation in place of AWS, or leave it by None; it is decided all the same."""
    with patch.dict(_answers, {(service, operation): answer}):
        yield


@contextmanager
def by_the_test() -> Iterator[None]:
    """Let a test do something of its own while a handler runs."""
    running = _running[:]
    _running.clear()
    try:
        yield
    finally:
        _running[:] = running


def decide(role: str, request: Request) -> bool:
    """Return whether a role may do what it asks for, and keep the decision."""
    by = frozenset(each for each in code_grants(role) if each.allows(request, VALUES))
    decisions.add(Decision(role, request, by))
    return bool(by)


@cache
def code_grants(role: str) -> tuple[Grant, ...]:
    """Return what the code of a function may do; the rest Lambda itself does with the function's role."""
    return tuple(each for each in grants(role) if needed_by_aws(role, each) is None)


def requests(service: str, operation: str, given: dict[str, Any]) -> list[Request]:
    """Return what IAM is asked for when an operation of a service is called.

    By AWS's service authorization reference. CreateModelPackage looks, as its caller, at the model and the
    image that it is given: AmazonSageMakerModelRegistryFullAccess, AWS's policy for it, has rights for that.
    """
    if service == "s3":
        return [_of_s3(operation, given), *_with_the_key("s3", *_KEY_FOR_S3.get(operation, ()))]
    model = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{given.get('ModelPackageGroupName')}"
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{given.get('TableName')}"
    asked: dict[tuple[str, str], Callable[[], list[Request]]] = {
        ("sagemaker", "ListModelPackages"): lambda: [Request("sagemaker:ListModelPackages")],
        ("sagemaker", "ListHyperParameterTuningJobs"): lambda: [
            Request("sagemaker:ListHyperParameterTuningJobs")
        ],
        ("sagemaker", "ListTrainingJobsForHyperParameterTuningJob"): lambda: [
            Request("sagemaker:ListTrainingJobsForHyperParameterTuningJob")
        ],
        ("sagemaker", "DescribeModelPackage"): lambda: [
            Request("sagemaker:DescribeModelPackage", given["ModelPackageName"])
        ],
        ("sagemaker", "UpdateModelPackage"): lambda: [
            Request("sagemaker:UpdateModelPackage", given["ModelPackageArn"])
        ],
        ("sagemaker", "CreateModelPackage"): lambda: [
            Request("sagemaker:CreateModelPackage", f"{model}/1"),
            *_of_containers(given["InferenceSpecification"]["Containers"]),
        ],
        ("sagemaker", "DescribeTrainingJob"): lambda: [
            Request(
                "sagemaker:DescribeTrainingJob",
                f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{given['TrainingJobName']}",
            )
        ],
        ("sfn", "ListExecutions"): lambda: [Request("states:ListExecutions", given["stateMachineArn"])],
        ("sfn", "DescribeExecution"): lambda: [Request("states:DescribeExecution", given["executionArn"])],
        ("sfn", "StartExecution"): lambda: [Request("states:StartExecution", given["stateMachineArn"])],
        ("sfn", "SendTaskFailure"): lambda: [Request("states:SendTaskFailure", MACHINE)],
        ("sfn", "SendTaskSuccess"): lambda: [Request("states:SendTaskSuccess", MACHINE)],
        ("batch", "DescribeJobs"): lambda: [Request("batch:DescribeJobs")],
        ("sns", "Publish"): lambda: [
            Request("sns:Publish", given["TopicArn"]),
            *_with_the_key("sns", "kms:Decrypt", "kms:GenerateDataKey"),
        ],
        ("dynamodb", "Query"): lambda: [
            Request("dynamodb:Query", f"{table}/index/{given['IndexName']}"),
            *_with_the_key("dynamodb", "kms:Decrypt"),
        ],
        ("batch", "ListJobs"): lambda: [Request("batch:ListJobs")],
    }
    assert (service, operation) in asked, f"say here what IAM is asked for at {operation} of {service}"
    return asked[service, operation]()


_S3 = {
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "DeleteObject": "s3:DeleteObject",
}


# What S3 asks KMS for as the caller, of objects that are encrypted with a key of the account's own.
_KEY_FOR_S3 = {
    "GetObject": ("kms:Decrypt",),
    "PutObject": ("kms:GenerateDataKey",),
    "CreateMultipartUpload": ("kms:GenerateDataKey",),
    "UploadPart": ("kms:Decrypt",),
    "CompleteMultipartUpload": ("kms:Decrypt",),
}


def _with_the_key(service: str, *actions: str) -> list[Request]:
    through = {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}
    return [Request(action, KEY, through) for action in actions]


_GONE = {"404", "NoSuchKey", "NoSuchVersion"}


def _of_s3(operation: str, given: dict[str, Any]) -> Request:
    action = _S3[operation] + ("Version" if given.get("VersionId") else "")
    bucket = f"arn:aws:s3:::{given['Bucket']}"
    return Request(action, bucket if action == "s3:ListBucket" else f"{bucket}/{given['Key']}")


def _of_containers(containers: list[dict[str, str]]) -> Iterator[Request]:
    for each in containers:
        model = urlparse(each["ModelDataUrl"])
        yield Request("s3:GetObject", f"arn:aws:s3:::{model.netloc}{model.path}")
        repository = each["Image"].partition("/")[2].partition(":")[0].partition("@")[0]
        for action in ("ecr:BatchGetImage", "ecr:DescribeImages"):
            yield Request(action, f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{repository}")


def _with_a_role(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def making(handle: Any) -> Any:
        role, handler = f"{handle.__module__.split('.')[0].capitalize()}FunctionRole", make(handle)

        @wraps(handler)
        def running(event: object, context: object) -> object:
            _running.append(role)
            try:
                return handler(event, context)
            finally:
                _running.pop()

        return running

    return making


def _decided(call: Callable[..., Any]) -> Callable[..., Any]:
    def calling(client: Any, operation: str, given: dict[str, Any]) -> Any:
        if not _running:
            return call(client, operation, given)
        role, service = _running[-1], client.meta.service_model.service_id.lower()
        for request in requests(service, operation, given):
            if not decide(role, request):
                raise _denial(role, service, operation, request)
        try:
            answer = _answers.get((service, operation), lambda **_: None)(**given)
            return call(client, operation, given) if answer is None else answer
        except ClientError as error:
            # Who may not list a bucket is not told that an object is missing.
            listing = Request("s3:ListBucket", f"arn:aws:s3:::{given.get('Bucket')}")
            if service == "s3" and error.response["Error"]["Code"] in _GONE and not decide(role, listing):
                raise _denial(role, service, operation, listing) from error
            raise

    return calling


def _denial(role: str, service: str, operation: str, request: Request) -> ClientError:
    code = (
        "403"
        if operation.startswith("Head")
        else "AccessDenied"
        if service == "s3"
        else "AccessDeniedException"
    )
    said = f"{role} is not authorized to perform {request.action} on {request.resource}"
    status = {"HTTPStatusCode": 403}
    return ClientError({"Error": {"Code": code, "Message": said}, "ResponseMetadata": status}, operation)  # type: ignore[typeddict-item]


assert "prepare.handler" not in sys.modules, "handlers must be imported after this module"
telemetry.lambda_handler = _with_a_role(telemetry.lambda_handler)
BaseClient._make_api_call = _decided(BaseClient._make_api_call)
