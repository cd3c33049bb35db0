"""What a running training or tuning job has come to, for people who watch it."""

import re
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.text import percent
from workflow.account import Account
from workflow.executions import RUNNING, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
LONGEST = 200
LOOKED_AT = 20  # lines
_OF_MXNET = re.compile(r"\[\d\d:\d\d:\d\d\] \S+\.(h|cc|cu|cpp|cuh):\d+:")


def last_line(account: Account, steps: "Sequence[Step]") -> str | None:
    """Return the newest line of the training job that runs now, or how many trials of a tuning have ended.

    None if neither runs, or nothing can be read. It is an extra: a run is followed as well by a person who
    may not read logs.
    """
    running = next((step for step in reversed(steps) if step.status == RUNNING), None)
    try:
        if running and running.tuning_job:
            return _trials(account, running.tuning_job)
        return _newest_event(account, running.job) if running and running.job else None
    except (BotoCoreError, ClientError):
        return None


def _trials(account: Account, job: str) -> str:
    """Return how many trials have ended well, and the best so far."""
    told = account.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job)
    wanted = told["HyperParameterTuningJobConfig"]["ResourceLimits"].get("MaxNumberOfTrainingJobs", 0)
    said = f"{told['TrainingJobStatusCounters'].get('Completed', 0)} of {wanted} trials done"
    best = told.get("OverallBestTrainingJob") or told.get("BestTrainingJob") or {}
    final = best.get("FinalHyperParameterTuningJobObjectiveMetric")
    return f"{said}, the best so far {percent(final['Value'])} right" if final else said


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
