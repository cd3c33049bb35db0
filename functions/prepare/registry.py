"""Finds the live model in the SageMaker model registry."""

from prepare.run import LiveModel
from shared import aws


def live_model(group: str) -> LiveModel | None:
    """Give the newest approved version in the model package group, or None."""
    pages = (
        aws.sagemaker()
        .get_paginator("list_model_packages")
        .paginate(
            ModelPackageGroupName=group,
            ModelApprovalStatus="Approved",
            SortBy="CreationTime",
            SortOrder="Descending",
        )
    )
    approved = [package for page in pages for package in page["ModelPackageSummaryList"]]
    if not approved:
        return None
    newest = max(approved, key=lambda package: package.get("ModelPackageVersion", 0))
    return _describe(newest["ModelPackageArn"])


def _describe(arn: str) -> LiveModel:
    package = aws.sagemaker().describe_model_package(ModelPackageName=arn)
    accuracy = package.get("CustomerMetadataProperties", {}).get("accuracy")
    return LiveModel(
        arn=arn,
        version=package["ModelPackageVersion"],
        model_uri=package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"],
        accuracy=float(accuracy) if accuracy else None,
    )
