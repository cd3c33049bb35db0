"""Measures a trained network on the validation rows: the content of evaluation.json."""

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from model import calibration
from model.calibration import Flags, Truths
from model.classifier import Decision

Evaluation: TypeAlias = dict[str, Any]  # evaluation.json, as docs/architecture.md lists it
Counts: TypeAlias = npt.NDArray[np.int64]

SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class Measured:
    """The validation rows as the network sees them."""

    logits: npt.NDArray[np.float32]  # (rows, classes)
    truths: Truths  # (rows,)
    known_shares: npt.NDArray[np.float64]  # (rows,)


def evaluate(
    measured: Measured,
    labels: Sequence[str],
    target_precision: float,
    champion_accuracy: float | None,
    training: dict[str, Any],
) -> tuple[Evaluation, Decision]:
    """All figures of evaluation.json, and the decision rule that they describe."""
    temperature = calibration.temperature(measured.logits, measured.truths)
    chances = calibration.probabilities(measured.logits, temperature)
    correct = chances.argmax(axis=1) == measured.truths
    least_known = calibration.least_known_share(measured.known_shares)
    familiar = (measured.known_shares >= least_known) & (measured.known_shares > 0)
    accepted = calibration.acceptance(chances.max(axis=1), correct, familiar, target_precision)
    confusion = _confusion(measured.truths, chances.argmax(axis=1), len(labels))
    per_class = _per_class(confusion, labels)
    figures = {
        "schema": SCHEMA,
        "accuracy": _rounded(correct.mean()),
        "validation_rows": len(correct),
        "macro_f1": _rounded(np.mean([entry["f1"] for entry in per_class])),
        "labels": list(labels),
        "per_class": per_class,
        "confusion": confusion.tolist(),
        "calibration": _calibration(measured, temperature, chances.max(axis=1), correct),
        "acceptance": {
            "target_precision": target_precision,
            **dataclasses.asdict(accepted),
            "least_known_share": least_known,
        },
        "champion": None if champion_accuracy is None else {"accuracy": _rounded(champion_accuracy)},
        "training": training,
    }
    return figures, Decision(temperature, accepted.threshold, least_known)


def decision(evaluation: Evaluation) -> Decision:
    """Give the decision rule that an evaluation.json describes."""
    rule = evaluation["acceptance"]
    return Decision(evaluation["calibration"]["temperature"], rule["threshold"], rule["least_known_share"])


def _calibration(
    measured: Measured, temperature: float, confidences: calibration.Array, correct: Flags
) -> dict[str, Any]:
    before = calibration.reliability(calibration.probabilities(measured.logits, 1.0).max(axis=1), correct)
    after = calibration.reliability(confidences, correct)
    return {
        "temperature": temperature,
        "ece_before": _rounded(calibration.calibration_error(before)),
        "ece_after": _rounded(calibration.calibration_error(after)),
        "bins": [dataclasses.asdict(part) for part in after],
    }


def _confusion(truths: Truths, predicted: npt.NDArray[np.int64], classes: int) -> Counts:
    """Rows by true label (first axis) and predicted label (second), shape (classes, classes)."""
    flat = np.bincount(truths * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.int64)


def _per_class(confusion: Counts, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and rows of each label; a figure that would divide by zero is 0."""
    hits, support, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return [
        {
            "label": label,
            "precision": _rounded(hits[i] / max(predicted[i], 1)),
            "recall": _rounded(hits[i] / max(support[i], 1)),
            "f1": _rounded(2 * hits[i] / max(support[i] + predicted[i], 1)),
            "support": int(support[i]),
        }
        for i, label in enumerate(labels)
    ]


def _rounded(figure: float) -> float:
    return round(float(figure), 6)
