"""Amazon SageMaker, which ministack does not have: those of training, tuning and the model registry.

A service of ministack is a module with `handle_request` and `reset`; this is one, registered by `install`.
"""

import copy
import json
import sys
from collections.abc import Callable
from typing import Any

from local.model_registry import ModelRegistry
from local.patches import Part, part
from local.service_errors import ServiceError
from local.settings import Settings
from local.training_jobs import TrainingJobs
from local.tuning_jobs import TuningJobs

Operation = Callable[[dict[str, Any]], dict[str, Any]]

_operations: dict[str, Operation] = {}
_tags: dict[str, dict[str, str]] = {}
_installed: dict[str, Any] = {}


def training_jobs() -> TrainingJobs:
    """Return the training jobs of this server."""
    jobs: TrainingJobs = _installed["training_jobs"]
    return jobs


def tuning_jobs() -> TuningJobs:
    """Return the tuning jobs of this server."""
    jobs: TuningJobs = _installed["tuning_jobs"]
    return jobs


def model_registry() -> ModelRegistry:
    """Return the model registry of this server."""
    registry: ModelRegistry = _installed["model_registry"]
    return registry


def install(settings: Settings) -> None:
    """Register the service with ministack: its module, its handler and how requests for it are known."""
    trainings = TrainingJobs(settings, make_arn)
    _installed.update(
        training_jobs=trainings,
        tuning_jobs=TuningJobs(trainings, make_arn),
        model_registry=ModelRegistry(make_arn, _announce),
    )
    _operations.update(training_jobs().operations())
    _operations.update(tuning_jobs().operations())
    _operations.update(model_registry().operations())
    _operations.update({"AddTags": _add_tags, "ListTags": _list_tags, "DeleteTags": _delete_tags})
    part("app", "_loaded_modules")["sagemaker"] = sys.modules[__name__]
    part("app", "SERVICE_REGISTRY")["sagemaker"] = {"module": "sagemaker"}
    part("app", "SERVICE_HANDLERS")["sagemaker"] = part("app", "_lazy_handler")("sagemaker")
    part("core.router", "SERVICE_PATTERNS")["sagemaker"] = {
        "target_prefixes": ["SageMaker."],
        "host_patterns": [r"api\.sagemaker\."],
        "credential_scope": "sagemaker",
    }


def make_arn(resource: str) -> str:
    """Make the ARN of a resource (`training-job/NAME`) in the account and region of this request."""
    region, account = part("core.responses", "get_region")(), part("core.responses", "get_account_id")()
    return f"arn:aws:sagemaker:{region}:{account}:{resource}"


async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Part) -> Part:
    """Answer one request as ministack's own services do: status, headers, body."""
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    try:
        answer = _perform(action, json.loads(body or b"{}"))
    except ServiceError as error:
        return part("core.responses", "error_response_json")(
            error.code, error.message, 400, content_type="application/x-amz-json-1.1"
        )
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


def _perform(action: str, request: dict[str, Any]) -> dict[str, Any]:
    operation = _operations.get(action)
    if operation is None:
        raise ServiceError("UnknownOperationException", f"The local SageMaker has no operation {action!r}.")
    answer = operation(request)
    if action.startswith("Create") and request.get("Tags"):
        _add_tags({"ResourceArn": next(iter(answer.values())), "Tags": request["Tags"]})
    return answer


def _announce(package: dict[str, Any]) -> None:
    """Send EventBridge what SageMaker sends it when a model package changes."""
    detail = {
        key: package[key]
        for key in (
            "ModelPackageGroupName",
            "ModelPackageVersion",
            "ModelPackageArn",
            "ModelPackageStatus",
            "ModelApprovalStatus",
        )
    }
    event = {
        "Source": "aws.sagemaker",
        "DetailType": "SageMaker Model Package State Change",
        "Resources": [package["ModelPackageArn"]],
        "Detail": json.dumps(detail),
    }
    part("services.eventbridge", "_put_events")({"Entries": [event]}, allow_aws_source=True)


def get_state() -> dict[str, Any]:
    """Return all that is to be kept (ministack's services have a function of this name)."""
    return {
        "registry": model_registry().state(),
        "training_jobs": training_jobs().state(),
        "tuning_jobs": tuning_jobs().state(),
        "tags": copy.deepcopy(_tags),
    }


def load_persisted_state(state: dict[str, Any]) -> None:
    """Take what `get_state` gave."""
    model_registry().restore(state["registry"])
    training_jobs().restore(state["training_jobs"])
    tuning_jobs().restore(state.get("tuning_jobs", []))  # a version before this one had none
    _tags.update(state["tags"])


def reset() -> None:
    """Forget everything (ministack's own reset calls it)."""
    tuning_jobs().reset()
    training_jobs().reset()
    model_registry().reset()
    _tags.clear()


def _add_tags(request: dict[str, Any]) -> dict[str, Any]:
    tags = _tags.setdefault(request["ResourceArn"], {})
    tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
    return {"Tags": _listed(tags)}


def _list_tags(request: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": _listed(_tags.get(request["ResourceArn"], {}))}


def _delete_tags(request: dict[str, Any]) -> dict[str, Any]:
    tags = _tags.get(request["ResourceArn"], {})
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
