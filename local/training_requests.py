"""What SageMaker refuses of a request for a training job."""

import re
from typing import Any

from local.service_errors import ServiceError
from local.storage import split_uri

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_REQUIRED = ("TrainingJobName", "AlgorithmSpecification", "OutputDataConfig", "ResourceConfig", "RoleArn")


def check_request(request: dict[str, Any]) -> None:
    """Refuse what AWS refuses.

    Raises:
        ServiceError: with AWS's code and wording.

    """
    for key in _REQUIRED:
        if not request.get(key):
            raise ServiceError(
                "ValidationException", f"1 validation error detected: Value null at '{key}' must not be null"
            )
    name = request["TrainingJobName"]
    if not _NAME.fullmatch(name):
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{name}' at 'trainingJobName' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {_NAME.pattern} (at most 63 characters)",
        )
    for key, value in (request.get("HyperParameters") or {}).items():
        if not isinstance(value, str):
            raise ServiceError(
                "SerializationException", f"The value of hyperparameter {key} is not a string."
            )
    _check_times(request)
    _check_locations(request)


def _check_times(request: dict[str, Any]) -> None:
    condition = request.setdefault("StoppingCondition", {})
    longest, waiting = condition.get("MaxRuntimeInSeconds", 86400), condition.get("MaxWaitTimeInSeconds")
    spot = request.get("EnableManagedSpotTraining", False)
    if spot and (waiting is None or waiting < longest):
        raise ServiceError(
            "ValidationException",
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds",
        )
    if waiting is not None and not spot:
        raise ServiceError(
            "ValidationException",
            "MaxWaitTimeInSeconds can only be set when EnableManagedSpotTraining is true",
        )


def _check_locations(request: dict[str, Any]) -> None:
    sources = [channel["DataSource"]["S3DataSource"] for channel in request.get("InputDataConfig", [])]
    for source in sources:
        if source.get("S3DataType") != "S3Prefix":
            raise ServiceError(
                "ValidationException",
                f"The local SageMaker reads S3DataType S3Prefix only, not {source.get('S3DataType')}.",
            )
    checkpoints = [request["CheckpointConfig"]["S3Uri"]] if request.get("CheckpointConfig") else []
    for uri in [
        request["OutputDataConfig"]["S3OutputPath"],
        *checkpoints,
        *(source["S3Uri"] for source in sources),
    ]:
        try:
            split_uri(uri)
        except ValueError as error:
            raise ServiceError("ValidationException", str(error)) from None
