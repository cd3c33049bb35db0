"""From an error of the state machine to its name and one sentence; knows nothing of AWS."""

import json
import re
from dataclasses import dataclass
from typing import Any

from contract import steps
from contract.errors import (
    WITH_SENTENCE,
    AwsUnavailable,
    ClaimflowError,
    PredictionFailed,
    TimedOut,
    TrainingFailed,
    Unexpected,
)
from contract.state import Prediction, State
from contract.steps import Step
from explain.step import in_words
from shared import training
from shared.batch import field, of_job, reason

SENTENCE_LIMIT = 4_000
LOOKED_THROUGH = 2_000  # characters of a cause
_AGAIN = "Start it again; if it happens again, look at the execution."
_TOO_LARGE = "the file may be too large for one run: cut it up."
_READS_THE_FILE = {steps.VALIDATE, steps.PREDICT, steps.COLLECT}  # they need more for a larger file


@dataclass(frozen=True)
class Explanation:
    """An error's name and its sentence."""

    error: str
    sentence: str


@dataclass(frozen=True)
class Match:
    """One row of the table: a pattern, the error that what matches it stands for, and its sentence.

    The pattern is looked for in the error's names (Step Functions' and the function's) and, after a line
    break, in the cause. In the sentence, `{step}` is the step's name, `{said}` what was said, and `{remedy}`
    the remedy: of a step that reads the file, that is to cut the file up. The pattern's groups stand there
    too.
    """

    pattern: str
    error: type[ClaimflowError]
    sentence: str
    remedy: str = ""


_TABLE = (
    Match(
        rf"^.*\b{AwsUnavailable.__name__}\b",
        AwsUnavailable,
        f"The step {{step}} could not run: {{said}}, and trying again did not help. {_AGAIN}",
    ),
    Match(
        r"^States\.(?:Heartbeat)?Timeout\b", TimedOut, f"The step {{step}} took longer than it may. {_AGAIN}"
    ),
    Match(
        r"Task timed out after (?P<limit>\d+)(?:\.\d+)? seconds",
        TimedOut,
        "The step {step} took longer than its limit of {limit} seconds{remedy}",
        remedy=f". {_AGAIN}",
    ),
    Match(
        r"^Sandbox\.Timedout\b",
        TimedOut,
        "The step {step} took longer than it may{remedy}",
        remedy=f". {_AGAIN}",
    ),
    Match(
        "No space left",
        Unexpected,
        "The step {step} ran out of disk space{remedy}",
        remedy="; free disk space, or enlarge it, and start again.",
    ),
    Match(
        r"^.*(?:OutOfMemory|MemoryError)",
        Unexpected,
        "The step {step} ran out of memory{remedy}",
        remedy="; start it again, with more memory for its function.",
    ),
    Match(
        "signal: killed",
        Unexpected,
        "The step {step} was killed, most often for want of memory{remedy}",
        remedy="; start it again, with more memory for its function.",
    ),
    Match(
        r"^States\.DataLimitExceeded\b",
        Unexpected,
        "The state grew beyond what Step Functions takes; look at the execution.",
    ),
    Match(
        r"(?i)ResourceLimitExceeded|LimitExceeded|ServiceQuota",
        Unexpected,
        "The step {step} could not run. The AWS account has reached a limit ({said}). "
        "Ask for more under Service Quotas.",
    ),
    Match(
        r"(?i)Throttl|TooManyRequests|Rate exceeded|SlowDown",
        Unexpected,
        "The step {step} could not run. AWS was too busy to take the step, and trying again did not help. "
        f"{_AGAIN}",
    ),
    Match(
        r"(?i)AccessDenied|not authorized|Forbidden",
        Unexpected,
        "The step {step} could not run. The stack lacks a permission ({said}). Whoever runs it must add it.",
    ),
)


def explain(error: str, cause: str, step: Step | None) -> Explanation:
    """Return the failure that `error` and `cause`, as Step Functions caught them in `step`, stand for."""
    document = _document(cause)
    return (
        _own(error, document)
        or _training(cause, document)
        or _batch(cause)
        or _matching(error, cause, step, document)
        or _unexpected(error, cause, step, document)
    )


def shards_error(state: State) -> Prediction | None:
    """Return what Step Functions caught from the prediction job, if that is why collect could not go on."""
    prediction, caught = state.get("prediction", {}), state.get("error", {})
    because = caught.get("Error") == PredictionFailed.__name__ and "Cause" in prediction
    return prediction if because else None


def why_nothing_is_delivered(state: State) -> str:
    """Return collect's sentence on how much is missing, if the configuration allows less; else nothing."""
    cause = state.get("error", {}).get("Cause", "")
    said = str(_document(str(cause)).get("errorMessage", ""))
    first = re.match(r".*?\.(?= )", said)
    bound = first and re.search("allow_partial|max_missing_share", first[0])
    return first[0] if first and bound else ""


def batch_job(cause: str) -> dict[str, Any] | None:
    """Return what Batch told of its job, if the cause is that of one."""
    document = _document(cause)
    return document if field(document, "JobId") and field(document, "JobQueue") else None


def failed_shards(job: dict[str, Any]) -> int:
    """Return how many shards of a job failed; 0 of a single job."""
    return _children(job).get("FAILED") or 0


def _own(error: str, document: dict[str, Any]) -> Explanation | None:
    """Return a function's own error, which carries its sentence."""
    name = document.get("errorType") or error
    if name not in WITH_SENTENCE or "errorMessage" not in document:
        return None
    return Explanation(name, _tidy(str(document["errorMessage"])))


def _training(cause: str, document: dict[str, Any]) -> Explanation | None:
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
    return Explanation((TimedOut if ending.timed_out else TrainingFailed).__name__, ending.sentence)


def _batch(cause: str) -> Explanation | None:
    job = batch_job(cause)
    if job is None:
        return None
    name, failed = field(job, "JobName"), failed_shards(job)
    if failed:
        of = f"{failed} of its {sum(_children(job).values())} shards failed"
        return Explanation(PredictionFailed.__name__, f"The prediction {name} failed: {of}.")
    why = reason(of_job(job))
    said = f"The prediction {name} failed: {why.said}. {why.advice}".rstrip()
    return Explanation((TimedOut if why.timed_out else PredictionFailed).__name__, said)


def _children(document: dict[str, Any]) -> dict[str, int]:
    """Return how many children of an array job have each status; none of a single job."""
    return field(field(document, "ArrayProperties") or {}, "StatusSummary") or {}


def _matching(error: str, cause: str, step: Step | None, document: dict[str, Any]) -> Explanation | None:
    """Return the failure of the table's first row that matches."""
    text = f"{error} {document.get('errorType', '')}\n{cause[:LOOKED_THROUGH]}"
    for row in _TABLE:
        if found := re.search(row.pattern, text):
            sentence = row.sentence.format(
                step=in_words(step),
                said=_tidy(str(document.get("errorMessage") or cause))[:500],
                remedy=f"; {_TOO_LARGE}" if step in _READS_THE_FILE else row.remedy,
                **found.groupdict(),
            )
            return Explanation(row.error.__name__, sentence)
    return None


def _unexpected(error: str, cause: str, step: Step | None, document: dict[str, Any]) -> Explanation:
    said = _tidy(str(document.get("errorMessage") or cause)) or "no reason was given"
    return Explanation(
        Unexpected.__name__,
        f"The step {in_words(step)} failed with {error or 'an unnamed error'}: {said} {_AGAIN}",
    )


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
