"""Labels rows in a stream: same rows, same order, memory for one chunk of rows at a time."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from model.classifier import Classifier, Decision
from model.data import Row

CHUNK = 1024  # rows judged together, so that texts of similar length can share a batch

LOW_CONFIDENCE = "low confidence"
UNFAMILIAR = "unlike the training texts"


@dataclass(frozen=True)
class Prediction:
    """The label of one row; `doubt` is empty when no person needs to look."""

    row: int
    label: str
    confidence: float
    runner_up: str
    doubt: str


def predict(classifier: Classifier, rows: Iterable[Row]) -> Iterator[Prediction]:
    """One prediction for each row, in their order. The same texts always give the same predictions."""
    stream = iter(rows)
    while chunk := list(itertools.islice(stream, CHUNK)):
        yield from _judge(classifier, chunk)


def doubt(decision: Decision, confidence: float, known_share: float) -> str:
    """Why a person should look at a row, or nothing."""
    if known_share == 0 or known_share < decision.least_known_share:
        return UNFAMILIAR
    accepted = decision.threshold is not None and confidence >= decision.threshold
    return "" if accepted else LOW_CONFIDENCE


def _judge(classifier: Classifier, rows: list[Row]) -> Iterator[Prediction]:
    judged = classifier.judge([row.text for row in rows])
    labels = classifier.encoder.labels
    ranked = np.argsort(-judged.probabilities, axis=1, kind="stable")
    for row, chances, order, known in zip(
        rows, judged.probabilities, ranked, judged.known_shares, strict=True
    ):
        confidence = float(chances[order[0]])
        reason = doubt(classifier.decision, confidence, float(known))
        yield Prediction(row.number, labels[order[0]], confidence, labels[order[1]], reason)
