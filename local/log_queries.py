"""FilterLogEvents with what ministack's lacks: pages, `logStreamNamePrefix` and an id for every event."""

import hashlib
from typing import Any

from local.patches import Function, Part, part, replace

_PAGE = 10_000


def install() -> None:
    """Replace FilterLogEvents."""
    for name in ("_log_groups", "_log_events_lock", "_compile_filter_pattern", "_resolve_log_group_name"):
        part("services.cloudwatch_logs", name)
    replace("services.cloudwatch_logs", "_filter_log_events", _make)


def _make(original: Function) -> Function:
    error = part("core.responses", "error_response_json")
    respond = part("core.responses", "json_response")

    def filter_log_events(data: dict[str, Any]) -> Part:
        group = part("services.cloudwatch_logs", "_log_groups").get(
            part("services.cloudwatch_logs", "_resolve_log_group_name")(data)
        )
        if group is None:
            return original(data)
        token = str(data.get("nextToken") or "0")
        if not token.isdecimal():
            return error("InvalidParameterException", "The specified nextToken is invalid.", 400)
        events = _matching(group["streams"], data)
        start, size = int(token), min(int(data.get("limit") or _PAGE), _PAGE)
        answer: dict[str, Any] = {"events": events[start : start + size], "searchedLogStreams": []}
        if start + size < len(events):
            answer["nextToken"] = str(start + size)
        return respond(answer)

    return filter_log_events


def _matching(streams: dict[str, Any], data: dict[str, Any]) -> list[dict[str, Any]]:
    matches = part("services.cloudwatch_logs", "_compile_filter_pattern")(data.get("filterPattern", ""))
    first, last = data.get("startTime", 0), data.get("endTime", float("inf"))
    with part("services.cloudwatch_logs", "_log_events_lock"):
        events = [
            {**event, "logStreamName": name, "eventId": event.get("eventId") or _event_id(name, number)}
            for name in list(streams)
            if _wanted(name, data)
            for number, event in enumerate(streams[name]["events"])
        ]
    matching = [
        event for event in events if first <= event["timestamp"] <= last and matches(event["message"])
    ]
    return sorted(matching, key=lambda event: (event["timestamp"], event["ingestionTime"]))


def _wanted(stream: str, data: dict[str, Any]) -> bool:
    names, prefix = data.get("logStreamNames"), data.get("logStreamNamePrefix", "")
    return (not names or stream in names) and stream.startswith(prefix)


def _event_id(stream: str, number: int) -> str:
    return hashlib.sha256(f"{stream}\0{number}".encode()).hexdigest()[:56]
