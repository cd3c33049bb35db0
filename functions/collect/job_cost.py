"""How long what labelled a file had a machine, or memory as a function, and what that cost."""

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.state import Cost, Prediction
from shared import aws, settings
from shared.prices import Prices
from shared.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

GB_OF_LAMBDA = "lambda-gb"  # in InstancePrices: an hour of one GB of a function's memory
AT_ONCE = 100  # jobs, which DescribeJobs takes in one call


def job_id(prediction: Prediction) -> str | None:
    """Return the id of the job: Step Functions' own, or that in the description of one that failed."""
    found = re.search(r'"JobId":\s*"([^"]+)"', str(prediction.get("Cause", "")))
    return prediction.get("job") or (found[1] if found else None)


def read(prediction: Prediction) -> Cost | None:
    """Return what a prediction's jobs or calls cost; None: Batch does not tell the time of the jobs.

    Of jobs all attempts count, of calls the last of each shard.

    Any of the stack's machines may have taken a job, and an attempt may have had a part of one only: so the
    dearest is reckoned with, as a whole. Results are worth more than their bill: the log tells of an answer
    that does not come.
    """
    if "calls" in prediction:
        return _of_calls(sum(call["gb_seconds"] for call in prediction["calls"]))
    job, machines = job_id(prediction), settings.optional("CLAIMFLOW_BATCH_TYPES")
    if job is None or machines is None:
        return None
    try:
        seconds = [_seconds(each) for each in _jobs(job)]
    except (BotoCoreError, ClientError) as error:
        logger.warning("Batch does not tell the time of the jobs", extra={"error": type(error).__name__})
        return None
    whole = round(sum(each for each in seconds if each is not None))
    return None if not seconds or None in seconds else _cost(whole, machines.split(","))


def _jobs(job: str) -> Iterator["JobDetailTypeDef | None"]:
    """Yield the job, or each of its shards; None in place of those that Batch does not know any more."""
    described = aws.batch().describe_jobs(jobs=[job])["jobs"]
    size = described[0].get("arrayProperties", {}).get("size", 0) if described else 0
    if not size:
        yield from described
    for first in range(0, size, AT_ONCE):
        asked = [f"{job}:{index}" for index in range(first, min(first + AT_ONCE, size))]
        found = aws.batch().describe_jobs(jobs=asked)["jobs"]
        yield from found
        yield from [None] * (len(asked) - len(found))


def _seconds(job: "JobDetailTypeDef | None") -> float | None:
    if job is None:
        return None
    attempts = job.get("attempts", [])
    return sum(max(0, each.get("stoppedAt", 0) - each.get("startedAt", 0)) / 1000 for each in attempts)


def _of_calls(gb_seconds: float) -> Cost:
    dollars = Prices(settings.instance_prices()).dollars(gb_seconds, [GB_OF_LAMBDA])
    machines = [GB_OF_LAMBDA]
    return {"seconds": math.ceil(gb_seconds), "machines": machines, "dollars": dollars, "at_most": False}


def _cost(seconds: int, machines: list[str]) -> Cost:
    dollars = Prices(settings.instance_prices()).dollars(seconds, machines)
    return {"seconds": seconds, "machines": machines, "dollars": dollars, "at_most": True}
