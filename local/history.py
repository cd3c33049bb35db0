"""Events of an execution's history as AWS writes them.

ministack's events lack `previousEventId` and TaskStarted, name a task's resource by its whole ARN, and go on
after the execution has been stopped.
"""

import threading
from typing import Any

from local import keeper
from local.patches import Function, Part, replace
from local.settings import REGION

_lock = threading.Lock()
_DETAILS = ("taskScheduledEventDetails", "taskSucceededEventDetails", "taskFailedEventDetails")


def install() -> None:
    """Replace the function that appends an event."""
    replace("services.stepfunctions", "_add_event", _make)


def task_details(resource: str) -> dict[str, str]:
    """`arn:aws:states:::batch:submitJob.sync` as history events tell it."""
    kind, _, name = resource.partition(":::")[2].rpartition(":")
    return {"resourceType": kind or "lambda", "resource": name if kind else resource}


def _make(original: Function) -> Function:
    def add_event(execution: dict[str, Any], event_type: str, details: dict[str, Any] | None = None) -> Part:
        if execution["status"] != "RUNNING" and not event_type.startswith("Execution"):
            return {}
        with _lock:
            event = original(execution, event_type, _as_aws(event_type, details))
            event["previousEventId"] = event["id"] - 1
            if event_type == "TaskScheduled":
                resource = {
                    key: event["taskScheduledEventDetails"][key] for key in ("resourceType", "resource")
                }
                started = original(execution, "TaskStarted", {"taskStartedEventDetails": resource})
                started["previousEventId"] = event["id"]
        keeper.execution_changed(execution)
        return event

    return add_event


def _as_aws(event_type: str, details: dict[str, Any] | None) -> dict[str, Any] | None:
    key = f"{event_type[:1].lower()}{event_type[1:]}EventDetails"
    if not details or key not in _DETAILS or ":::" not in details[key]["resource"]:
        return details
    described = {**details[key], **task_details(details[key]["resource"])}
    if event_type == "TaskScheduled":
        described = {"parameters": "{}", "region": REGION, **described}
    return {**details, key: described}
