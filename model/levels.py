"""The upper levels of a hierarchy: how right they are, and from which confidence on each is accepted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from contract.evaluation import Evaluation, LevelFigures
from contract.part import levels as written
from model.acceptance import Guessed, rising_thresholds
from model.calibration import Array, Flags, Truths, blocks, interval, probabilities
from model.classifier import Classifier, Decision
from model.evaluation import Measured, decision, label_figures
from model.familiarity import Bounds
from model.hierarchy import Level


@dataclass(frozen=True)
class _Rows:
    """Labelled rows at one level, each of shape (rows,)."""

    guesses: Truths
    judged: Guessed
    kept_back: Flags


def measure(
    evaluation: Evaluation, measured: Measured, held_out: Measured, hierarchy: Sequence[Level]
) -> Decision:
    """Add the figures and the thresholds of the upper levels; returns the decision rule with them.

    The thresholds are found as those of the labels are: on the measured rows, checked on the rows that were
    held out where these are others.
    """
    rule, acceptance = decision(evaluation), evaluation["acceptance"]
    here, there = ([_at(level, rows, rule) for level in hierarchy] for rows in (measured, held_out))
    checks = [None if measured is held_out else each.judged for each in there]
    steps = acceptance["targets"]
    targets = [step["target_precision"] for step in steps]
    thresholds = [
        rising_thresholds(each.judged, targets, check)[1] for each, check in zip(here, checks, strict=True)
    ]
    for step, of_step in zip(steps, zip(*thresholds, strict=True), strict=True):
        step["levels"] = [threshold if np.isfinite(threshold) else None for threshold in of_step]
    acceptance["levels"] = steps[targets.index(acceptance["target_precision"])]["levels"]
    evaluation["levels"] = [
        _figures(*of_level) for of_level in zip(hierarchy, acceptance["levels"], here, there, strict=True)
    ]
    return decision(evaluation)


def told(classifier: Classifier, chances: Array, unlike: Flags, reasons: Sequence[str]) -> Iterator[str]:
    """Yield `levels` of each row's prediction (`contract.part`) by a classifier with a hierarchy.

    Args:
        classifier: that labels the rows
        chances: of its labels, calibrated, shape (rows, classes)
        unlike: the rows that are unlike the training texts, shape (rows,)
        reasons: why a person should look at each row; empty: its label is accepted

    """
    decided = classifier.decision
    found = []
    for level, threshold in zip(classifier.hierarchy, decided.levels, strict=True):
        guesses, confidences = level.likeliest(chances)
        sure = ~unlike & (confidences >= _least(threshold)) & ~_kept_back(level, guesses, chances, decided)
        names = [level.names[number] for number in guesses.tolist()]
        found.append(list(zip(names, confidences.tolist(), sure.tolist(), strict=True)))
    for number, reason, *of_row in zip(chances.argmax(axis=1), reasons, *found, strict=True):
        sure_of = [name for name, _, sure in of_row if sure] + [classifier.labels[number]] * (not reason)
        yield written(sure_of[-1] if sure_of else "", [(name, chance) for name, chance, _ in of_row])


def _at(level: Level, rows: Measured, rule: Decision) -> _Rows:
    found = []
    for some in blocks(rows.logits):
        chances = probabilities(rows.logits[some], rule.temperature)
        best, confidence = level.likeliest(chances)
        found.append((best, confidence, _kept_back(level, best, chances, rule)))
    guesses, confidences, back = (np.concatenate(column) for column in zip(*found, strict=True))
    truths = level.of_label[rows.truths]
    least = Bounds(rule.min_in_vocabulary_ratio, rule.min_similarity)
    like = ~least.unlike(rows.in_vocabulary_ratios, rows.similarities)
    return _Rows(guesses, Guessed(truths, guesses == truths, confidences, like), back)


def _kept_back(level: Level, guesses: Truths, chances: Array, rule: Decision) -> Flags:
    """Return the rows with too high a chance of a watched label below another category of the level."""
    found = np.zeros(len(chances), dtype=bool)
    for group in rule.watched:
        labels = np.asarray(group.labels)
        elsewhere = level.of_label[labels] != guesses[:, None]
        found |= (elsewhere & (chances[:, labels] > group.chance)).any(axis=1)
    return found


def _least(threshold: float | None) -> float:
    return np.inf if threshold is None else threshold


def _figures(level: Level, threshold: float | None, here: _Rows, there: _Rows) -> LevelFigures:
    judged, right = here.judged, there.judged.correct
    accepted = judged.outcome(_least(threshold)).accepted & ~here.kept_back
    by_category = label_figures(judged.truths, here.guesses, level.names)
    return {
        "categories": len(level.names),
        "accuracy": round(float(right.mean()), 6),
        "accuracy_interval": [round(end, 6) for end in interval(int(right.sum()), len(right))],
        "macro_f1": round(float(np.mean([each["f1"] for each in by_category])), 6),
        "coverage": round(float(accepted.mean()), 6),
        "precision": round(float(judged.correct[accepted].mean()), 6) if accepted.any() else None,
    }
