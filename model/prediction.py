"""Labels rows in a stream: same rows, same order, memory for one chunk of rows at a time."""

import itertools
from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np

from contract.part import Prediction
from model.calibration import Array, Truths
from model.classifier import Classifier
from model.cores import on_all_cores
from model.data import Row
from model.explanation import explain_row
from model.familiarity import Bounds
from model.levels import told
from model.review import review_reasons

CHUNK = 1024  # rows predicted together, so that texts of similar length can share a batch
CHUNK_CHARACTERS = 4_000_000  # with which a chunk ends, too


def predict(classifier: Classifier, rows: Iterable[Row], explain: bool = False) -> Iterator[Prediction]:
    """One prediction for each row, in their order. The same texts always give the same predictions.

    `explain` fills `because`. A model whose parts all fork works on all cores, in processes of its own; the
    others leave that to their framework.
    """
    together = chunks(rows)
    if not all(part.forks for part in classifier.parts):
        predictions = (predict_chunk(classifier, chunk, explain) for chunk in together)
        return itertools.chain.from_iterable(predictions)
    classifier.predict_proba(
        ["é"]
    )  # builds the tables once, for all processes, those of letters beyond ASCII too
    return itertools.chain.from_iterable(
        on_all_cores(partial(predict_chunk, classifier, explain=explain), together)
    )


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield the rows in the groups that are labelled together."""
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


def predict_chunk(classifier: Classifier, rows: list[Row], explain: bool) -> list[Prediction]:
    """Return one prediction for each row, in their order, made in this process."""
    scores = classifier.predict_proba([row.text for row in rows])
    best, second, confidences = _likeliest(scores.probabilities)
    decision = classifier.decision
    least = Bounds(decision.min_in_vocabulary_ratio, decision.min_similarity)
    unlike = least.unlike(scores.in_vocabulary_ratios, scores.similarities)
    reasons = review_reasons(decision, scores.probabilities, unlike, classifier.labels)
    levels = (
        told(classifier, scores.probabilities, unlike, reasons) if classifier.hierarchy else [""] * len(rows)
    )
    return [
        Prediction(
            row.number,
            classifier.labels[first],
            confidence,
            classifier.labels[other],
            reason,
            of_levels,
            explain_row(classifier, row.text, first, other) if explain else "",
        )
        for row, first, other, confidence, reason, of_levels in zip(
            rows,
            best.tolist(),
            second.tolist(),
            confidences.tolist(),
            reasons,
            levels,
            strict=True,
        )
    ]


def _likeliest(chances: Array) -> tuple[Truths, Truths, Array]:
    """Return each row's likeliest and next likeliest class, the first of equal ones, and the best chance."""
    rows = np.arange(len(chances))
    best = chances.argmax(axis=1)
    confidences = chances[rows, best]
    others = chances.copy()
    others[rows, best] = -1
    return best, others.argmax(axis=1), confidences
