"""Makes the description of a run, the `run` of the state; knows nothing of AWS."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from contract import keys, tuning
from contract.errors import NoLiveModel
from contract.state import Action, InputFile, LiveModel, Run
from prepare.capacity import has_own_disks
from prepare.tuning import describe as describe_tuning
from shared.messages import command
from shared.storage import ObjectInfo

OF_DELIVERY = {"allow_partial", "audit_share", "max_missing_share"}  # of the configuration


@dataclass(frozen=True)
class Stack:
    """What the stack's settings say about every run."""

    name: str
    uploads: str
    artifacts: str
    results: str
    image: str
    job_definition: str
    accuracy_bar: float
    instance_type: str
    instance_count: int
    volume_gb: int
    max_training_seconds: int
    use_spot: bool
    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    """In which trainings run; none: in SageMaker's own network."""
    security_group: str | None = None
    small_function: str | None = None
    """The ARN of the function that labels small files; None: Batch labels all."""
    small_rows: int = 0


@dataclass(frozen=True)
class Inputs:
    """What a run is made from: the files that were found, the checked configuration, the live model.

    `waiting` and `rejected` are the newest versions that wait for approval and that were rejected, looked up
    when no model is live.
    """

    action: Action
    data: ObjectInfo
    predict: ObjectInfo | None
    config: dict[str, Any]
    live_model: LiveModel | None
    more_data: tuple[ObjectInfo, ...] = ()
    waiting: int | None = None
    rejected: int | None = None
    started_by: str | None = None
    replace: bool = False
    decided_until: str | None = None
    trials: int = tuning.TRIALS
    max_minutes: int = tuning.MINUTES


def describe(inputs: Inputs, stack: Stack, execution: str) -> Run:
    """Return the run. Raises NoLiveModel for a prediction without a model."""
    if inputs.action == "predict" and inputs.live_model is None:
        raise NoLiveModel(_no_model(inputs, stack))
    work, config = run_id(inputs), inputs.config
    artifacts = f"s3://{stack.artifacts}"
    described: Run = {
        "id": work,
        "name": run_name(execution, work),
        "action": inputs.action,
        "started_by": inputs.started_by,
        "data": _file(inputs.data),
        "predict": _file(inputs.predict) if inputs.predict else None,
        "predict_wanted": inputs.action == "predict" or inputs.predict is not None,
        "live_model": inputs.live_model,
        "replace": inputs.replace,
        "config": f"{artifacts}/{keys.config(work)}",
        "columns": {"text_column": config["text_column"], "label_column": config["label_column"]},
        "sheet": config["sheet"],
        "validation_fraction": config["validation_fraction"],
        "rows_per_shard": config["rows_per_shard"],
        "explain": config["explain"],
        "allow_partial": config["allow_partial"],
        "max_missing_share": config["max_missing_share"],
        "output": config["output"],
        "audit_share": config["audit_share"],
        # A configuration may raise the stack's bar, never lower it.
        "accuracy_bar": max(stack.accuracy_bar, config.get("accuracy_bar") or 0.0),
        "gate": {
            "macro_f1_bar": config["macro_f1_bar"],
            "recall_floor": config["recall_floor"],
            "recall_floor_categories": config["recall_floor_categories"],
            "live_significance": config["live_significance"],
        },
        "hyperparameters": {
            key: json.dumps(value) for key, value in config.items() if key not in tuning.KEYS
        },
        "image": stack.image,
        "job_definition": stack.job_definition,
        "job_name": job_name(inputs, execution),
        "resource_config": _resource_config(stack),
        "stopping_condition": _stopping_condition(stack),
        "use_spot": stack.use_spot,
        "output_config": _output_config(f"{artifacts}/{keys.training_output(work)}", stack),
        "checkpoints": f"{artifacts}/{keys.checkpoints(work)}",
    }
    if stack.subnets and stack.security_group:
        described["vpc_config"] = {
            "Subnets": list(stack.subnets),
            "SecurityGroupIds": [stack.security_group],
        }
    if stack.small_function and stack.small_rows:
        described["small"] = {"function": stack.small_function, "rows": stack.small_rows}
    if inputs.more_data:
        described["more_data"] = [_file(info) for info in inputs.more_data]
    if inputs.action == "tune":
        seconds = 60 * inputs.max_minutes
        described["tuning"] = describe_tuning(config, work, stack.image, inputs.trials, seconds)
    if inputs.decided_until:
        described["decided_until"] = inputs.decided_until
    return described


