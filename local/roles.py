"""Roles, as AWS has them: what runs in a stack may do only what its role allows; people may do everything.

Once AUTH is on, ministack decides each request by the policies of whoever signed it, and gives functions
sessions of their roles. Here are the sessions of all else that has a role (the state machine, trainings,
Batch jobs), what it does without a request, and SageMaker, which ministack does not know. Each decision about
a role is a line of `decisions.jsonl`.
"""

import hashlib
import json
import re
import threading
from pathlib import Path
from typing import Any

from local.executions import current_run
from local.patches import Function, Part, part, replace
from local.settings import CREDENTIALS, REGION, Settings

Request = tuple[str, str, dict[str, Any]]
"""Action, resource and condition keys."""

_decisions: list[Path] = []
_waiting: dict[str, str] = {}  # the state machines of tokens
_lock = threading.Lock()
_SAGEMAKER_JOBS = {
    "TrainingJobName": "training-job",
    "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
}
_MACHINE = re.compile(r"(arn:[^:]*:states:[^:]*:[^:]*:stateMachine:[^:]*):[^:]*")  # its version, its alias


def install(settings: Settings) -> None:
    """Let roles be enforced, if the settings say so."""
    if not settings.roles:
        return
    _decisions[:] = [settings.folder / "decisions.jsonl"]
    part("core.iam_actions", "SERVICE_TO_IAM_NAMESPACE")["sagemaker"] = "sagemaker"
    replace("core.iam_actions", "extract_resource_arn", _naming_resources)
    replace("core.iam_evaluator", "enforce", _keeping)
    # On AWS every request comes by TLS, for which the bucket policies ask.
    replace(
        "app", "pin_request_origin", lambda original: lambda ip, secure: original(ip, secure_transport=True)
    )
    replace("services.stepfunctions", "_invoke_resource", _deciding)
    replace("services.stepfunctions", "_invoke_with_callback", _remembering)


def credentials(role: str | None) -> dict[str, str]:
    """Return the keys of a session of a role, by its ARN; without one, or while roles are off, a person's."""
    if not role or not _decisions:
        return dict(CREDENTIALS)
    name = role.rsplit("/", 1)[-1]
    digest = hashlib.sha256(role.encode()).hexdigest()
    keys = {
        "AWS_ACCESS_KEY_ID": f"ASIA{digest[:16].upper()}",
        "AWS_SECRET_ACCESS_KEY": digest[:40],
        "AWS_SESSION_TOKEN": digest,
    }
    session = {
        "Arn": f"arn:aws:sts::{role.split(':')[4]}:assumed-role/{name}/local",
        "UserId": f"{name}:local",
        "SecretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
        "SessionToken": keys["AWS_SESSION_TOKEN"],
    }
    part("services.sts", "register_session")(keys["AWS_ACCESS_KEY_ID"], session)
    return keys


def machine_role() -> str | None:
    """Return the role of the state machine that runs here."""
    run = current_run.get()
    machines = part("services.stepfunctions", "_state_machines")
    return str(machines[run.execution["stateMachineArn"]]["roleArn"]) if run else None


def denied(role: str | None, *requests: Request) -> str:
    """Return what a role may not do of what comes without a request to the server; empty if it may all."""
    if not role or not _decisions:
        return ""
    account = role.split(":")[4]
    principal = part("core.iam_evaluator", "resolve_principal")(
        credentials(role)["AWS_ACCESS_KEY_ID"], account
    )
    for action, resource, context in requests:
        asked = part("core.iam_evaluator", "EvalContext")(
            principal_arn=principal.arn,
            principal_type=principal.type,
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=REGION,
            service_context={key.lower(): value for key, value in context.items()},
        )
        allowed = part("core.iam_evaluator", "evaluate")(asked, principal.policies).decision == "Allow"
        _keep(role.rsplit("/", 1)[-1], (action, resource, context), allowed=allowed)
        if not allowed:
            return f"{principal.arn} is not authorized to perform: {action} on resource: {resource}"
    return ""


def _deciding(original: Function) -> Function:
    """Decide what the state machine does within this server: calling functions and publishing."""

    def invoke(resource: str, input_data: Any) -> Any:  # noqa: ANN401 - a state's input is any JSON
        if said := denied(machine_role(), *_of_task(resource, input_data)):
            service = "SNS" if "sns" in resource else "Lambda"
            raise part("services.stepfunctions", "_ExecutionError")(f"{service}.AccessDeniedException", said)
        return original(resource, input_data)

    return invoke


def _remembering(original: Function) -> Function:
    """Remember which state machine waits for a token: who answers it needs a right to that machine."""

    def invoke(resource: str, input_data: Any, token: str, state: Any) -> Any:  # noqa: ANN401
        if run := current_run.get():
            _waiting[token] = run.execution["stateMachineArn"]
        return original(resource, input_data, token, state)

    return invoke


def _of_task(resource: str, given: Any) -> list[Request]:  # noqa: ANN401
    if "states:::sns:publish" in resource:
        return [("sns:Publish", given["TopicArn"], {})]
    if "states:::lambda:invoke" in resource:
        return [("lambda:InvokeFunction", given["FunctionName"], {})]
    return [("lambda:InvokeFunction", resource, {})] if ":lambda:" in resource else []


def _naming_resources(original: Function) -> Function:
    """Name what ministack does not: SageMaker's resources, the queue of a job, the machine of a token."""

    def extract(*arguments: Part) -> Part:
        service, _, path, headers, body, _, region, account = arguments
        if service == "states":  # a version or an alias is authorised as its state machine
            token = json.loads(body).get("taskToken") if b"taskToken" in body else None
            return _MACHINE.sub(r"\1", _waiting.get(token, "*") if token else original(*arguments))
        if service == "batch" and path.endswith("/submitjob"):
            return json.loads(body)["jobQueue"]
        if service != "sagemaker":
            return original(*arguments)
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        given = json.loads(body or b"{}")
        base = f"arn:aws:sagemaker:{region}:{account}"
        for key, kind in _SAGEMAKER_JOBS.items():
            if key in given:
                return f"{base}:{kind}/{given[key]}"
        if action == "CreateModelPackage":
            return f"{base}:model-package/{given['ModelPackageGroupName']}/1"
        return (
            given.get("ModelPackageName") or given.get("ModelPackageArn") or given.get("ResourceArn") or "*"
        )

    return extract


def _keeping(original: Function) -> Function:
    """Keep the decisions about roles."""

    def enforce(access_key_id: str, iam_action: str, *arguments: Part, **named: Part) -> Part:
        refusal = original(access_key_id, iam_action, *arguments, **named)
        session = part("services.sts", "_sessions").get(access_key_id)
        if session and ":assumed-role/" in session["Arn"]:
            role = session["Arn"].split("/")[1]
            _keep(role, (iam_action, named.get("resource_arn", "*"), {}), allowed=refusal is None)
        return refusal

    return enforce


def _keep(role: str, request: Request, *, allowed: bool) -> None:
    action, resource, context = request
    decision = {"role": role, "action": action, "resource": resource, "context": context, "allowed": allowed}
    with _lock, _decisions[0].open("a", encoding="utf-8") as file:
        file.write(json.dumps(decision) + "\n")
