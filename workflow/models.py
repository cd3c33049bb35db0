"""The model versions in the stack's model package group, and which of them is live."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from workflow.account import Account
from workflow.errors import CommandError
from workflow.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import ModelApprovalStatusType

APPROVED: "ModelApprovalStatusType" = "Approved"
REJECTED: "ModelApprovalStatusType" = "Rejected"


@dataclass(frozen=True)
class Model:
    """A version of the model."""

    version: int
    arn: str
    status: str
    accuracy: float | None
    created: datetime
    run: str | None


def list_models(account: Account, stack: Stack) -> list[Model]:
    """Give all versions, newest first."""
    pages = account.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=stack.model_group
    )
    arns = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    found = [_read(account, arn) for arn in arns]
    return sorted(found, key=lambda model: model.version, reverse=True)


def live(models: list[Model]) -> Model | None:
    """Give the live model: the newest version that is approved."""
    return max((model for model in models if model.status == APPROVED), key=lambda m: m.version, default=None)


def set_status(
    account: Account, stack: Stack, version: int, status: "ModelApprovalStatusType"
) -> list[Model]:
    """Approve or reject a version; gives all versions as they are then.

    Raises CommandError if there is no such version.
    """
    models = list_models(account, stack)
    chosen = next((model for model in models if model.version == version), None)
    if chosen is None:
        known = ", ".join(str(model.version) for model in models) or "none yet"
        raise CommandError(f"There is no model version {version}: the versions are {known}.")
    account.sagemaker.update_model_package(ModelPackageArn=chosen.arn, ModelApprovalStatus=status)
    return list_models(account, stack)


def _read(account: Account, arn: str) -> Model:
    described = account.sagemaker.describe_model_package(ModelPackageName=arn)
    properties = described.get("CustomerMetadataProperties", {})
    accuracy = properties.get("accuracy")
    return Model(
        version=described["ModelPackageVersion"],
        arn=arn,
        status=described.get("ModelApprovalStatus", ""),
        accuracy=float(accuracy) if accuracy else None,
        created=described["CreationTime"],
        run=properties.get("run"),
    )
