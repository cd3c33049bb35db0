"""How a training that did not complete ended, in one sentence; the reasons are SageMaker's own words."""

import re
from dataclasses import dataclass

KILLED = 137  # the exit code of a program that the machine ended: 128 + SIGKILL
REASON_LIMIT = 4_000
QUOTED_LIMIT = 500
_LIMITS = {
    "MaxRuntimeExceeded": (
        "it reached the longest training time that the stack allows. Give the stack a larger "
        "MaxTrainingSeconds, or the configuration fewer epochs."
    ),
    "MaxWaitTimeExceeded": (
        "it reached the longest wait for Spot capacity that the stack allows. Start it again later, or "
        "deploy with UseSpotTraining=false."
    ),
}
# What SageMaker says when the program is not to blame; that of a program begins with AlgorithmError.
_KINDS = (
    (
        r"^CapacityError|Insufficient\w*Capacity",
        "AWS had no machine of its kind to give; start it again later, or choose another "
        "TrainingInstanceType",
    ),
    (
        r"pull algorithm container|CannotPull|pull.*image|image.*(pull|does not exist|not found)",
        "its image could not be pulled; whoever runs the stack must see to it that it is there and may be "
        "read",
    ),
    (r"^InternalServerError", "SageMaker itself failed; start it again"),
)


@dataclass(frozen=True)
class Ending:
    """The sentence, and whether a limit of time ended it."""

    sentence: str
    timed_out: bool = False


def ending(job: str, status: str, detail: str, reason: str) -> Ending:
    """Return why a training failed.

    Args:
        job: its name
        status: SageMaker's TrainingJobStatus
        detail: its SecondaryStatus
        reason: its FailureReason, or nothing

    """
    if detail in _LIMITS:
        return Ending(f"The training job {job} was stopped: {_LIMITS[detail]}", timed_out=True)
    if detail == "Interrupted":
        return Ending(
            f"The training job {job} was interrupted: its Spot machine was taken away. Start it again: it "
            "goes on from its checkpoint."
        )
    said = " ".join(reason.split())[:REASON_LIMIT]
    kind = next((told for pattern, told in _KINDS if re.search(pattern, said, re.IGNORECASE)), None)
    if kind and not said.startswith("AlgorithmError"):
        return Ending(f"The training job {job} failed: {kind} ({said[:QUOTED_LIMIT].rstrip('.')}).")
    if status == "Stopped" and not said:
        return Ending(f"The training job {job} was stopped before its end; start it again.")
    told = _algorithm(said) or f"it ended as {status} and gave no reason; see its log"
    stop = "" if told.endswith((".", "!", "?", "…")) else "."
    return Ending(f"The training job {job} failed: {told}{stop}")


def _algorithm(said: str) -> str:
    """Take the program's own sentence out of SageMaker's `AlgorithmError: …, exit code: 1`."""
    said = re.sub(r"^(AlgorithmError|ClientError|InternalServerError):\s*", "", said)
    ended = re.search(r"(^|,\s*)exit code:\s*(\d+)\.?$", said)
    said = said[: ended.start()].strip(" ,") if ended else said
    if said or not ended:
        return said
    code = int(ended.group(2))
    if code == KILLED:
        return (
            "it was killed, most often for want of memory; the same request, started again, goes on from "
            "its checkpoint"
        )
    return f"its program ended with exit code {code} and gave no reason; see its log"
