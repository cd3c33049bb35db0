"""The service integrations of Step Functions that the workflow uses: SageMaker's and Batch's jobs.

`.sync` waits for the job's end, fails with the job's description as the cause, and stops the job when the
execution is stopped or the task times out.
"""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import (  # type: ignore[import-untyped,unused-ignore]
    ClientError,
    ParamValidationError,
)

from local import batch, roles, sagemaker
from local.clients import client
from local.executions import current_attempt
from local.history import task_details
from local.patches import Part, part
from local.settings import REGION
from local.step_functions import error

# How the Java SDK, which Step Functions uses, names errors that the API names otherwise.
_SAGEMAKER_ERRORS = {
    "ResourceInUse": "ResourceInUseException",
    "ResourceNotFound": "ResourceNotFoundException",
    "ResourceLimitExceeded": "ResourceLimitExceededException",
    "ConflictException": "ConflictException",
}
_BATCH_ERRORS = {"ClientException": "ClientException", "ServerException": "ServerException"}
ACCOUNT = "000000000000"
# Below these the keys are the user's own and keep their case.
_FREE_MAPS = ("Parameters", "Tags", "StatusSummary", "Options")
_BATCH_ACTIONS = ("SubmitJob", "DescribeJobs", "ListJobs", "TerminateJob", "CancelJob")


def install() -> None:
    """Register the optimized integrations, and both services for `aws-sdk:` ones."""
    dispatch = part("services.stepfunctions", "_SERVICE_DISPATCH")
    dispatch["arn:aws:states:::sagemaker:createTrainingJob"] = create_training_job
    dispatch["arn:aws:states:::sagemaker:createHyperParameterTuningJob"] = create_tuning_job
    dispatch["arn:aws:states:::batch:submitJob"] = submit_job
    services = part("services.stepfunctions", "_AWS_SDK_SERVICE_MAP")
    services["sagemaker"] = {"target_prefix": "SageMaker", "protocol": "json"}
    services["batch"] = {"protocol": "rest-json"}
    part("services.stepfunctions", "_AWS_SDK_ERROR_PREFIX").update(sagemaker="SageMaker", batch="Batch")
    part("services.stepfunctions", "_REST_JSON_ACTION_PATHS")["batch"] = {
        action: f"/v1/{action.lower()}" for action in _BATCH_ACTIONS
    }


