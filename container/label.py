"""The function for small files: a call labels a shard by the program `predict`, as a job of AWS Batch does.

AWS Lambda starts it in the image, by `awslambdaric`. It imports nothing of the image, so that the local AWS
can start it as well.
"""

import os
import subprocess
import time
from typing import Any

_STANDARD_ERROR = 2
_started: float | None = time.monotonic()  # until the first call, which pays for the start


class NotLabelledError(Exception):
    """The program failed; its sentence is in the log, and next to the parts."""


class AnotherImageError(Exception):
    """The function's image is not the one with which the run began."""


def handler(event: dict[str, Any], context: Any) -> dict[str, float]:  # noqa: ANN401  Lambda's own
    """Label the shard that the event names, and tell how many GB-seconds that took.

    Raises NotLabelledError or AnotherImageError, by which the state machine takes Batch instead.
    """
    global _started
    began, _started = _started or time.monotonic(), None
    if event["image"] != os.environ["CLAIMFLOW_IMAGE"]:
        raise AnotherImageError("The stack was given another image since the run began.")
    # One core, as Lambda has no shared memory by which processes could share the work.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    code = subprocess.run(
        ["predict"], env=_environment(event), stdout=_STANDARD_ERROR, check=False
    ).returncode
    if code:
        raise NotLabelledError(f"Shard {event['shard']} was not labelled: the program ended with {code}.")
    return {"gb_seconds": round((time.monotonic() - began) * int(context.memory_limit_in_mb) / 1024, 3)}


def _environment(event: dict[str, Any]) -> dict[str, str]:
    return {
        **os.environ,
        "CLAIMFLOW_MANIFEST": event["manifest"],
        "CLAIMFLOW_MODEL": event["model"],
        "AWS_BATCH_JOB_ARRAY_INDEX": str(event["shard"]),
    }
