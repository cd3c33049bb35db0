"""Makes the registry entry of a model; knows nothing of AWS."""

import hashlib
import re
from typing import Any

from shared import keys
from shared.messages import command, count, file_address, message, percent, subject

State = dict[str, Any]

# What SageMaker takes in a metadata value: letters, blanks, digits and these marks, at most 256 characters.
_REFUSED = re.compile(r"[^\w .:/=+\-@]")


def package(state: State, group: str, image: str, *, live: bool) -> dict[str, Any]:
    """Give the parameters of CreateModelPackage; its token makes a second call give the same version."""
    run, training, evaluation = state["run"], state["training"], state["evaluation"]
    said = f"Trained by {keys.run_name(run)}; accuracy {percent(evaluation['accuracy'])}"
    quality = {"ContentType": "application/json", "S3Uri": evaluation["evaluation"]}
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": said,
        "InferenceSpecification": {
            "Containers": [{"Image": image, "ModelDataUrl": training["model_uri"]}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelApprovalStatus": "Approved" if live else "PendingManualApproval",
        "ModelMetrics": {"ModelQuality": {"Statistics": quality}},
        "CustomerMetadataProperties": metadata(state),
        "ClientToken": token(run["id"], training["job"]),
    }


def token(run_id: str, job: str) -> str:
    """Give a client token (at most 36 characters) that stands for this model."""
    return hashlib.sha256(f"{run_id}\n{job}".encode()).hexdigest()[:36]


def metadata(state: State) -> dict[str, str]:
    """Give what the registry keeps about the model's origin, as it takes it."""
    run, training, evaluation = state["run"], state["training"], state["evaluation"]
    facts = {
        "run": keys.run_name(run),
        "job": training["job"],
        "data": run["data"]["uri"],
        "data_version": run["data"]["version"] or run["data"]["etag"],
        "config": run["config"],
        "accuracy": repr(evaluation["accuracy"]),
        "accuracy_bar": repr(evaluation["bar"]),
        "validation_rows": str(evaluation["validation_rows"]),
        "report": evaluation["report"],
        "card": evaluation["card"],
        "rows": str(evaluation.get("rows", "")),
        "categories": str(evaluation.get("categories", "")),
        "accuracy_interval": " ".join(map(repr, evaluation.get("accuracy_interval", ()))),
        "started_by": run.get("started_by") or "",
    }
    return {key: _REFUSED.sub("-", value)[:256] for key, value in facts.items() if value}


def words(state: State, version: int, group: str, *, live: bool) -> tuple[str, str]:
    """Give the subject and the message for people."""
    run, evaluation = state["run"], state["evaluation"]
    share, claimflow = percent(evaluation["accuracy"]), command(group)
    if live:
        head = f"Claimflow: model version {version} is live ({share})"
        outcome = f"Model version {version} is live: it predicts the files that are uploaded from now on."
    else:
        head = f"Claimflow: model version {version} waits for approval ({share})"
        outcome = (
            f"Model version {version} is good enough, and waits for a person: approve it with "
            f"`{claimflow} models approve {version}`, or approve or reject it in SageMaker's model registry. "
            "Until then the live model stays as it is."
        )
    unlabelled = ""
    if run["predict"] and not live:
        unlabelled = (
            f"{run['predict']['uri']} was not labelled: approve the version first, then predict the file "
            f"with `{claimflow} predict`, or upload it to {keys.PREDICT_PREFIX}."
        )
    figures = (
        f"It gives the right category for {share} of {count(evaluation['validation_rows'], 'row')} that "
        "it had not "
        f"seen; the bar is {percent(evaluation['bar'])}."
    )
    compared = ""
    if "live_accuracy" in evaluation:
        before = percent(evaluation["live_accuracy"])
        compared = f"The model that was live before gives the right category for {before}."
    origin = f"It was trained from {run['data']['uri']}."
    lines = [outcome, unlabelled, figures, compared, origin, f"Report: {file_address(evaluation['report'])}"]
    return subject(head), message(lines)
