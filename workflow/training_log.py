"""The last line that a running training job has written, for people who watch it."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from workflow.account import Account
from workflow.executions import RUNNING, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
LONGEST = 200


def last_line(account: Account, steps: "Sequence[Step]") -> str | None:
    """Give the newest line of the training job that runs now; None if none runs, or none can be read.

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
            logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"], limit=1, startFromHead=False
        )["events"]
        if events:
            return " ".join(events[-1]["message"].split())[:LONGEST]
    return None
