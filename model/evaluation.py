"""Measures a trained model on the validation rows: the content of evaluation.json.

`config/evaluation.schema.json` says what each key means.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from model import calibration
from model.calibration import Array, Flags, Truths
from model.classifier import Decision
from model.data import Row

Evaluation: TypeAlias = dict[str, Any]  # evaluation.json
Counts: TypeAlias = npt.NDArray[np.int64]

SCHEMA = 1
MISTAKES_SHOWN = 20
PHRASES_SHOWN = 12  # of each label
TEXT_SHOWN = 300  # characters of a text


@dataclasses.dataclass(frozen=True)
class Measured:
    """The validation rows as the model sees them."""

    logits: npt.NDArray[np.float32]  # (rows, classes)
    truths: Truths  # (rows,)
    known_shares: npt.NDArray[np.float64]  # (rows,)


@dataclasses.dataclass(frozen=True)
class Trained:
    """What is told of the model beside its trial."""

    labels: Sequence[str]  # in the order of the logits
    training: dict[str, Any]  # {"architecture", "seconds", "mixture", "parts"}, as in the schema
    phrases: Mapping[str, Sequence[dict[str, Any]]] = dataclasses.field(default_factory=dict)
    # by label, {"phrase", "weight"}, what speaks most first; those beyond PHRASES_SHOWN are left out


def evaluate(
    measured: Measured,
    rows: Iterable[Row],
    trained: Trained,
    target_precision: float,
    champion_correct: Flags | None = None,
) -> tuple[Evaluation, Decision]:
    """All figures of evaluation.json, and the decision rule that they describe.

    `rows` are the measured rows once more, in the same order, and are streamed once: the texts of the
    mistakes come from them. `champion_correct`, shape (rows,), tells which of them the live model has right.

    Raises ValueError when `rows` or `champion_correct` are not as many as were measured.
    """
    temperature = calibration.temperature(measured.logits, measured.truths)
    chances = calibration.probabilities(measured.logits, temperature)
    guesses, confidences = chances.argmax(axis=1), chances.max(axis=1)
    correct = guesses == measured.truths
    acceptance = _acceptance(measured, confidences, correct, target_precision)
    figures = {
        "schema": SCHEMA,
        **_right(correct),
        "validation_rows": len(correct),
        **_by_label(measured.truths, guesses, trained.labels),
        "calibration": _calibration(measured, temperature, confidences, correct),
        "acceptance": acceptance,
        "coverage": [dataclasses.asdict(point) for point in calibration.coverage_curve(confidences, correct)],
        "champion": None if champion_correct is None else _champion(correct, champion_correct),
        "mistakes": _mistakes(rows, guesses, confidences, correct, trained.labels),
        "phrases": {label: list(found)[:PHRASES_SHOWN] for label, found in trained.phrases.items()},
        "training": trained.training,
    }
    return figures, decision(figures)


def decision(evaluation: Evaluation) -> Decision:
    """Give the decision rule that an evaluation.json describes."""
    rule = evaluation["acceptance"]
    return Decision(evaluation["calibration"]["temperature"], rule["threshold"], rule["least_known_share"])


def shorten(text: str, limit: int = TEXT_SHOWN) -> str:
    """Give the beginning of a text, on one line and without control characters, cut at `limit` characters."""
    head = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * limit])
    line = " ".join(head.split())
    return line if len(line) <= limit and len(text) <= 4 * limit else line[:limit] + "…"


def _right(correct: Flags) -> dict[str, Any]:
    """Accuracy, and the two ends between which it would lie for endless texts of this kind."""
    low, high = calibration.interval(int(correct.sum()), len(correct))
    return {"accuracy": _rounded(correct.mean()), "accuracy_interval": [_rounded(low), _rounded(high)]}


def _by_label(truths: Truths, guesses: Counts, labels: Sequence[str]) -> dict[str, Any]:
    confusion = _confusion(truths, guesses, len(labels))
    per_class = _per_class(confusion, labels)
    return {
        "macro_f1": _rounded(np.mean([entry["f1"] for entry in per_class])),
        "labels": list(labels),
        "per_class": per_class,
        "confusion": confusion.tolist(),
    }


def _confusion(truths: Truths, predicted: Counts, classes: int) -> Counts:
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


def _calibration(
    measured: Measured, temperature: float, confidences: Array, correct: Flags
) -> dict[str, Any]:
    before = calibration.reliability(calibration.probabilities(measured.logits, 1.0).max(axis=1), correct)
    after = calibration.reliability(confidences, correct)
    return {
        "temperature": temperature,
        "ece_before": _rounded(calibration.calibration_error(before)),
        "ece_after": _rounded(calibration.calibration_error(after)),
        "bins": [dataclasses.asdict(part) for part in after],
    }


def _acceptance(measured: Measured, confidences: Array, correct: Flags, target: float) -> dict[str, Any]:
    least_known = calibration.least_known_share(measured.known_shares)
    familiar = (measured.known_shares >= least_known) & (measured.known_shares > 0)
    accepted = calibration.acceptance(confidences, correct, familiar, target)
    return {
        "target_precision": target,
        **dataclasses.asdict(accepted),
        "least_known_share": least_known,
    }


def _champion(new: Flags, live: Flags) -> dict[str, Any]:
    """Compare with the live model, row by row: who has which rows right, and whether that may be chance."""
    if new.shape != live.shape:
        raise ValueError(f"{len(new)} rows were measured, but the live model judged {len(live)}.")
    only_new, only_live = int((new & ~live).sum()), int((live & ~new).sum())
    return {
        **_right(live),
        "both_right": int((new & live).sum()),
        "only_new_right": only_new,
        "only_live_right": only_live,
        "both_wrong": int((~new & ~live).sum()),
        "p_value": float(f"{calibration.chance_difference(only_new, only_live):.4g}"),
    }


def _mistakes(
    rows: Iterable[Row], guesses: Counts, confidences: Array, correct: Flags, labels: Sequence[str]
) -> list[dict[str, Any]]:
    """Give the wrong rows of the highest confidence, the highest first; of equal ones, the earlier row."""
    wrong = np.flatnonzero(~correct)
    shown = wrong[np.argsort(-confidences[wrong], kind="stable")][:MISTAKES_SHOWN].tolist()
    picked = set(shown)
    found = {place: row for place, (row, _) in enumerate(zip(rows, correct, strict=True)) if place in picked}
    return [
        {
            "row": found[place].number,
            "text": shorten(found[place].text),
            "label": found[place].label,
            "prediction": labels[guesses[place]],
            "confidence": _rounded(confidences[place]),
        }
        for place in shown
    ]


def _rounded(figure: float) -> float:
    return round(float(figure), 6)
