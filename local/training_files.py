"""The folder that a training job finds as /opt/ml on SageMaker, and how it is filled."""

import json
import os
from pathlib import Path
from typing import Any

from local.clients import Client
from local.storage import download_prefix

FAILURE_LIMIT = 1024


class NoTrainingDataError(Exception):
    """A channel has no objects; the message is AWS's."""


def lay_out(base: Path, request: dict[str, Any]) -> None:
    """Make the folders and the configuration files.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
    """
    for folder in ("input/config", "input/data", "model", "output/data", "checkpoints"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    _write(base, "hyperparameters", request.get("HyperParameters") or {})
    _write(
        base,
        "inputdataconfig",
        {
            channel["ChannelName"]: {
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
            }
            for channel in request.get("InputDataConfig", [])
        },
    )
    instance = request["ResourceConfig"].get("InstanceType", "ml.m5.large")
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance, "hosts": ["algo-1"]}
    _write(
        base,
        "resourceconfig",
        {
            "current_host": "algo-1",
            "current_instance_type": instance,
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
            "instance_groups": [group],
            "network_interface_name": "lo",
        },
    )


def download_channels(s3: Client, base: Path, request: dict[str, Any]) -> None:
    """Fetch every channel.

    Raises:
        NoTrainingDataError: nothing lies under a channel's prefix.

    """
    for channel in request.get("InputDataConfig", []):
        source = channel["DataSource"]["S3DataSource"]
        uri = source["S3Uri"]
        if not download_prefix(s3, uri, base / "input" / "data" / channel["ChannelName"]):
            raise NoTrainingDataError(
                f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input '
                "data source. Please ensure that the bucket exists in the selected region, that objects "
                f'exist under that S3 prefix, and that the role "{request["RoleArn"]}" has "s3:ListBucket" '
                "permissions on the bucket."
            )


def checkpoint_folder(base: Path, request: dict[str, Any]) -> Path:
    """Return where the job keeps its checkpoints: LocalPath, with /opt/ml for the job's own folder."""
    path: str = (request.get("CheckpointConfig") or {}).get("LocalPath", "/opt/ml/checkpoints")
    folder = base / path.removeprefix("/opt/ml").lstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def failure_reason(base: Path, exit_code: int) -> str:
    """Return what DescribeTrainingJob tells of a failed program: its output/failure and its exit code."""
    path = base / "output" / "failure"
    reason = path.read_text(errors="replace").strip() if path.is_file() else ""
    ending = f", exit code: {exit_code}"
    return "AlgorithmError: " + reason[: FAILURE_LIMIT - len("AlgorithmError: ") - len(ending)] + ending


def program_environment(base: Path, request: dict[str, Any], arn: str) -> dict[str, str]:
    """Return the variables that SageMaker and its training toolkit give a program."""
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    channels = {f"SM_CHANNEL_{name.upper()}": str(base / "input" / "data" / name) for name in names}
    return {
        "CLAIMFLOW_BASE_DIR": str(base),
        "TRAINING_JOB_NAME": request["TrainingJobName"],
        "TRAINING_JOB_ARN": arn,
        "SM_MODEL_DIR": str(base / "model"),
        "SM_OUTPUT_DATA_DIR": str(base / "output" / "data"),
        "SM_CHANNELS": json.dumps(sorted(names)),
        "SM_HOSTS": '["algo-1"]',
        "SM_CURRENT_HOST": "algo-1",
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
        **channels,
        **(request.get("Environment") or {}),
    }


def _write(base: Path, name: str, value: object) -> None:
    (base / "input" / "config" / f"{name}.json").write_text(json.dumps(value))
