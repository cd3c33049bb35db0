"""Versions in the model registry: created first and approved last, so that nothing half made is used."""

from typing import Any

from register import package
from shared import aws, settings


def create(parameters: dict[str, Any]) -> str:
    """Create a version; returns its ARN. The same ClientToken gives the same version."""
    return aws.sagemaker().create_model_package(**parameters)["ModelPackageArn"]


def wants_a_person() -> bool:
    """Return whether the stack asks for a person's approval of every version."""
    return settings.choice("CLAIMFLOW_APPROVAL", "automatic", "manual") == "manual"


def goes_live(arn: str, why: str) -> bool:
    """Approve a version and say why; returns False for one that a person has rejected meanwhile."""
    if describe(arn)["ModelApprovalStatus"] == "Rejected":
        return False
    aws.sagemaker().update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription=package.described(why)
    )
    return True


def describe(arn: str) -> dict[str, Any]:
    """Return what the registry keeps of a version."""
    return dict(aws.sagemaker().describe_model_package(ModelPackageName=arn))


def number(arn: str) -> int:
    """Return a version's number."""
    return int(arn.rsplit("/", 1)[-1])