def _no_model(inputs: Inputs, stack: Stack) -> str:
    approve = f"{command(stack.name)} models approve"
    if inputs.waiting is not None:
        return (
            f"No model is live yet to predict with, but version {inputs.waiting} waits for approval: "
            f"approve it with `{approve} {inputs.waiting}`, and start it again."
        )
    if inputs.rejected is not None:
        return (
            "No model is live to predict with, as every version was rejected, the newest being "
            f"{inputs.rejected}: approve one with `{approve} VERSION`, or train another, and start it again."
        )
    return (
        "There is no model yet to predict with: first upload a file with categories to "
        f"s3://{stack.uploads}/{keys.TRAIN_PREFIX} and wait until its model is live."
    )


def run_name(execution: str, run: str) -> str:
    """Return the name by which people know the run: its execution's; the id's where that is no folder's."""
    name = execution.rsplit(":", 1)[-1]
    return name if name.strip(".") else run


def run_id(inputs: Inputs) -> str:
    """Return the id of the run's work: the same for the same files, configuration and predicting model.

    What decides how much must be there to be delivered is no part of it, nor when a file to label was
    uploaded: what a run has labelled serves the next one.
    """
    predicts_with = inputs.live_model["arn"] if inputs.action == "predict" and inputs.live_model else ""
    ignored = OF_DELIVERY | ({"tuning_parallel"} if inputs.action == "tune" else {*tuning.KEYS})
    config = {key: value for key, value in inputs.config.items() if key not in ignored}
    identity = [
        inputs.action,
        *(_identity if inputs.action == "train" else _content)(inputs.data),
        json.dumps(config, sort_keys=True),
        predicts_with,
        *(_identity(inputs.predict) if inputs.predict else ()),
        *(["replace"] if inputs.replace else ()),
        *(part for info in inputs.more_data for part in ("and", *_identity(info))),
    ]
    digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:12]
    return f"{inputs.action}-{keys.stem(inputs.data.location.key)}-{digest}"


def job_name(inputs: Inputs, execution: str) -> str:
    """Return the training job's name without its attempt.

    SageMaker takes no name twice, so another execution of the same run needs another name. At most 10 + 22 +
    1 + 16 characters, which leaves room for rounds, waits and the attempt within SageMaker's 63.
    """
    digest = hashlib.sha256(f"{run_id(inputs)}\n{execution}".encode()).hexdigest()[:16]
    stem = keys.stem(inputs.data.location.key)[:22].strip("-")
    return f"claimflow-{stem}-{digest}"


def _file(info: ObjectInfo) -> InputFile:
    location = info.location
    return {
        "uri": location.uri,
        "bucket": location.bucket,
        "key": location.key,
        "version": info.version,
        "etag": info.etag,
        "size": info.size,
    }


def _resource_config(stack: Stack) -> dict[str, str | int]:
    resources: dict[str, str | int] = {
        "InstanceType": stack.instance_type,
        "InstanceCount": stack.instance_count,
        "VolumeSizeInGB": stack.volume_gb,
    }
    # SageMaker refuses a key for instances that have disks of their own; these encrypt themselves.
    if stack.kms_key and not has_own_disks(stack.instance_type):
        resources["VolumeKmsKeyId"] = stack.kms_key
    return resources


def _output_config(folder: str, stack: Stack) -> dict[str, str]:
    return {"S3OutputPath": folder} | ({"KmsKeyId": stack.kms_key} if stack.kms_key else {})


def _stopping_condition(stack: Stack) -> dict[str, int]:
    stopping = {"MaxRuntimeInSeconds": stack.max_training_seconds}
    if stack.use_spot:
        # Waiting for Spot capacity counts too; SageMaker wants this one to be at least as long.
        stopping["MaxWaitTimeInSeconds"] = 2 * stack.max_training_seconds
    return stopping


def _content(info: ObjectInfo) -> tuple[str, str, str]:
    return info.location.bucket, info.location.key, f"{info.etag} {info.size}"


def _identity(info: ObjectInfo) -> tuple[str, str, str]:
    return info.location.bucket, info.location.key, info.version or info.etag
