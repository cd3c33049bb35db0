"""The last line that a running training job has written, for people who watch it."""

import re
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from workflow.account import Account
from workflow.executions import RUNNING, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
LONGEST = 200
LOOKED_AT = 20  # lines
_OF_MXNET = re.compile(r"\[\d\d:\d\d:\d\d\] \S+\.(h|cc|cu|cpp|cuh):\d+:")


def last_line(account: Account, steps: "Sequence[Step]") -> str | None:
    """Return the newest line of the training job that runs now; None if none runs, or none can be read.

    It is an extra: a run is followed as well by a person who may not read logs.
    """
    job = next((step.job for step in reversed(steps) if step.status == RUNNING and step.job), None)
    if job is None:
        return None
    try:
        return _newest_event(account, job)
    except (BotoCoreError, ClientError):
        return None


def _newest_event(account: Account, job: str) -> str | None:
    streams = account.logs.describe_log_streams(
        logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job}/", limit=5
    )["logStreams"]
    for stream in streams:
        events = account.logs.get_log_events(
            logGroupName=LOG_GROUP,
            logStreamName=stream["logStreamName"],
            limit=LOOKED_AT,
            startFromHead=False,
        )["events"]
        lines = [line for event in events if (line := _told(event["message"]))]
        if lines:
            return lines[-1][:LONGEST]
    return None


def _told(message: str) -> str:
    """Return the line, or nothing if MXNet's C++ wrote it: `[01:02:03] ../src/common/utils.h:472: …`."""
    line = " ".join(message.split())
    return "" if _OF_MXNET.match(line) else line
