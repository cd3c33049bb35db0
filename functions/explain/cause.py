"""From an error of the state machine to its name and one sentence; knows nothing of AWS."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contract.errors import (
    WITH_SENTENCE,
    AwsUnavailable,
    PredictionFailed,
    TimedOut,
    TrainingFailed,
    Unexpected,
)
from shared import training
from shared.batch import field, of_job, reason

SENTENCE_LIMIT = 4_000
_AGAIN = "Start it again; if it happens again, look at the execution."
_TOO_LARGE = "the file may be too large for one run: cut it up."
_READS_THE_FILE = {"validate", "predict", "collect"}  # the steps that need more for a larger file


@dataclass(frozen=True)
class Failure:
    """An error's name and its sentence."""

    error: str
    sentence: str


def failed_step(state: dict[str, Any]) -> str:
    """Return which step failed: the first one that has not left its result in the state."""
    if "run" not in state:
        return "prepare"
    if "validation" not in state:
        return "validate"
    trains = state["run"].get("action") == "train"
    for key, step in (("training", "Train"), ("evaluation", "evaluate"), ("registration", "register")):
        if trains and key not in state:
            return step
    if (state["validation"] or {}).get("predict") and not _is_whole(state.get("results")):
        return "collect" if "succeeded" in (state.get("prediction") or {}) else "predict"
    return "notify"


def shards_error(state: dict[str, Any]) -> dict[str, str] | None:
    """Return what Step Functions caught from the prediction job, if that is why collect could not go on."""
    prediction, caught = state.get("prediction") or {}, state.get("error") or {}
    because = caught.get("Error") == PredictionFailed.__name__ and "Cause" in prediction
    return prediction if because else None


def why_nothing_is_delivered(state: dict[str, Any]) -> str:
    """Return collect's sentence on how much is missing, if the configuration allows less; else nothing."""
    caught = state.get("error") or {}
    said = str(_document(str(caught.get("Cause", ""))).get("errorMessage", ""))
    first = re.match(r".*?\.(?= )", said)
    bound = first and re.search("allow_partial|max_missing_share", first[0])
    return first[0] if first and bound else ""


def _is_whole(results: dict[str, Any] | None) -> bool:
    return results is not None and not results.get("missing_rows")


def explain(error: str, cause: str, step: str) -> Failure:
    """Return the failure that `error` and `cause`, as Step Functions caught them, stand for."""
    document = _document(cause)
    for understand in (_own, _unavailable, _timeout, _training, _batch, _lambda_limit, _service):
        failure = understand(error, cause, step, document)
        if failure is not None:
            return failure
    said = _tidy(str(document.get("errorMessage") or cause)) or "no reason was given"
    return Failure(
        Unexpected.__name__, f"The step {step} failed with {error or 'an unnamed error'}: {said} {_AGAIN}"
    )


def batch_job(cause: str) -> dict[str, Any] | None:
    """Return what Batch told of its job, if the cause is that of one."""
    document = _document(cause)
    return document if field(document, "JobId") and field(document, "JobQueue") else None


def failed_shards(job: dict[str, Any]) -> int:
    """Return how many shards of a job failed; 0 of a single job."""
    return _children(job).get("FAILED") or 0


def _own(error: str, _cause: str, _step: str, document: dict[str, Any]) -> Failure | None:
    name = document.get("errorType") or error
    if name not in WITH_SENTENCE or "errorMessage" not in document:
        return None
    return Failure(name, _tidy(str(document["errorMessage"])))


def _unavailable(error: str, _cause: str, step: str, document: dict[str, Any]) -> Failure | None:
    if (document.get("errorType") or error) != AwsUnavailable.__name__:
        return None
    said = _tidy(str(document.get("errorMessage", "AWS was not available")))
    return Failure(
        AwsUnavailable.__name__,
        f"The step {step} could not run: {said}, and trying again did not help. {_AGAIN}",
    )


def _timeout(error: str, cause: str, step: str, _document: dict[str, Any]) -> Failure | None:
    if error in {"States.Timeout", "States.HeartbeatTimeout"}:
        return Failure(TimedOut.__name__, f"The step {step} took longer than it may. {_AGAIN}")
    seconds = re.search(r"Task timed out after ([\d.]+) seconds", cause)
    if seconds or error == "Sandbox.Timedout":
        limit = f" its limit of {float(seconds.group(1)):.0f} seconds" if seconds else " it may"
        remedy = f"; {_TOO_LARGE}" if step in _READS_THE_FILE else f". {_AGAIN}"
        return Failure(TimedOut.__name__, f"The step {step} took longer than{limit}{remedy}")
    return None


