"""Recorded executions, and a fake Step Functions that plays them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "events" / "executions"
START = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)


def recorded(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a recorded execution's description and history, as boto3 gives them."""
    read = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for event in read["events"]:
        event["timestamp"] = datetime.fromisoformat(event["timestamp"])
    for key in ("startDate", "stopDate"):
        read["description"][key] = datetime.fromisoformat(read["description"][key])
    return read["description"], read["events"]


def history(*events: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a history, one second an event, of types and details as AWS writes them."""
    return [event(number, kind, details) for number, (kind, details) in enumerate(events, start=1)]


def event(number: int, kind: str, details: dict[str, Any]) -> dict[str, Any]:
    name = next((each for each in ("StateEntered", "StateExited") if kind.endswith(each)), kind)
    return {
        "id": number,
        "type": kind,
        "timestamp": START + timedelta(seconds=number),
        f"{name[0].lower()}{name[1:]}EventDetails": details,
    }
