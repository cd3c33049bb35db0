"""The SageMaker model registry."""

import pytest
from botocore.exceptions import ClientError

from tests.local.local_server import Json, Local


@pytest.fixture
def group(aws: Local, name: str) -> str:
    aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=f"Models-{name}")
    return f"Models-{name}"


def register(aws: Local, group: str, status: str = "Approved", **more: Json) -> str:
    return str(
        aws.client("sagemaker").create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            **more,
        )["ModelPackageArn"]
    )


def versions(aws: Local, **query: str | int) -> list[int]:
    pages = (
        aws.client("sagemaker")
        .get_paginator("list_model_packages")
        .paginate(**query, PaginationConfig={"PageSize": 2})
    )
    return [package["ModelPackageVersion"] for page in pages for package in page["ModelPackageSummaryList"]]


def test_versions_count_up_and_are_described(aws: Local, group: str) -> None:
    first, second = register(aws, group), register(aws, group, CustomerMetadataProperties={"accuracy": "0.9"})
    assert [arn.rpartition("/")[2] for arn in (first, second)] == ["1", "2"]
    assert f"model-package/{group.lower()}/" in first
    package = aws.client("sagemaker").describe_model_package(ModelPackageName=second)
    assert package["ModelPackageVersion"] == 2
    assert package["CustomerMetadataProperties"] == {"accuracy": "0.9"}
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == "s3://bucket/model.tar.gz"


def test_the_same_token_registers_once(aws: Local, group: str) -> None:
    assert register(aws, group, ClientToken="once-" + group) == register(
        aws, group, ClientToken="once-" + group
    )
    assert versions(aws, ModelPackageGroupName=group) == [1]


def test_rejecting_the_newest_brings_back_the_one_before(aws: Local, group: str) -> None:
    for _ in range(3):
        newest = register(aws, group)
    approved = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved", "SortOrder": "Descending"}
    assert versions(aws, **approved) == [3, 2, 1]
    aws.client("sagemaker").update_model_package(ModelPackageArn=newest, ModelApprovalStatus="Rejected")
    assert versions(aws, **approved) == [2, 1]


def test_a_group_with_packages_is_not_deleted_and_versions_are_not_given_again(
    aws: Local, group: str
) -> None:
    sagemaker = aws.client("sagemaker")
    arn = register(aws, group)
    with pytest.raises(sagemaker.exceptions.ConflictException):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    sagemaker.delete_model_package(ModelPackageName=arn)
    assert register(aws, group).endswith("/2")
    sagemaker.delete_model_package(ModelPackageName=arn[:-1] + "2")
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_what_is_not_there_is_a_validation_error(aws: Local, group: str) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*does not exist"):
        aws.client("sagemaker").describe_model_package(
            ModelPackageName="arn:aws:sagemaker:us-east-1:1:model-package/x/1"
        )
    with pytest.raises(ClientError, match="already exists"):
        aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
