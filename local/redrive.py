"""RedriveExecution, which ministack lacks: an unsuccessful execution goes on from the state that ended it.

As on AWS, that state begins anew with the input it had and all its retries, and is run as the definition was
when the execution began. A Parallel or Map state begins anew as a whole; AWS would keep finished branches.
"""

import asyncio
import contextvars
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from local.executions import Execution, find_run
from local.patches import Function, Part, part, replace
from local.service_errors import ServiceError

REDRIVABLE_PERIOD = timedelta(days=14)
MOST_EVENTS = 24_999
_MODULE = "services.stepfunctions"
_one_at_a_time = threading.Lock()


def install() -> None:
    """Add the operation, and what the others tell of it."""
    replace(_MODULE, "handle_request", _handling)
    replace(_MODULE, "_describe_execution", _describing)
    replace(_MODULE, "_list_executions", _listing)
    replace("services.eventbridge", "_dispatch_event", _dispatching)


def redrive(request: dict[str, Any]) -> dict[str, Any]:
    """RedriveExecution; returns its answer.

    Raises:
        ServiceError: there is no such execution, or it cannot be redriven.

    """
    arn = request.get("executionArn", "")
    execution = part(_MODULE, "_executions").get(arn)
    if execution is None:
        raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    token = request.get("clientToken")
    if token and token == execution.get("redriveToken"):  # the same request, sent again
        return {"redriveDate": execution["redriveDate"]}
    with _one_at_a_time:
        obstacle = not_redrivable(execution)
        if obstacle:
            raise ServiceError("ExecutionNotRedrivable", obstacle)
        _wait_for_end(arn)
        _go_on(execution, token)
    return {"redriveDate": execution["redriveDate"]}


def not_redrivable(execution: Execution) -> str:
    """Return why an execution cannot be redriven, in AWS's words; nothing if it can."""
    if execution["status"] in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {execution['status']} and cannot be redriven"
    if execution["stateMachineArn"] not in part(_MODULE, "_state_machines") or "position" not in execution:
        return "State machine is in DELETING status"
    if len(execution["events"]) >= MOST_EVENTS:
        return "Execution history event limit exceeded"
    if datetime.now(UTC) - datetime.fromisoformat(execution["stopDate"]) > REDRIVABLE_PERIOD:
        return "Execution redrivable period exceeded"
    return ""


def _wait_for_end(arn: str) -> None:
    """Wait for the task of a stopped execution to be cancelled, or two would walk through one execution."""
    run = find_run(arn)
    if run:
        run.closed.wait()


def _go_on(execution: Execution, token: str | None) -> None:
    count, now = execution.get("redriveCount", 0) + 1, part(_MODULE, "now_iso")()
    execution.update(status="RUNNING", stopDate=None, redriveCount=count, redriveDate=now, redriveToken=token)
    for key in ("error", "cause"):
        execution.pop(key, None)
    part(_MODULE, "_add_event")(
        execution, "ExecutionRedriven", {"executionRedrivenEventDetails": {"redriveCount": count}}
    )
    part(_MODULE, "_emit_execution_status_event")(execution)
    threading.Thread(
        target=contextvars.copy_context().run,
        args=(part(_MODULE, "_run_execution"), execution["executionArn"]),
        daemon=True,
    ).start()


def _handling(original: Function) -> Function:
    async def handle_request(method: str, path: str, headers: Part, body: bytes, query: Part) -> Part:
        if not headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return await original(method, path, headers, body, query)
        try:
            answer = await asyncio.to_thread(redrive, json.loads(body))
        except ServiceError as error:
            return part("core.responses", "error_response_json")(error.code, error.message, 400)
        return part(_MODULE, "_finalize_response")(part("core.responses", "json_response")(answer))

    return handle_request


def _describing(original: Function) -> Function:
    def describe_execution(data: dict[str, Any]) -> Part:
        status, headers, body = original(data)
        execution = part(_MODULE, "_executions").get(data.get("executionArn"))
        if status != 200 or execution is None:
            return status, headers, body
        return part("core.responses", "json_response")(json.loads(body) | _redrive_of(execution))

    return describe_execution


def _listing(original: Function) -> Function:
    executions_by_arn = part(_MODULE, "_executions")

    def list_executions(data: dict[str, Any]) -> Part:
        status, headers, body = original(data)
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        for item in answer["executions"]:
            redrive = _redrive_of(executions_by_arn[item["executionArn"]])
            item.update({key: redrive[key] for key in ("redriveCount", "redriveDate") if key in redrive})
        return part("core.responses", "json_response")(answer)

    return list_executions


def _dispatching(original: Function) -> Function:
    """Tell of redrives in the event of an execution's status, too."""

    def dispatch(event: dict[str, Any], view: Part = None) -> Part:
        if event.get("Source") == "aws.states":
            detail = json.loads(event["Detail"])
            execution = part(_MODULE, "_executions").get(detail.get("executionArn"))
            if execution:
                event = {**event, "Detail": json.dumps(detail | _redrive_of(execution))}
        return original(event, view)

    return dispatch


def _redrive_of(execution: Execution) -> dict[str, Any]:
    obstacle = not_redrivable(execution)
    description = {
        "redriveCount": execution.get("redriveCount", 0),
        "redriveStatus": "NOT_REDRIVABLE" if obstacle else "REDRIVABLE",
    }
    if execution.get("redriveDate"):
        description["redriveDate"] = execution["redriveDate"]
    return description | ({"redriveStatusReason": obstacle} if obstacle else {})