def create_training_job(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """`sagemaker:createTrainingJob[.sync]`."""
    endpoint, role = sagemaker.training_jobs().endpoint, roles.machine_role()
    arn = sagemaker.make_arn(f"training-job/{parameters['TrainingJobName']}")
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    _check("SageMaker", role, ("iam:PassRole", parameters["RoleArn"], passed), ("sagemaker:AddTags", arn, {}))
    answer = _call(
        lambda: client("sagemaker", endpoint, role).create_training_job(**parameters),
        "SageMaker", _SAGEMAKER_ERRORS, "AmazonSageMakerException", parameters,
    )  # fmt: skip
    job = sagemaker.training_jobs().find(parameters["TrainingJobName"])
    if not resource.endswith(".sync"):
        return answer
    stop = _if_allowed(role, ("sagemaker:StopTrainingJob", arn, {}), lambda: job.stop("Stopped"))
    _wait(resource, answer, job.done, stop)
    _check("SageMaker", role, ("sagemaker:DescribeTrainingJob", arn, {}))
    described: dict[str, Any] = _in_milliseconds(job.describe())
    if described["TrainingJobStatus"] == "Failed":
        raise error("States.TaskFailed", json.dumps(described))
    return described


def create_tuning_job(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """`sagemaker:createHyperParameterTuningJob[.sync]`."""
    endpoint, role = sagemaker.training_jobs().endpoint, roles.machine_role()
    name = parameters["HyperParameterTuningJobName"]
    arn = sagemaker.make_arn(f"hyper-parameter-tuning-job/{name}")
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    trains_as = parameters["TrainingJobDefinition"]["RoleArn"]
    _check("SageMaker", role, ("iam:PassRole", trains_as, passed), ("sagemaker:AddTags", arn, {}))
    answer = _call(
        lambda: client("sagemaker", endpoint, role).create_hyper_parameter_tuning_job(**parameters),
        "SageMaker", _SAGEMAKER_ERRORS, "AmazonSageMakerException", parameters,
    )  # fmt: skip
    if not resource.endswith(".sync"):
        return answer
    job = sagemaker.tuning_jobs().find(name)
    asked: roles.Request = ("sagemaker:StopHyperParameterTuningJob", arn, {})
    _wait(resource, answer, job.done, _if_allowed(role, asked, job.stop))
    _check("SageMaker", role, ("sagemaker:DescribeHyperParameterTuningJob", arn, {}))
    described: dict[str, Any] = _in_milliseconds(job.describe())
    if described["HyperParameterTuningJobStatus"] == "Failed":
        raise error("States.TaskFailed", json.dumps(described))
    return described


def submit_job(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """`batch:submitJob[.sync]`."""
    request = change_case(parameters, str.lower)
    endpoint, role = sagemaker.training_jobs().endpoint, roles.machine_role()
    tags = request.get("tags") or {}
    _check("Batch", role, *_of_job(request["jobDefinition"], tags))
    answer = _call(
        lambda: client("batch", endpoint, role).submit_job(**request),
        "Batch", _BATCH_ERRORS, "AWSBatchException", parameters,
    )  # fmt: skip
    submitted = change_case(answer, str.upper)
    if not resource.endswith(".sync"):
        return dict(submitted)
    job = batch.find_job(answer["jobId"])
    reason = "Step Functions stopped the job because its task was stopped or timed out."
    tagged = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    asked = ("batch:TerminateJob", answer["jobArn"], tagged)
    _wait(resource, submitted, job.done, _if_allowed(role, asked, lambda: job.terminate(reason)))
    _check("Batch", role, ("batch:DescribeJobs", "*", {}))
    described: dict[str, Any] = change_case(job.describe(), str.upper)
    if described["Status"] != "SUCCEEDED":
        raise error("States.TaskFailed", json.dumps(described))
    return described


def _of_job(definition: str, tags: dict[str, str]) -> Iterator[roles.Request]:
    """Yield what SubmitJob asks IAM for beside the queue.

    It is written nowhere whether a definition is asked for with its revision when the job names none, and
    whether the right to tag is asked for on the definition or on the job: all of them must be allowed.
    """
    arn, name = f"arn:aws:batch:{REGION}:{ACCOUNT}", definition.rpartition("/")[2]
    names = (name,) if ":" in name else (name, f"{name}:1")
    definitions = [f"{arn}:job-definition/{each}" for each in names]
    yield from (("batch:SubmitJob", each, {}) for each in definitions)
    if tags:
        asked = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        yield from (("batch:TagResource", each, asked) for each in (*definitions, f"{arn}:job/new"))


def _check(service: str, role: str | None, *requests: roles.Request) -> None:
    if said := roles.denied(role, *requests):
        raise error(f"{service}.AccessDeniedException", said)


def _if_allowed(role: str | None, request: roles.Request, stop: Callable[[], object]) -> Callable[[], object]:
    """Make what stops a job; without the right to, Step Functions leaves it running."""
    return lambda: roles.denied(role, request) or stop()


def change_case(value: Part, change: Callable[[str], str]) -> Part:
    """Keys with their first letter changed: Batch writes `jobName`, Step Functions `JobName`."""
    if isinstance(value, dict):
        return {
            change(key[:1]) + key[1:]: item
            if f"{key[:1].upper()}{key[1:]}" in _FREE_MAPS
            else change_case(item, change)
            for key, item in value.items()
        }
    return [change_case(item, change) for item in value] if isinstance(value, list) else value


def _call(
    call: Callable[[], dict[str, Any]],
    service: str,
    names: dict[str, str],
    otherwise: str,
    parameters: dict[str, Any],
) -> dict[str, Any]:
    """Call the API; its errors get the names that Step Functions gives them."""
    try:
        answer = call()
    except ParamValidationError as raised:
        raise error(
            "States.Runtime",
            f"The Parameters '{json.dumps(parameters)}' could not be used to start the Task: [{raised}]",
        ) from None
    except ClientError as raised:
        code, message = raised.response["Error"]["Code"], raised.response["Error"]["Message"]
        cause = f"{message} (Service: {service}; Status Code: 400; Error Code: {code})"
        raise error(f"{service}.{names.get(code, otherwise)}", cause) from None
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _wait(resource: str, submitted: object, done: threading.Event, stop: Callable[[], object]) -> None:
    """Tell the history that the job is submitted, and wait for its end."""
    attempt = current_attempt.get()
    if attempt:
        submission = {
            **task_details(resource),
            "output": json.dumps(submitted),
            "outputDetails": {"truncated": False},
        }
        part("services.stepfunctions", "_add_event")(
            attempt.run.execution, "TaskSubmitted", {"taskSubmittedEventDetails": submission}
        )
        attempt.on_cancel(stop)
    done.wait()


def _in_milliseconds(value: Part) -> Part:
    """Moments as Step Functions writes them: whole milliseconds."""
    if isinstance(value, dict):
        return {
            key: int(item * 1000)
            if isinstance(item, float) and key.endswith(("Time", "Timestamp"))
            else _in_milliseconds(item)
            for key, item in value.items()
        }
    return [_in_milliseconds(item) for item in value] if isinstance(value, list) else value
