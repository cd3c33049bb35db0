"""The model versions in the stack's model package group, and which of them is live."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from contract.evaluation import Card
from contract.text import and_more, percent
from workflow import objects
from workflow.account import Account
from workflow.errors import CommandError
from workflow.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import ModelApprovalStatusType
    from mypy_boto3_sagemaker.type_defs import (
        DescribeModelPackageOutputTypeDef,
        ModelPackageContainerDefinitionOutputTypeDef,
    )

APPROVED: "ModelApprovalStatusType" = "Approved"
REJECTED: "ModelApprovalStatusType" = "Rejected"


LIVE = "live"
NOBODY_KNOWN = "somebody whom AWS does not name"
STATES = {
    "Approved": "approved",
    "Rejected": "rejected",
    "PendingManualApproval": "waiting for approval",
}


@dataclass(frozen=True)
class Model:
    """A version of the model, with what the registry keeps of its origin; older ones lack some of it."""

    version: int
    arn: str
    status: str
    created: datetime
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    run: str | None = None
    file: str | None = None
    rows: int | None = None
    categories: int | None = None
    started_by: str | None = None
    target: float | None = None  # that was set after the training
    target_of: int | None = None  # the version that is the same model with the target of before
    card: str | None = None  # the address of what is known about it
    model_uri: str | None = None  # the address of its model.tar.gz
    image: str | None = None  # that trained it
    image_digest: str | None = None  # as the registry found it
    decision: str | None = None  # who or what approved or rejected it
    decided: datetime | None = None  # when its entry was changed last
    waits_for: str | None = None  # why it was left to a person, if something was missing

    @property
    def figures(self) -> str:
        """The accuracy with its 95% interval."""
        if self.accuracy is None:
            return ""
        between = f" ({percent(self.interval[0])} to {percent(self.interval[1])})" if self.interval else ""
        return f"{percent(self.accuracy)}{between}"

    @property
    def changed_target(self) -> str:
        """The target that was set for it, and the version that it was set for."""
        if self.target is None:
            return ""
        return f"{percent(self.target)}, version {self.target_of}" if self.target_of else percent(self.target)

    def state(self, live: bool) -> str:
        """Return in a word or three how it stands; `live` is whether it is the newest approved one."""
        return LIVE if live else STATES.get(self.status, self.status)


def list_models(account: Account, stack: Stack) -> list[Model]:
    """Return all versions, newest first."""
    pages = account.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=stack.model_group
    )
    arns = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    versions = [_read(account, arn) for arn in arns]
    return sorted(versions, key=lambda model: model.version, reverse=True)


def read_live(account: Account, stack: Stack) -> Model:
    """Return the live model; of the other versions nothing is read. Raises CommandError if none is live."""
    pages = account.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=stack.model_group, ModelApprovalStatus=APPROVED
    )
    approved = [each for page in pages for each in page["ModelPackageSummaryList"]]
    if not approved:
        versions = list_models(account, stack)
        raise CommandError(none_live(versions, account.command) if versions else no_model(account.command))
    newest = max(approved, key=lambda each: each["ModelPackageVersion"])
    return _read(account, newest["ModelPackageArn"])


def no_model(command: str) -> str:
    """Return the sentence for when there is no version; `command` is how to write `claimflow`."""
    return f"There is no model yet: train one with `{command} train FILE`."


def live(models: list[Model]) -> Model | None:
    """Return the live model: the newest version that is approved."""
    return max((model for model in models if model.status == APPROVED), key=lambda m: m.version, default=None)


def find(models: list[Model], version: int) -> Model:
    """Return a version. Raises CommandError if there is no such one."""
    model = next((model for model in models if model.version == version), None)
    if model is None:
        known = ", ".join(str(model.version) for model in models) or "none yet"
        raise CommandError(f"There is no model version {version}: the versions are {known}.")
    return model


def promise(account: Account, model: Model) -> float | None:
    """Return the precision that a version promises of accepted rows, or None where it is not known."""
    return model.target if model.target is not None else promised(card(account, model))


def promised(made: Card | None) -> float | None:
    """Return the precision that a training promised of accepted rows, by the card that it left."""
    acceptance = made["acceptance"] if made else None
    return float(acceptance["target_precision"]) if acceptance else None


def card(account: Account, model: Model) -> Card | None:
    """Return what is known about a version, or None where nothing is."""
    return cast("Card | None", objects.read_json(account, model.card)) if model.card else None


def none_live(models: list[Model], command: str) -> str:
    """Return the sentence for when no version is live; `command` is how to write `claimflow`."""
    rejected = all(model.status == REJECTED for model in models)
    why = "every version is rejected" if rejected else "no version is approved"
    return (
        f"No model is live now, as {why}: `{command} models approve VERSION` makes one live; until then "
        "predictions are refused."
    )


def set_status(
    account: Account, stack: Stack, version: int, status: "ModelApprovalStatusType"
) -> list[Model]:
    """Approve or reject a version; returns all versions as they are then.

    Raises CommandError if there is no such version.
    """
    model = find(list_models(account, stack), version)
    account.sagemaker.update_model_package(
        ModelPackageArn=model.arn,
        ModelApprovalStatus=status,
        ApprovalDescription=_decision(model, status, account.caller),
    )
    return list_models(account, stack)


def _decision(model: Model, status: str, caller: str | None) -> str:
    """Return who decided and, of one who approved what the gate left to a person, what was missing."""
    by = f"{status} by {caller or NOBODY_KNOWN}"
    overridden = f", though: {model.waits_for}" if status == APPROVED and model.waits_for else ""
    return f"{by}{overridden}"[:1024]


def _read(account: Account, arn: str) -> Model:
    described = account.sagemaker.describe_model_package(ModelPackageName=arn)
    about = described.get("CustomerMetadataProperties", {})
    interval = about.get("accuracy_interval", "").split()
    container = _container(described)
    return Model(
        version=described["ModelPackageVersion"],
        arn=arn,
        status=described.get("ModelApprovalStatus", ""),
        created=described["CreationTime"],
        accuracy=float(about["accuracy"]) if "accuracy" in about else None,
        interval=(float(interval[0]), float(interval[1])) if len(interval) == 2 else None,
        run=about.get("run"),
        file=_file(about) if "data" in about else None,
        rows=int(about["rows"]) if "rows" in about else None,
        categories=int(about["categories"]) if "categories" in about else None,
        started_by=about.get("started_by"),
        target=float(about["target_precision"]) if "target_precision" in about else None,
        target_of=int(about["target_of"]) if "target_of" in about else None,
        card=about.get("card"),
        model_uri=container.get("ModelDataUrl"),
        image=container.get("Image"),
        image_digest=container.get("ImageDigest"),
        decision=described.get("ApprovalDescription"),
        decided=described.get("LastModifiedTime"),
        waits_for=about.get("waits_for"),
    )


def _file(about: dict[str, str]) -> str:
    return and_more(about["data"].rsplit("/", 1)[-1], int(about.get("more_files", 0)))


def _container(
    described: "DescribeModelPackageOutputTypeDef",
) -> "ModelPackageContainerDefinitionOutputTypeDef":
    """Return the archive and the image; only a version that somebody else registered lacks them."""
    containers = described.get("InferenceSpecification", {}).get("Containers", [])
    return containers[0] if containers else {}
