"""Resource types that the template uses and ministack lacks; no bucket is deleted that is not empty."""

import json
from collections.abc import Callable
from typing import Any

from local import batch, sagemaker
from local.patches import Part, part
from local.service_errors import ServiceError

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]

_NUMBERS = (
    "attemptDurationSeconds",
    "attempts",
    "desiredvCpus",
    "maxvCpus",
    "minvCpus",
    "order",
    "priority",
    "size",
)
_kept_revisions: set[str] = set()  # of job definitions, that an update has just superseded
_STATES = "services.stepfunctions"
_FREE_KEYS = ("Parameters", "Tags", "Options", "parameters", "tags", "options")


def install() -> None:
    """Register the resource types."""
    handlers = part("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
    part("services.cloudformation.provisioners", "_physical_name")
    handlers["AWS::Batch::ComputeEnvironment"] = {
        "create": _create_compute_environment,
        "update": _update_compute_environment,
        "delete": lambda arn, _: _delete(batch.delete_compute_environment, {"computeEnvironment": arn}),
    }
    handlers["AWS::Batch::JobQueue"] = {
        "create": _create_job_queue,
        "update": _update_job_queue,
        "delete": lambda arn, _: _delete(batch.delete_job_queue, {"jobQueue": arn}),
    }
    handlers["AWS::Batch::JobDefinition"] = {
        "create": _create_job_definition,
        "update": _update_job_definition,
        "update_with_logical_id": True,
        "delete": _delete_job_definition,
    }
    handlers["AWS::SageMaker::ModelPackageGroup"] = {
        "create": _create_model_group,
        "update": lambda arn, _old, _new, _stack: (arn, _model_group_attributes(arn)),
        "delete": lambda arn, _: _delete(
            sagemaker.model_registry().delete_group, {"ModelPackageGroupName": arn}
        ),
    }
    handlers["AWS::StepFunctions::StateMachineVersion"] = {
        "create": lambda _logical_id, properties, _stack: _publish_version(properties),
        "update": lambda _arn, _old, properties, _stack: _publish_version(properties),
        "delete": lambda arn, _: _call(
            "_delete_state_machine_version", {"stateMachineVersionArn": arn}, _STATES
        ),
    }
    handlers["AWS::StepFunctions::StateMachineAlias"] = {
        "create": _create_alias,
        "update": _update_alias,
        "delete": lambda arn, _: _call("_delete_state_machine_alias", {"stateMachineAliasArn": arn}, _STATES),
    }
    bucket = handlers["AWS::S3::Bucket"]
    bucket["delete"] = _refuse_full_bucket(bucket["delete"])
    function = handlers["AWS::Lambda::Function"]
    for change in ("create", "update"):
        function[change] = _with_text_variables(_as_archive(function[change]))


def lower_keys(value: Part) -> Part:
    """Write template properties as the API of Batch does: `ComputeResources` becomes `computeResources`.

    Numbers from a template's parameters come as text; CloudFormation turns them into numbers.
    """
    if isinstance(value, dict):
        return {
            _lower(key): item if key in _FREE_KEYS else _typed(_lower(key), item)
            for key, item in value.items()
        }
    return [lower_keys(item) for item in value] if isinstance(value, list) else value


def _typed(key: str, value: Part) -> Part:
    return int(value) if key in _NUMBERS and isinstance(value, str) else lower_keys(value)


def _lower(key: str) -> str:
    return key[:1].lower() + key[1:]


def _create_compute_environment(logical_id: str, properties: Properties, stack: str) -> Created:
    request = lower_keys(properties) | {
        "computeEnvironmentName": _name(properties, "ComputeEnvironmentName", logical_id, stack)
    }
    request["type"] = str(request.get("type", "MANAGED")).upper()
    arn = _call("_create_compute_environment", request)["computeEnvironmentArn"]
    return arn, {"ComputeEnvironmentArn": arn}


def _update_compute_environment(arn: str, _: Properties, properties: Properties, _stack: str) -> Created:
    _call("_update_compute_environment", lower_keys(properties) | {"computeEnvironment": arn})
    return arn, {"ComputeEnvironmentArn": arn}


def _create_job_queue(logical_id: str, properties: Properties, stack: str) -> Created:
    request = lower_keys(properties) | {"jobQueueName": _name(properties, "JobQueueName", logical_id, stack)}
    arn = _call("_create_job_queue", request)["jobQueueArn"]
    return arn, {"JobQueueArn": arn}


def _update_job_queue(arn: str, _: Properties, properties: Properties, _stack: str) -> Created:
    batch.update_job_queue({**lower_keys(properties), "jobQueue": arn})
    return arn, {"JobQueueArn": arn}


def _create_job_definition(logical_id: str, properties: Properties, stack: str) -> Created:
    name = _name(properties, "JobDefinitionName", logical_id, stack)
    request = lower_keys(properties) | {"jobDefinitionName": name}
    request.pop("resourceRetentionPolicy", None)
    arn = _checked(batch.register_job_definition, request)["jobDefinitionArn"]
    return arn, {"JobDefinitionArn": arn}


def _update_job_definition(
    arn: str, _: Properties, properties: Properties, stack: str, logical_id: str | None = None
) -> Created:
    """Register a changed definition as a new revision; the engine deletes the old one, unless it is kept."""
    if properties.get("ResourceRetentionPolicy", {}).get("SkipDeregisterOnUpdate"):
        _kept_revisions.add(arn)
    name = properties.get("JobDefinitionName") or arn.rpartition("/")[2].partition(":")[0]
    return _create_job_definition(logical_id or name, properties | {"JobDefinitionName": name}, stack)


def _delete_job_definition(arn: str, _: Properties) -> None:
    if arn in _kept_revisions:
        _kept_revisions.remove(arn)
    else:
        _delete(batch.deregister_job_definition, {"jobDefinition": arn})


def _create_model_group(logical_id: str, properties: Properties, stack: str) -> Created:
    name = _name(properties, "ModelPackageGroupName", logical_id, stack).replace("_", "-")
    request = {key: value for key, value in properties.items() if key != "Tags"} | {
        "ModelPackageGroupName": name
    }
    arn = _checked(sagemaker.model_registry().create_group, request)["ModelPackageGroupArn"]
    return arn, _model_group_attributes(arn)


def _model_group_attributes(arn: str) -> dict[str, Any]:
    group = sagemaker.model_registry().describe_group({"ModelPackageGroupName": arn})
    return {
        "ModelPackageGroupArn": arn,
        "ModelPackageGroupStatus": group["ModelPackageGroupStatus"],
        "CreationTime": str(group["CreationTime"]),
    }


def _publish_version(properties: Properties) -> Created:
    """Publish a version of the machine as it is now; an older one is deleted or kept by the engine."""
    request = {"stateMachineArn": properties["StateMachineArn"]}
    arn = _call("_publish_state_machine_version", request, _STATES)["stateMachineVersionArn"]
    return arn, {"Arn": arn}


def _create_alias(_: str, properties: Properties, _stack: str) -> Created:
    request = {"name": properties["Name"], "routingConfiguration": _routing(properties)}
    arn = _call("_create_state_machine_alias", request, _STATES)["stateMachineAliasArn"]
    return arn, {"Arn": arn}


def _update_alias(arn: str, _: Properties, properties: Properties, _stack: str) -> Created:
    request = {"stateMachineAliasArn": arn, "routingConfiguration": _routing(properties)}
    _call("_update_state_machine_alias", request, _STATES)
    return arn, {"Arn": arn}


def _routing(properties: Properties) -> list[dict[str, Any]]:
    """Return the one version that an alias names; no deployment here moves from one to another by and by."""
    version = properties["DeploymentPreference"]["StateMachineVersionArn"]
    return [{"stateMachineVersionArn": version, "weight": 100}]


def _refuse_full_bucket(original: Callable[[str, Properties], None]) -> Callable[[str, Properties], None]:
    """AWS deletes no bucket that still holds objects or versions; ministack would drop them with it."""
    buckets, has_versions = part("services.s3", "_buckets"), part("services.s3", "_bucket_has_versions")

    def delete(name: str, properties: Properties) -> None:
        bucket = buckets.get(name)
        if bucket and (bucket["objects"] or has_versions(name)):
            raise ValueError(
                f"The bucket you tried to delete is not empty. You must delete all versions in it. ({name})"
            )
        original(name, properties)

    return delete


def _with_text_variables(original: Callable[..., Part]) -> Callable[..., Part]:
    """Make text of a function's variables, as CloudFormation does of what a template gives as a number."""

    def as_text(value: Part) -> Part:
        environment = value.get("Environment") if isinstance(value, dict) else None
        if not environment:
            return value
        variables = {name: str(given) for name, given in environment.get("Variables", {}).items()}
        return {**value, "Environment": {**environment, "Variables": variables}}

    def change(*values: Part, **named: Part) -> Part:
        return original(*map(as_text, values), **named)

    return change


def _as_archive(original: Callable[..., Part]) -> Callable[..., Part]:
    """Make of a function of an image one of the same code, as the programs of the image lie here.

    Its modules import nothing of the image, and find its programs by PATH.
    """

    def as_archive(value: Part) -> Part:
        if not isinstance(value, dict) or "ImageUri" not in value.get("Code", {}):
            return value
        settings = sagemaker.training_jobs().settings
        (command,) = value["ImageConfig"]["Command"]
        module, _, handler = command.rpartition(".")
        source = (settings.programs / f"{module.rpartition('.')[2]}.py").read_text(encoding="utf-8")
        variables = value.get("Environment", {}).get("Variables", {})
        return {
            **{key: given for key, given in value.items() if key not in ("ImageConfig", "PackageType")},
            "Code": {"ZipFile": source},
            "Runtime": "python3.11",
            "Handler": f"index.{handler}",
            "Environment": {"Variables": {**variables, "PATH": settings.path}},
        }

    def change(*values: Part, **named: Part) -> Part:
        return original(*map(as_archive, values), **named)

    return change


def _name(properties: Properties, key: str, logical_id: str, stack: str) -> str:
    return str(
        properties.get(key)
        or part("services.cloudformation.provisioners", "_physical_name")(stack, logical_id)
    )


def _call(operation: str, request: dict[str, Any], service: str = "services.batch") -> dict[str, Any]:
    """Call one of ministack's own operations; its error becomes the reason of the stack event."""
    status, _, body = part(service, operation)(request)
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise ValueError(answer.get("message", str(answer)))
    return answer


def _checked(
    operation: Callable[[dict[str, Any]], dict[str, Any]], request: dict[str, Any]
) -> dict[str, Any]:
    try:
        return operation(request)
    except ServiceError as error:
        raise ValueError(error.message) from None


def _delete(operation: Callable[[dict[str, Any]], dict[str, Any]], request: dict[str, Any]) -> None:
    """Delete; what is gone already is no failure."""
    try:
        operation(request)
    except ServiceError as error:
        if "does not exist" not in error.message:
            raise ValueError(error.message) from None
