"""The `logs` command: what jobs and Lambda functions have written to CloudWatch Logs, in order of time."""

import time
from collections.abc import Iterator
from typing import Any

from local.clients import Client, client
from local.settings import Settings

_FOLLOW_SECONDS = 1.0


def show_job_logs(settings: Settings, *, job: str | None, follow: bool) -> int:
    """Print the events of all groups (of streams or groups whose name holds `job`); with `follow`, go on."""
    logs = client("logs", settings.endpoint)
    seen: set[str] = set()
    while True:
        for event in sorted(_new_events(logs, job, seen), key=lambda event: event["timestamp"]):
            print(_line(event), flush=True)
        if not follow:
            return 0
        time.sleep(_FOLLOW_SECONDS)


def show_server_log(settings: Settings, *, follow: bool) -> int:
    """Print the server's own log; with `follow`, go on."""
    if not settings.server_log.exists():
        print("There is no server log yet.")
        return 0
    with settings.server_log.open(errors="replace") as log:
        while True:
            print(log.read(), end="", flush=True)
            if not follow:
                return 0
            time.sleep(_FOLLOW_SECONDS)


def _new_events(logs: Client, job: str | None, seen: set[str]) -> Iterator[dict[str, Any]]:
    for group in _groups(logs):
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for event in (event for page in pages for event in page["events"]):
            event["group"] = group
            if event["eventId"] not in seen and (not job or job in group or job in event["logStreamName"]):
                seen.add(event["eventId"])
                yield event


def _groups(logs: Client) -> list[str]:
    pages = logs.get_paginator("describe_log_groups").paginate()
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def _line(event: dict[str, Any]) -> str:
    moment = time.strftime("%H:%M:%S", time.localtime(event["timestamp"] / 1000))
    source = event["group"].rsplit("/", 1)[-1]
    return f"{moment} {source} {event['logStreamName'].split('/')[0]}  {event['message'].rstrip()}"
