"""Taking a model version to another stack, also of another account or region, where it waits for approval.

The files go through this machine, by the rights of both callers; no role of a stack reaches into another.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from botocore.exceptions import ClientError

from contract import bars, keys
from contract.evaluation import Card, Evaluation
from contract.served import SERVED_TYPES
from contract.state import Gate
from contract.text import listed, percent
from workflow import models, objects
from workflow import stack as stacks
from workflow.account import Account
from workflow.errors import CommandError
from workflow.models import Model
from workflow.stack import Stack
from workflow.submission import stack_config

PROMOTED_FROM = "promoted_from"  # the key of a version's properties
IMAGE, BAR = "ImageDigest", "AccuracyBar"  # parameters of a stack
GONE = {"404", "NoSuchKey"}


@dataclass(frozen=True)
class Side:
    """One of the two stacks, with its account."""

    account: Account
    stack: Stack

    @property
    def name(self) -> str:
        """How a person names it: profile and stack."""
        return "/".join(filter(None, [self.account.profile, self.account.stack]))


@dataclass(frozen=True)
class Promoted:
    """The version that a model has in the other stack, and what a person should know of it."""

    version: int
    is_new: bool
    remarks: list[str]


def destination(account: Account, to: str, region: str | None) -> Account:
    """Return the account and stack that `PROFILE/STACK` or `STACK` names."""
    profile, _, name = to.rpartition("/")
    if not name or (profile and account.local):
        raise CommandError(
            f"'{to}' names no stack: write STACK, or in AWS PROFILE/STACK for a stack of another account."
        )
    return Account(name, account.local, region or account.region, profile or account.profile)


def promote(source: Side, target: Side, version: int) -> Promoted:
    """Take a version to the other stack; a second time changes nothing.

    Raises CommandError, in a sentence, for what cannot go there, or is not good enough for it.
    """
    model = models.find(models.list_models(source.account, source.stack), version)
    if (
        source.stack.model_group == target.stack.model_group
        and source.stack.artifacts == target.stack.artifacts
    ):
        raise CommandError("That is the same stack: name another with --to.")
    there = models.list_models(target.account, target.stack)
    if found := _already(target, there, model):
        return Promoted(found, False, [])
    made = _checked(source, model)
    parameters = _parameters(target)
    image = _image(target, parameters)
    described = source.account.sagemaker.describe_model_package(ModelPackageName=model.arn)
    report_uri = described.get("CustomerMetadataProperties", {}).get("report")
    config = stack_config(target.account, target.stack)
    bar = max(float(parameters.get(BAR, 0)), _number(config, "accuracy_bar") or 0)
    remarks = [
        *_bars(source, target, model, report_uri, config),
        *_gate(target, model, made, there, bar),
        *_image_remark(model, image),
    ]
    copied = _copy(source, target, model, made, report_uri)
    arn = _register(source, target, described, copied, image)
    return Promoted(int(arn.rsplit("/", 1)[-1]), True, remarks)


def _already(target: Side, there: list[Model], model: Model) -> int | None:
    for each in there:
        about = target.account.sagemaker.describe_model_package(ModelPackageName=each.arn)
        if about.get("CustomerMetadataProperties", {}).get(PROMOTED_FROM) == model.arn:
            return each.version
    return None


def _checked(source: Side, model: Model) -> Card:
    """Return the card of a version that can be promoted."""
    command = source.account.command
    if model.status != models.APPROVED:
        raise CommandError(
            f"Version {model.version} is {models.STATES.get(model.status, model.status)} in {source.name}: "
            f"approve it there first, with `{command} models approve {model.version}`."
        )
    made = models.card(source.account, model)
    if model.model_uri is None or model.accuracy is None or made is None:
        raise CommandError(
            f"Version {model.version} of {source.name} has no card to judge it by: an older version of "
            "Claimflow, or somebody else, made it; train it anew."
        )
    return made


def _parameters(target: Side) -> dict[str, str]:
    given = stacks.describe(target.account).get("Parameters", [])
    return {each["ParameterKey"]: each["ParameterValue"] for each in given}


def _image(target: Side, parameters: dict[str, str]) -> str:
    digest = parameters.get(IMAGE)
    if not digest:
        raise CommandError(
            f"The stack {target.name} has no image yet to predict with: "
            f"`{target.account.deploy_command} --image NAME` brings one."
        )
    return f"{target.stack.repository}@{digest}"


def _image_remark(model: Model, image: str) -> Iterator[str]:
    before, after = ((each or "").rpartition("@")[2] for each in (model.image, image))
    if before != after:
        yield (
            f"It was trained by the image {before or 'that is not known'}, and is served there by {after}: "
            "label a file for a test before you approve it."
        )


def _bars(
    source: Side, target: Side, model: Model, report_uri: str | None, config: dict[str, Any]
) -> Iterator[str]:
    """Judge the model by what the other stack's configuration asks of a model beside its accuracy.

    Yields what the rows cannot judge. Raises CommandError for a model that is not good enough.
    """
    gate: Gate = {
        "macro_f1_bar": _number(config, "macro_f1_bar"),
        "recall_floor": _number(config, "recall_floor"),
        "recall_floor_categories": config.get("recall_floor_categories") or [],
        "live_significance": None,
    }
    document = objects.read_json(source.account, _evaluation(report_uri)) if report_uri else None
    evaluation = cast("Evaluation", document or {})
    if below := list(bars.below(evaluation, gate)):
        raise CommandError(
            f"Version {model.version} is below what the configuration of {target.name} asks for. "
            f"{' '.join(below)} Nothing was copied."
        )
    if document is None and (gate["macro_f1_bar"] is not None or gate["recall_floor"]):
        yield "Its evaluation is not there any more, to hold against macro_f1_bar and recall_floor there."
        return
    yield from bars.unjudged(evaluation, gate)


def _number(config: dict[str, Any], key: str) -> float | None:
    """Return a number of a configuration; one that is none has its sentence when a run reads it."""
    found = config.get(key)
    return found if isinstance(found, int | float) else None


def _evaluation(report_uri: str) -> str:
    return f"{report_uri.rpartition('/')[0]}/{keys.EVALUATION}"


def _gate(target: Side, model: Model, made: Card, there: list[Model], bar: float) -> Iterator[str]:
    """Judge the model by the bar of the other stack, and against its live model where both were judged alike.

    Yields what could not be judged. Raises CommandError for a model that is not good enough.
    """
    accuracy = made["accuracy"]
    if accuracy < bar:
        raise CommandError(
            f"Version {model.version} is below the bar of {target.name}: {percent(accuracy)} of the held-out "
            f"rows right, and {percent(bar)} are asked for. Nothing was copied."
        )
    live = models.live(there)
    theirs = models.card(target.account, live) if live else None
    if live is None or theirs is None:
        return
    if lost := sorted(set(theirs["labels"]) - set(made["labels"])):
        raise CommandError(
            f"Version {model.version} lacks categories of the live version {live.version} of {target.name}: "
            f"{listed(lost)}. Reject that one first, if they shall go. Nothing was copied."
        )
    if theirs["data"]["etag"] != made["data"]["etag"]:
        yield (
            f"It was not compared with the live version {live.version}: the two were judged on rows of "
            "different files. The next training there compares with whichever is live."
        )
    elif accuracy < theirs["accuracy"]:
        raise CommandError(
            f"Version {model.version} is worse than the live version {live.version} of {target.name}: "
            f"{percent(accuracy)} and {percent(theirs['accuracy'])} of the rows held out of the same file. "
            "Nothing was copied."
        )


def _copy(source: Side, target: Side, model: Model, made: Card, report_uri: str | None) -> dict[str, str]:
    """Copy archive, report, evaluation, the rows that judged, lineage and, last, the card; return where."""
    model_uri = str(model.model_uri)
    run = f"promoted-{hashlib.sha256(model.arn.encode()).hexdigest()[:12]}"
    archive = f"s3://{target.stack.artifacts}/{keys.training_output(run)}/{made['job']}/output/model.tar.gz"
    card, held_out = keys.card(archive), f"s3://{target.stack.artifacts}/{keys.channel(run, keys.VALIDATION)}"
    report = f"s3://{target.stack.results}/{run}/{keys.REPORT}"
    evaluation = f"s3://{target.stack.results}/{run}/{keys.EVALUATION}"
    _object(source, target, model_uri, archive)
    if report_uri:
        _object(source, target, report_uri, report, must=False)
        _object(source, target, _evaluation(report_uri), evaluation, must=False)
    for uri in _below(source, made["held_out"]):
        _object(source, target, uri, f"{held_out}{uri.rsplit('/', 1)[-1]}")
    _object(source, target, keys.lineage(model_uri), keys.lineage(archive), must=False)
    document = {**made, "held_out": held_out, PROMOTED_FROM: model.arn}
    bucket, key = objects.place(card)
    target.account.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())
    return {"archive": archive, "card": card, "report": report, "evaluation": evaluation}


def _object(source: Side, target: Side, uri: str, to: str, *, must: bool = True) -> None:
    """Copy one object by way of this machine. Raises CommandError where it is gone and `must` be there."""
    (bucket, key), (to_bucket, to_key) = objects.place(uri), objects.place(to)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "object"
        try:
            source.account.s3.download_file(bucket, key, str(path))
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            if must:
                raise CommandError(f"{uri} is not there any more, so the model cannot be promoted.") from None
            return
        with path.open("rb") as file:
            target.account.s3.upload_fileobj(cast("IO[bytes]", file), to_bucket, to_key)


def _below(source: Side, folder: str) -> Iterator[str]:
    bucket, prefix = objects.place(folder)
    pages = source.account.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    yield from (f"s3://{bucket}/{each['Key']}" for page in pages for each in page.get("Contents", []))


def _register(source: Side, target: Side, described: Any, copied: dict[str, str], image: str) -> str:  # noqa: ANN401
    """Register the version, last of all, so that nothing half copied can be approved; return its ARN."""
    arn = described["ModelPackageArn"]
    before = described["InferenceSpecification"]["Containers"][0]
    target_precision = {"Environment": before["Environment"]} if "Environment" in before else {}
    specification: Any = {
        "Containers": [{"Image": image, "ModelDataUrl": copied["archive"], **target_precision}],
        "SupportedContentTypes": list(SERVED_TYPES),
        "SupportedResponseMIMETypes": list(SERVED_TYPES),
    }
    kept = {
        key: value
        for key, value in described.get("CustomerMetadataProperties", {}).items()
        if key not in {"target_of", "waits_for", "compared_with"}
    }
    by = target.account.caller
    return target.account.sagemaker.create_model_package(
        ModelPackageGroupName=target.stack.model_group,
        ModelPackageDescription=f"Promoted from version {arn.rsplit('/', 1)[-1]} of {source.account.stack}"
        f"{f' by {by}' if by else ''}; accuracy {percent(float(kept['accuracy']))}",
        InferenceSpecification=specification,
        ModelApprovalStatus="PendingManualApproval",
        ModelMetrics={
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": copied["evaluation"]}}
        },
        CustomerMetadataProperties={
            **kept,
            "card": copied["card"],
            "report": copied["report"],
            "started_by": by or kept.get("started_by", ""),
            PROMOTED_FROM: arn,
        },
        ClientToken=hashlib.sha256(f"{target.stack.model_group}\n{arn}".encode()).hexdigest()[:36],
    )["ModelPackageArn"]
