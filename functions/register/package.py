"""Makes the registry entry of a model; knows nothing of AWS."""

import hashlib
import json
import re
import unicodedata
from typing import Any

from contract import keys
from contract.served import SERVED_TYPES, TARGET_VARIABLE
from contract.state import Evaluation, LiveModel, RegisterEvent
from contract.text import count, percent, shorten
from shared.messages import command, file_address, message, noticed, subject, trained_from

# What SageMaker takes in a metadata value: letters, blanks, digits and these marks, at most 256 characters.
_REFUSED = re.compile(r"[^\w .:/=+\-@]")


def package(state: RegisterEvent, group: str, reason: str | None) -> dict[str, Any]:
    """Return the parameters of CreateModelPackage; its token makes a second call give the same version.

    No version is live from the start. `reason` is why this one waits for a person, if something is missing.
    """
    run, training, evaluation = state["run"], state["training"], state["evaluation"]
    origin = f"Trained by {run['name']}; accuracy {percent(evaluation['accuracy'])}"
    quality = {"ContentType": "application/json", "S3Uri": evaluation["evaluation"]}
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": described(f"{origin}. {reason}" if reason else origin),
        "InferenceSpecification": specification(run["image"], training["model_uri"]),
        "ModelApprovalStatus": "PendingManualApproval",
        "ModelMetrics": {"ModelQuality": {"Statistics": quality}},
        "CustomerMetadataProperties": metadata(state, reason),
        "ClientToken": token(run["id"], training["job"]),
    }


def specification(image: str, model_uri: str, target: float | None = None) -> dict[str, Any]:
    """Return the InferenceSpecification of a model, as an endpoint or a batch transform hosts it.

    `target` is the target precision of the version; None: the model's own.
    """
    container: dict[str, Any] = {"Image": image, "ModelDataUrl": model_uri}
    if target is not None:
        container["Environment"] = {TARGET_VARIABLE: repr(target)}
    return {
        "Containers": [container],
        "SupportedContentTypes": list(SERVED_TYPES),
        "SupportedResponseMIMETypes": list(SERVED_TYPES),
    }


def described(text: str) -> str:
    """Return a description as SageMaker takes it: at most 1,024 characters, none of them invisible."""
    seen = (sign for sign in text if unicodedata.category(sign)[0] != "C")
    return shorten("".join(seen), 1024)


def token(asked: str, model: str) -> str:
    """Return a client token (at most 36 characters) that stands for this model of this request."""
    return hashlib.sha256(f"{asked}\n{model}".encode()).hexdigest()[:36]


def metadata(state: RegisterEvent, reason: str | None) -> dict[str, str]:
    """Return what the registry keeps about the model's origin, as it takes it; `reason` is why it waits."""
    run, training, evaluation = state["run"], state["training"], state["evaluation"]
    live = run["live_model"]
    facts = {
        "run": run["name"],
        "job": training["job"],
        "data": run["data"]["uri"],
        "data_version": run["data"]["version"] or run["data"]["etag"],
        "config": run["config"],
        "accuracy": repr(evaluation["accuracy"]),
        "accuracy_bar": repr(evaluation["bar"]),
        "validation_rows": str(evaluation["validation_rows"]),
        "report": evaluation["report"],
        "card": evaluation["card"],
        "compared_with": str(live["version"] if live else "none"),
        "rows": str(evaluation["rows"]),
        "categories": str(evaluation["categories"]),
        "accuracy_interval": " ".join(map(repr, evaluation["accuracy_interval"])),
        "started_by": run["started_by"] or "",
        "waits_for": reason or "",
        "more_files": str(more) if (more := len(run.get("more_data", []))) else "",
    }
    return values(facts)


def values(facts: dict[str, str]) -> dict[str, str]:
    """Return metadata as SageMaker takes it, without those that are empty."""
    return {key: _REFUSED.sub("-", value)[:256] for key, value in facts.items() if value}


def words(  # noqa: PLR0913
    state: RegisterEvent,
    version: int,
    group: str,
    *,
    live: bool,
    reason: str | None = None,
    before: LiveModel | None = None,
) -> tuple[str, str]:
    """Return the subject and the message for people.

    `reason` is why it waits, if something is missing; `before` is the version that was live until now.
    """
    run, evaluation = state["run"], state["evaluation"]
    share, claimflow = percent(evaluation["accuracy"]), command(group)
    unlabelled = ""
    if live:
        head = f"Claimflow: model version {version} is live ({share})"
        outcome = f"Model version {version} is live: it predicts the files that are uploaded from now on."
    else:
        head = f"Claimflow: model version {version} waits for approval ({share})"
        outcome = _waiting(version, claimflow, reason)
        if run["predict"]:
            unlabelled = (
                f"{run['predict']['uri']} was not labelled: approve the version first, then predict the file "
                f"with `{claimflow} predict`, or upload it to {keys.PREDICT_PREFIX}."
            )
    origin = f"It was trained from {trained_from(run)}."
    report = f"Report: {file_address(evaluation['report'])}"
    lines = [
        outcome,
        _other_target(state, before, claimflow),
        unlabelled,
        _figures(evaluation),
        evaluation["against_live"],
        evaluation["advice"] or "",
        origin,
    ]
    return subject(head), message([*lines, noticed(state["validation"]["train"]["warnings"]), report])


def _other_target(state: RegisterEvent, before: LiveModel | None, claimflow: str) -> str:
    """Return that the target set for the version before does not go on; empty: none was, or it does."""
    set_before = before.get("target_precision") if before else None
    target = float(json.loads(state["run"]["hyperparameters"]["target_precision"]))
    if before is None or not set_before or set_before == target:
        return ""
    return (
        f"Its target is {percent(target)}, as configured; version {before['version']} was set to "
        f"{percent(set_before)}: `{claimflow} models threshold {set_before:.6g}` sets it again."
    )


def _waiting(version: int, claimflow: str, reason: str | None) -> str:
    why = f"for this reason: {reason}" if reason else "as this stack asks for it."
    return (
        f"Model version {version} is good enough, and waits for a person, {why} Approve it with "
        f"`{claimflow} models approve {version}`, or approve or reject it in SageMaker's model registry. "
        "Until then the live model stays as it is."
    )


def _figures(evaluation: Evaluation) -> str:
    low, high = map(percent, evaluation["accuracy_interval"])
    return (
        f"It gives the right category for {percent(evaluation['accuracy'])} of "
        f"{count(evaluation['validation_rows'], 'row')} that it had not seen (95% interval: {low} to "
        f"{high}); the bar is {percent(evaluation['bar'])}."
    )