def _training(_error: str, cause: str, _step: str, document: dict[str, Any]) -> Failure | None:
    job = document.get("TrainingJobName")
    if not job:
        return None
    said = str(document.get("FailureReason") or "")
    if not said and (cut := re.search(r'"FailureReason":"((?:[^"\\]|\\.)*)', cause)):
        said = cut.group(1)
    status, detail = (
        str(document.get("TrainingJobStatus", "Failed")),
        str(document.get("SecondaryStatus", "")),
    )
    ending = training.ending(str(job), status, detail, said)
    return Failure(TimedOut.__name__ if ending.timed_out else TrainingFailed.__name__, ending.sentence)


def _batch(_error: str, cause: str, _step: str, _document: dict[str, Any]) -> Failure | None:
    job = batch_job(cause)
    if job is None:
        return None
    name, failed = field(job, "JobName"), failed_shards(job)
    if failed:
        of = f"{failed} of its {sum(_children(job).values())} shards failed"
        return Failure(PredictionFailed.__name__, f"The prediction {name} failed: {of}.")
    why = reason(of_job(job))
    said = f"The prediction {name} failed: {why.said}. {why.advice}".rstrip()
    return Failure(TimedOut.__name__ if why.timed_out else PredictionFailed.__name__, said)


def _children(document: dict[str, Any]) -> dict[str, int]:
    """Return how many children of an array job have each status; none of a single job."""
    return field(field(document, "ArrayProperties") or {}, "StatusSummary") or {}


def _lambda_limit(error: str, cause: str, step: str, document: dict[str, Any]) -> Failure | None:
    kind = str(document.get("errorType") or error)
    killed = "signal: killed" in cause or "MemoryError" in kind or "No space left" in cause
    if kind == "Runtime.OutOfMemory" or killed:
        full = "No space left" in cause
        remedy = (
            "free disk space, or enlarge it, and start again."
            if full
            else "start it again, with more memory for its function."
        )
        if step in _READS_THE_FILE:
            remedy = _TOO_LARGE
        what = "ran out of disk space" if full else "ran out of memory"
        if "signal: killed" in cause and "OutOfMemory" not in kind:
            what = "was killed, most often for want of memory"
        return Failure(Unexpected.__name__, f"The step {step} {what}; {remedy}")
    return None


_SERVICE: tuple[tuple[str, Callable[[str], str]], ...] = (
    (
        r"ResourceLimitExceeded|LimitExceeded|ServiceQuota",
        lambda said: f"The AWS account has reached a limit ({said}). Ask for more under Service Quotas.",
    ),
    (
        r"Throttl|TooManyRequests|Rate exceeded|SlowDown",
        lambda _said: f"AWS was too busy to take the step, and trying again did not help. {_AGAIN}",
    ),
    (
        r"AccessDenied|not authorized|Forbidden",
        lambda said: f"The stack lacks a permission ({said}). Whoever runs it must add it.",
    ),
)


def _service(error: str, cause: str, step: str, document: dict[str, Any]) -> Failure | None:
    said = _tidy(str(document.get("errorMessage") or cause))[:500]
    if error == "States.DataLimitExceeded":
        return Failure(
            Unexpected.__name__, "The state grew beyond what Step Functions takes; look at the execution."
        )
    for pattern, sentence in _SERVICE:
        if re.search(pattern, f"{error} {cause[:2000]}", re.IGNORECASE):
            return Failure(Unexpected.__name__, f"The step {step} could not run. {sentence(said)}")
    return None


def _document(cause: str) -> dict[str, Any]:
    """Read the cause as JSON. Step Functions cuts it at 32,768 characters, so it may be no JSON any more."""
    try:
        document = json.loads(cause)
    except ValueError:
        fields = re.findall(r'"(\w+)":"((?:[^"\\]|\\.)*)"', cause[:100_000])
        return {name: _unescape(value) for name, value in reversed(fields)}
    return document if isinstance(document, dict) else {}


def _unescape(value: str) -> str:
    try:
        return str(json.loads(f'"{value}"'))
    except ValueError:
        return value


def _tidy(text: str) -> str:
    return " ".join(text.split())[:SENTENCE_LIMIT]
