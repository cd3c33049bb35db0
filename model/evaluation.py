"""Measures a trained model on the validation rows: the content of evaluation.json.

`contract.evaluation` says what each key means.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from contract.evaluation import (
    SCHEMA,
    Acceptance,
    Calibration,
    Champion,
    Confusion,
    Data,
    Evaluation,
    LabelFigures,
    LeftOut,
    Notes,
    Phrase,
    ShownRow,
    Training,
    at_target,
)
from contract.text import shorten
from model import calibration, familiarity
from model.acceptance import CalibrationRows, Wishes, described, rule
from model.advice import Trial, advice
from model.calibration import Array, Flags, Truths
from model.classifier import Decision, Watched
from model.confusion import inseparable
from model.data import Row
from model.familiarity import Bounds
from model.studio import studio_metrics

Counts: TypeAlias = npt.NDArray[np.int64]

MISTAKES_SHOWN = 20
EXAMPLES_SHOWN = 6
PAIRS_SHOWN = 1000  # of labels taken for each other
PHRASES_SHOWN = 12  # of each label
PHRASE_SHOWN = 80  # characters of a phrase
LABELS_WITH_PHRASES = 200  # at most: those of the most rows
WARNINGS_SHOWN = 20
TEXT_SHOWN = 300  # characters of a text


@dataclasses.dataclass(frozen=True)
class Measured:
    """Labelled rows as a model sees them that has not learned from them."""

    logits: npt.NDArray[np.float32]  # (rows, classes)
    truths: Truths  # (rows,)
    in_vocabulary_ratios: npt.NDArray[np.float64]  # (rows,)
    similarities: npt.NDArray[np.float64]  # (rows,)


@dataclasses.dataclass(frozen=True)
class Trained:
    """What is told of the model beside its trial."""

    labels: Sequence[str]  # in the order of the logits
    training: Training
    phrases: Mapping[str, Sequence[Phrase]] = dataclasses.field(default_factory=dict)
    # by label, what speaks most first; those beyond PHRASES_SHOWN are left out
    training_rows: int = 0
    date: str = ""  # of the training, as 2026-11-26
    notes: Notes | None = None  # what validation found in the file
    champion: Champion | None = None  # the comparison with the live model, if there is one
    choice: str | None = None  # what `auto` took, and why
    folds: int = 0  # of the cross-fitting; 0: the rows measured are the validation rows


@dataclasses.dataclass(frozen=True)
class _Guesses:
    guesses: Counts  # (rows,), the label that the model gives
    confidences: Array  # (rows,)
    correct: Flags  # (rows,)


def evaluate(
    measured: Measured,
    rows: Iterable[Row],
    trained: Trained,
    wishes: Wishes,
    validation: Measured | None = None,
) -> tuple[Evaluation, Decision]:
    """All figures of evaluation.json, and the decision rule that they describe.

    `rows` are the measured rows once more, in the same order, and are streamed once: the texts of the
    mistakes and the examples come from them. `validation` are the rows that the accuracy comes from, where
    they are others than the measured ones.

    Raises ValueError when `rows` are not as many as were measured, DataError when a protected label is not
    among the labels.
    """
    temperature = calibration.temperature(measured.logits, measured.truths)
    guesses, confidences = calibration.guesses(measured.logits, temperature)
    correct = guesses == measured.truths
    held_out = validation or measured
    right = held_out.logits.argmax(axis=1) == held_out.truths
    judged = _Guesses(guesses, confidences, correct)
    per_class = label_figures(measured.truths, guesses, trained.labels)
    pairs, left_out = _confusion(measured.truths, guesses, trained.labels)
    mistakes, examples = _shown_rows(rows, judged, trained.labels)
    figures: Evaluation = {
        "schema": SCHEMA,
        "date": trained.date,
        "data": _data(trained),
        "accuracy": _rounded(right.mean()),
        "accuracy_interval": _interval(right),
        "validation_rows": len(right),
        "measured": {
            "on": "folds" if trained.folds else "validation",
            "rows": len(correct),
            "folds": trained.folds,
            "accuracy": _rounded(correct.mean()),
            "accuracy_interval": _interval(correct),
        },
        "macro_f1": _rounded(float(np.mean([entry["f1"] for entry in per_class]))),
        "labels": list(trained.labels),
        "per_class": per_class,
        "confusion": pairs,
        "confusion_left_out": left_out,
        "inseparable": inseparable(measured.truths, guesses, trained.labels),
        "calibration": _calibration(measured, temperature, judged),
        "acceptance": _acceptance(measured, held_out, temperature, trained, wishes),
        "coverage": [
            {"threshold": point.threshold, "coverage": point.coverage, "precision": point.precision}
            for point in calibration.coverage_curve(confidences, correct)
        ],
        "champion": trained.champion,
        "mistakes": mistakes,
        "examples": examples,
        "phrases": _phrases(trained, measured.truths),
        "training": trained.training,
        "architecture_choice": trained.choice,
        "multiclass_classification_metrics": studio_metrics(measured.truths, guesses, per_class),
    }
    return figures, decision(figures)


def _interval(correct: Flags) -> list[float]:
    return [_rounded(end) for end in calibration.interval(int(correct.sum()), len(correct))]


def decision(evaluation: Evaluation, target_precision: float | None = None) -> Decision:
    """Return the decision rule that an evaluation.json describes: that of its own target, or of another one.

    Models that were saved before watch no category. Raises ValueError for a target that the evaluation has no
    rule for.
    """
    own = evaluation["acceptance"]
    acceptance = own if target_precision is None else at_target(own, target_precision)
    if acceptance is None:
        raise ValueError(f"it has no rule for the target {target_precision}")
    numbers = {label: number for number, label in enumerate(evaluation["labels"])}
    groups = zip(acceptance.get("watched", []), acceptance.get("chances", []), strict=True)
    return Decision(
        evaluation["calibration"]["temperature"],
        acceptance["threshold"],
        acceptance["least_known_share"],
        acceptance.get("least_similarity", 0.0),
        tuple(
            Watched(tuple(numbers[label] for label in group["labels"]), chance) for group, chance in groups
        ),
        tuple(acceptance.get("levels", [])),
    )


def _data(trained: Trained) -> Data:
    """Return the file that the rows came from, and what validation found in it."""
    notes = trained.notes
    warnings = notes["warnings"][:WARNINGS_SHOWN] if notes else []
    return {
        "file": notes["file"] if notes else None,
        "training_rows": trained.training_rows,
        "rejected_rows": notes["rejected"] if notes else None,
        "warnings": [shorten(warning, TEXT_SHOWN) for warning in warnings],
    }


def _confusion(truths: Truths, guesses: Counts, labels: Sequence[str]) -> tuple[list[Confusion], LeftOut]:
    """Return the pairs of labels that were taken for each other, those of the most rows first."""
    wrong = truths != guesses
    pairs, rows = np.unique(truths[wrong] * len(labels) + guesses[wrong], return_counts=True)
    order = np.argsort(-rows, kind="stable")
    listed: list[Confusion] = [
        {
            "label": labels[pairs[i] // len(labels)],
            "prediction": labels[pairs[i] % len(labels)],
            "rows": int(rows[i]),
        }
        for i in order[:PAIRS_SHOWN].tolist()
    ]
    left_out = order[PAIRS_SHOWN:]
    return listed, {"pairs": len(left_out), "rows": int(rows[left_out].sum())}


def label_figures(truths: Truths, guesses: Counts, labels: Sequence[str]) -> list[LabelFigures]:
    """Precision, recall, F1 and rows of each label; a figure that would divide by zero is 0."""
    hits, support, predicted = (
        np.bincount(of, minlength=len(labels)) for of in (truths[truths == guesses], truths, guesses)
    )
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


def _phrases(trained: Trained, truths: Truths) -> dict[str, list[Phrase]]:
    support = np.bincount(truths, minlength=len(trained.labels))
    of_most_rows = np.sort(np.argsort(-support, kind="stable")[:LABELS_WITH_PHRASES])
    labels = [trained.labels[i] for i in of_most_rows.tolist()]
    return {
        label: [
            {"phrase": shorten(found["phrase"], PHRASE_SHOWN), "weight": found["weight"]}
            for found in trained.phrases[label][:PHRASES_SHOWN]
        ]
        for label in labels
        if label in trained.phrases
    }


def _calibration(measured: Measured, temperature: float, judged: "_Guesses") -> Calibration:
    as_it_came = calibration.guesses(measured.logits, 1.0)[1]
    before = calibration.reliability(as_it_came, judged.correct)
    after = calibration.reliability(judged.confidences, judged.correct)
    return {
        "temperature": temperature,
        "ece_before": _rounded(calibration.calibration_error(before)),
        "ece_after": _rounded(calibration.calibration_error(after)),
        "bins": [
            {
                "low": part.low,
                "high": part.high,
                "count": part.count,
                "confidence": part.confidence,
                "accuracy": part.accuracy,
            }
            for part in after
        ],
    }


def _acceptance(
    measured: Measured, held_out: Measured, temperature: float, trained: Trained, wishes: Wishes
) -> Acceptance:
    """Return the rule that the measured rows show, checked on the validation rows where they are others."""
    least = familiarity.bounds(measured.in_vocabulary_ratios, measured.similarities)
    rows = _calibration_rows(measured, temperature, least)
    check = _calibration_rows(held_out, temperature, least) if trained.folds else None
    found = rule(rows, trained.labels, wishes, check)
    trial = Trial.of(rows, trained.training_rows + len(held_out.truths))
    return described(found, advice(trial, found), least.in_vocabulary_ratio, least.similarity)


def _calibration_rows(measured: Measured, temperature: float, least: Bounds) -> CalibrationRows:
    unlike = least.unlike(measured.in_vocabulary_ratios, measured.similarities)
    return CalibrationRows(measured.logits, temperature, measured.truths, unlike)


def _shown_rows(
    rows: Iterable[Row], judged: "_Guesses", labels: Sequence[str]
) -> tuple[list[ShownRow], list[ShownRow]]:
    """Return rows that people look at: mistakes, the wrong ones of the highest confidence, and examples.

    The examples are spread evenly from the highest confidence to the lowest; of equal ones, the earlier row
    comes first.
    """
    ranked = np.argsort(-judged.confidences, kind="stable")
    mistakes = ranked[~judged.correct[ranked]][:MISTAKES_SHOWN].tolist()
    count = min(EXAMPLES_SHOWN, len(ranked))
    examples = ranked[np.linspace(0, len(ranked) - 1, count).round().astype(int)].tolist()
    picked = {*mistakes, *examples}
    found = {
        place: row for place, (row, _) in enumerate(zip(rows, judged.correct, strict=True)) if place in picked
    }

    def shown(place: int) -> ShownRow:
        return {
            "row": found[place].number,
            "text": shorten(found[place].text, TEXT_SHOWN),
            "label": found[place].label,
            "prediction": labels[judged.guesses[place]],
            "confidence": _rounded(judged.confidences[place]),
        }

    return [shown(place) for place in mistakes], [shown(place) for place in examples]


def _rounded(figure: float) -> float:
    return round(float(figure), 6)
