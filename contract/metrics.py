"""The metrics that the functions write to CloudWatch: counts and shares, never a text.

All are of the namespace `Claimflow` and have one dimension, the stack. Alarms in template.yaml name them.
What AWS counts by itself (runs, their seconds, calls of functions) is not written again.
"""

from dataclasses import dataclass
from typing import Literal

NAMESPACE = "Claimflow"
DIMENSION = "Stack"


@dataclass(frozen=True)
class Metric:
    """One metric."""

    name: str
    unit: Literal["Count", "Percent", "Seconds"]
    meaning: str


ROWS = Metric("Rows", "Count", "rows of a file to label")
ACCEPTED = Metric("Accepted", "Count", "labelled rows that nobody has to look at")
REVIEW = Metric("Review", "Count", "labelled rows that a person should look at")
REJECTED = Metric("Rejected", "Count", "rows that could not be used")
MISSING = Metric("Missing", "Count", "rows of shards that failed")
UNLIKE = Metric("Unlike", "Count", "labelled rows unlike the training texts")
ACCEPTED_SHARE = Metric("AcceptedShare", "Percent", "share of a file's labelled rows that is accepted")
REVIEW_SHARE = Metric("ReviewShare", "Percent", "share of a file's labelled rows for a person to look at")
UNLIKE_SHARE = Metric("UnlikeShare", "Percent", "share of a file's labelled rows unlike the training texts")
BROKEN_PROMISE = Metric(
    "BrokenPromise", "Count", "1 if audits show that the model labels less precisely than promised, else 0"
)
ACCURACY = Metric("Accuracy", "Percent", "accuracy of a trained model on the rows held out")
LIVE_ACCURACY = Metric("LiveAccuracy", "Percent", "the same of a model that went live")
TRAINING_SECONDS = Metric("TrainingSeconds", "Seconds", "what a training took, waiting aside")
BILLABLE_SECONDS = Metric("BillableSeconds", "Seconds", "what SageMaker bills of them, on each instance")
FAILED_RUNS = Metric("FailedRuns", "Count", "runs that failed and may succeed when something is mended")
REFUSED_RUNS = Metric("RefusedRuns", "Count", "runs that ended on a file or request to be corrected")
OLDEST_RUN_SECONDS = Metric("OldestRunSeconds", "Seconds", "since when the oldest run goes on, each hour")

ALL = (
    ROWS,
    ACCEPTED,
    REVIEW,
    REJECTED,
    MISSING,
    UNLIKE,
    ACCEPTED_SHARE,
    REVIEW_SHARE,
    UNLIKE_SHARE,
    BROKEN_PROMISE,
    ACCURACY,
    LIVE_ACCURACY,
    TRAINING_SECONDS,
    BILLABLE_SECONDS,
    FAILED_RUNS,
    REFUSED_RUNS,
    OLDEST_RUN_SECONDS,
)
