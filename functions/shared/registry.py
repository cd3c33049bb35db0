"""Finds the live model in the SageMaker model registry."""

from typing import Literal

from contract.state import LiveModel
from shared import aws

Status = Literal["Approved", "PendingManualApproval", "Rejected"]


def live_model(group: str) -> LiveModel | None:
    """Return the newest approved version in the model package group, or None."""
    newest = _newest(group, "Approved")
    return _describe(newest[1]) if newest else None


def not_live(group: str) -> tuple[int | None, int | None]:
    """Return the newest version that waits for approval and the newest that was rejected, each or None."""
    waiting, rejected = _newest(group, "PendingManualApproval"), _newest(group, "Rejected")
    return waiting[0] if waiting else None, rejected[0] if rejected else None


def _newest(group: str, status: Status) -> tuple[int, str] | None:
    """Return the version and the ARN of the newest model package with that status."""
    pages = (
        aws.sagemaker()
        .get_paginator("list_model_packages")
        .paginate(
            ModelPackageGroupName=group,
            ModelApprovalStatus=status,
            SortBy="CreationTime",
            SortOrder="Descending",
        )
    )
    packages = [package for page in pages for package in page["ModelPackageSummaryList"]]
    return max(
        ((package.get("ModelPackageVersion", 0), package["ModelPackageArn"]) for package in packages),
        default=None,
    )


def _describe(arn: str) -> LiveModel:
    package = aws.sagemaker().describe_model_package(ModelPackageName=arn)
    facts = package.get("CustomerMetadataProperties", {})
    target = facts.get("target_precision")
    return {
        "arn": arn,
        "version": package["ModelPackageVersion"],
        "model_uri": package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"],
        "card": facts.get("card"),
        "job": facts.get("job"),
        "target_precision": float(target) if target else None,
        "approval": package.get("ApprovalDescription"),
    }
