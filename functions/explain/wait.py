"""Whether a training waits for a machine, and is started again then; knows nothing of AWS."""

import json
import re

from contract import steps
from contract.state import Caught, State, Wait
from contract.text import count, shorten
from explain.step import failed_step

_NO_MACHINE = re.compile(r"CapacityError|Insufficient\w*Capacity", re.IGNORECASE)
_NO_QUOTA = "ResourceLimitExceeded"
_SAGEMAKER_ITSELF = "InternalServerError"
_WAITED = re.compile(r"-w\d+")  # in the name of a job
_QUOTED = 500  # characters


def next_wait(state: State, redrives: int) -> Wait | None:
    """Return the next wait of a training; None: it failed for another reason, or has waited long enough."""
    before = _waits_before(state, redrives)
    if failed_step(state) is not steps.TRAIN or before >= _most_waits(state):
        return None
    name = _WAITED.sub("", state["run"].get("job_name", ""))
    return {"number": before + 1, "begins": before == 0, "job_name": f"{name}-w{before + 1}"}


def words(state: State) -> list[str]:
    """Return what people are told when the wait begins."""
    said = shorten(" ".join(_said(state).split()), _QUOTED).rstrip(".")
    minutes = steps.WAIT_SECONDS // 60
    hours = count(_most_waits(state) * steps.WAIT_SECONDS // 3600, "hour")
    why = "SageMaker itself failed" if said.startswith(_SAGEMAKER_ITSELF) else "AWS gave it no machine"
    return [
        f"The training waits: {why} ({said}).",
        f"It is tried again every {minutes} minutes, for {hours} in all, and goes on by itself.",
        "Ask for more under Service Quotas, SageMaker." if _has_no_quota(state) else "",
    ]


def _waits_before(state: State, redrives: int) -> int:
    """Return how often it has waited since it was last redriven, or sent back to be compared."""
    failure = state.get("failure")
    if not failure or failure["redrives"] != redrives or "wait" not in failure:
        return 0
    return failure["wait"]["number"]


def _most_waits(state: State) -> int:
    said = _said(state)
    if _has_no_quota(state) or _NO_MACHINE.match(said):
        return steps.MOST_WAITS
    return steps.MOST_WAITS_FOR_SAGEMAKER if said.startswith(_SAGEMAKER_ITSELF) else 0


def _has_no_quota(state: State) -> bool:
    return _NO_QUOTA in _caught(state).get("Error", "")


def _said(state: State) -> str:
    """Return the FailureReason of the training job, or what SageMaker answered when it took none."""
    cause = _caught(state).get("Cause", "")
    try:
        document = json.loads(cause)
    except ValueError:  # no job's description, or one that Step Functions cut
        cut = re.search(r'"FailureReason":\s*"((?:[^"\\]|\\.)*)', cause)
        return cut.group(1) if cut else cause
    return str(document.get("FailureReason") or "") if isinstance(document, dict) else cause


def _caught(state: State) -> Caught:
    return state.get("error", {})
