"""The version of an uploaded object in its EventBridge event, which ministack leaves out."""

import contextvars
import json
from typing import Any

from local.patches import Function, Part, replace

_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("version", default=None)


def install() -> None:
    """Carry the version from where S3 fires an event to where EventBridge takes it."""
    replace("services.s3", "_fire_s3_event", _remembering)
    replace("services.eventbridge", "_dispatch_event", _adding)


def _remembering(original: Function) -> Function:
    def fire(bucket: str, key: str, name: str, *arguments: Part, **named: Part) -> None:
        _version.set(named.get("version_id"))
        original(bucket, key, name, *arguments, **named)

    return fire


def _adding(original: Function) -> Function:
    def dispatch(event: dict[str, Any], view: Part = None) -> Part:
        version = _version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        return original(event, view)

    return dispatch
