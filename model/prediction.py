"""Labels rows in a stream: same rows, same order, memory for one chunk of rows at a time."""

import itertools
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np

from contract.part import Prediction
from model.classifier import Classifier, Decision
from model.cores import on_all_cores
from model.data import Row
from model.explanation import because

CHUNK = 1024  # rows judged together, so that texts of similar length can share a batch
CHUNK_CHARACTERS = 4_000_000  # with which a chunk ends, too

LOW_CONFIDENCE = "low confidence"
NOTHING_ACCEPTED = "nothing is accepted at this target"
UNFAMILIAR = "unlike the training texts"


def predict(classifier: Classifier, rows: Iterable[Row], explain: bool = False) -> Iterator[Prediction]:
    """One prediction for each row, in their order. The same texts always give the same predictions.

    `explain` fills `because`. A model whose parts all fork works on all cores, in processes of its own; the
    others leave that to their framework.
    """
    chunks = _chunks(rows)
    if not all(part.forks for part in classifier.parts):
        judged = (_judge(classifier, chunk, explain) for chunk in chunks)
        return itertools.chain.from_iterable(judged)
    classifier.judge(["é"])  # builds the tables once, for all processes, those of letters beyond ASCII too
    return itertools.chain.from_iterable(on_all_cores(partial(_judge, classifier, explain=explain), chunks))


def doubt(decision: Decision, confidence: float, known_share: float) -> str:
    """Return why a person should look at a row, or nothing."""
    if known_share == 0 or known_share < decision.least_known_share:
        return UNFAMILIAR
    if decision.threshold is None:
        return NOTHING_ACCEPTED
    return "" if confidence >= decision.threshold else LOW_CONFIDENCE


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    characters = 0
    for row in rows:
        chunk.append(row)
        characters += len(row.text)
        if len(chunk) == CHUNK or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _judge(classifier: Classifier, rows: list[Row], explain: bool) -> list[Prediction]:
    judged = classifier.judge([row.text for row in rows])
    best, second = np.argsort(-judged.probabilities, axis=1, kind="stable")[:, :2].T
    confidences = judged.probabilities[np.arange(len(rows)), best]
    return [
        Prediction(
            row.number,
            classifier.labels[first],
            confidence,
            classifier.labels[other],
            doubt(classifier.decision, confidence, known),
            because(classifier, row.text, first, other) if explain else "",
        )
        for row, first, other, confidence, known in zip(
            rows,
            best.tolist(),
            second.tolist(),
            confidences.tolist(),
            judged.known_shares.tolist(),
            strict=True,
        )
    ]
