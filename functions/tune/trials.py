"""The trials of a tuning: the best of them, and the table of all; knows nothing of AWS."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from contract.errors import TrainingFailed
from contract.state import Best

OF_TABLE = ("trial", "job", "status", "accuracy", "seconds")


@dataclass(frozen=True)
class Trial:
    """A training of a tuning job. `accuracy` is None where it told none, `seconds` where it never began."""

    name: str
    job: str
    status: str
    accuracy: float | None
    seconds: int | None
    chosen: dict[str, str]
    """The values that it tried, each as JSON text."""
    reason: str = ""
    """Why it failed."""


def best(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the best accuracy of those that ended well; of equals the first.

    Raises:
        TrainingFailed: none ended well

    """
    judged = [each for each in trials if each.status == "Completed" and each.accuracy is not None]
    if not judged:
        why = next((each.reason for each in trials if each.reason), "they were stopped before")
        raise TrainingFailed(f"None of the {len(trials)} trials ended with an accuracy: {why.rstrip('.')}.")
    return max(judged, key=lambda each: each.accuracy or 0.0)


def described(trials: Sequence[Trial], found: Trial, table: str, report: str) -> Best:
    """Return what is kept of a tuning in the state of its run."""
    return {
        "job": found.job,
        "trial": found.name,
        "accuracy": found.accuracy or 0.0,
        "chosen": found.chosen,
        "trials": len(trials),
        "completed": sum(each.status == "Completed" for each in trials),
        "table": table,
        "report": report,
    }


def table(trials: Sequence[Trial]) -> str:
    """Return all trials as CSV, a column for each key that was tuned, in the order in which they began."""
    tuned = sorted({key for each in trials for key in each.chosen})
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*OF_TABLE, *tuned])
    for each in trials:
        accuracy = "" if each.accuracy is None else f"{each.accuracy:.4f}"
        values = [_value(each.chosen.get(key)) for key in tuned]
        writer.writerow([each.name, each.job, each.status, accuracy, each.seconds, *values])
    return out.getvalue()


def _value(text: str | None) -> object:
    """Return a tried value as a person reads it: text without its quotes."""
    if text is None:
        return ""
    value = json.loads(text)
    return value if isinstance(value, str) else text
