"""Which rows need no person, for a ladder of targets: the rule, found on rows that the model has not seen.

A row is accepted when it is like the training texts, its confidence reaches the threshold of the target, and
it has no more than a small chance of a watched category (`watched.py`). Where the validation rows refute what
the calibration rows show (`precision_test.py`), a stricter threshold is taken.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contract.evaluation import Acceptance, Check, Target, WatchedGroup
from contract.text import listed
from model.calibration import Array, Flags, Logits, Truths, guesses
from model.errors import DataError
from model.precision_test import RISK, lowest_threshold, luck
from model.watched import Group, Outcome, falling_limits, group_chances, groups

TARGETS = (*(step / 100 for step in (*range(50, 90, 5), *range(90, 100))), 0.995)
JUDGED_AT = 0.9  # the highest target whose rule tells which categories have a low recall


@dataclass(frozen=True)
class CalibrationRows:
    """Labelled rows as a model sees them that has not learned from them."""

    logits: Logits  # (rows, classes)
    temperature: float  # of the logits
    truths: Truths  # (rows,)
    unlike: Flags  # (rows,), those unlike the training texts: never accepted


@dataclass(frozen=True)
class Wishes:
    """What is asked of the rule: keys of the configuration."""

    target_precision: float
    protect: Sequence[str] = ()  # labels
    protect_recall: float = 0.95


@dataclass(frozen=True)
class Rule:
    """The rule for each target; that of `target_precision` is among them."""

    target_precision: float
    targets: list[Target]
    watched: list[WatchedGroup]
    check: Check | None

    @property
    def own(self) -> Target:
        """Return what the rule's own target gives."""
        return next(step for step in self.targets if step["target_precision"] == self.target_precision)


@dataclass(frozen=True)
class Guessed:
    """The likeliest label of each row, right or wrong; each has shape (rows,)."""

    truths: Truths
    correct: Flags
    confidences: Array
    like: Flags  # the training texts

    def lowest_threshold(self, target: float) -> float:
        """Return the lowest confidence above which the rows show the target; infinity: none does."""
        return lowest_threshold(self.confidences[self.like], self.correct[self.like], target)

    def outcome(self, threshold: float) -> Outcome:
        """Return which rows a threshold accepts."""
        accepted = self.like & (self.confidences >= threshold)
        return Outcome(self.truths, self.correct, self.confidences, accepted)


def rule(
    rows: CalibrationRows, labels: Sequence[str], wishes: Wishes, check: CalibrationRows | None = None
) -> Rule:
    """Return the rule for each target; `check` are the validation rows, where they are other rows.

    `labels` are in the order of the logits. Raises DataError when a protected label is not among them.
    """
    protected = protected_numbers(wishes.protect, labels)
    guessed, held_out = _guess(rows), _guess(check) if check else None
    targets = sorted({*TARGETS, wishes.target_precision})
    own = targets.index(wishes.target_precision)
    promised, thresholds = rising_thresholds(guessed, targets, held_out)
    outcomes = [guessed.outcome(threshold) for threshold in thresholds]
    judged = outcomes[targets.index(min(wishes.target_precision, JUDGED_AT))]
    watched = groups(judged, len(labels), protected, wishes.protect_recall)
    chances = [group_chances(rows.logits, rows.temperature, group) for group in watched]
    limits = falling_limits(watched, chances, outcomes)
    steps = zip(targets, thresholds, outcomes, limits, strict=True)
    sent = [
        outcomes[own].accepted & (of_group > limit)
        for of_group, limit in zip(chances, limits[own], strict=True)
    ]
    return Rule(
        wishes.target_precision,
        [_step(target, threshold, outcome, chances, enough) for target, threshold, outcome, enough in steps],
        [_named(group, labels, rows_sent) for group, rows_sent in zip(watched, sent, strict=True)],
        _check(held_out, promised[own], wishes.target_precision) if held_out else None,
    )


def rising_thresholds(
    guessed: Guessed, targets: Sequence[float], held_out: Guessed | None
) -> tuple[list[float], list[float]]:
    """Return the threshold of each rising target, and the same where the validation rows refute none."""
    promised = np.maximum.accumulate([guessed.lowest_threshold(target) for target in targets]).tolist()
    return promised, _not_refuted(promised, targets, held_out) if held_out else promised


def described(
    found: Rule, advice: str | None, least_known_share: float, least_similarity: float
) -> Acceptance:
    """Return the rule as evaluation.json holds it."""
    own = found.own
    return {
        "target_precision": found.target_precision,
        "threshold": own["threshold"],
        "coverage": own["coverage"],
        "precision": own["precision"],
        "least_known_share": least_known_share,
        "advice": advice,
        "least_similarity": least_similarity,
        "watched": found.watched,
        "chances": own["chances"],
        "targets": found.targets,
        "check": found.check,
    }


def protected_numbers(protect: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the numbers of the protected labels. Raises DataError when one is not among the labels."""
    numbers = {label: number for number, label in enumerate(labels)}
    for label in protect:
        if label not in numbers:
            raise DataError(
                f"protect names {label!r}, but no training row has that label, only {listed(labels)}."
            )
    return [numbers[label] for label in dict.fromkeys(protect)]


def _guess(rows: CalibrationRows) -> Guessed:
    labels, confidences = guesses(rows.logits, rows.temperature)
    return Guessed(rows.truths, labels == rows.truths, confidences, ~rows.unlike)


def _not_refuted(thresholds: Sequence[float], targets: Sequence[float], held_out: Guessed) -> list[float]:
    """Return the rising thresholds of the folds with stricter ones where the validation rows refute them.

    A refuted one gives way to the next target's, or to the one that the validation rows show by themselves,
    whichever accepts more.
    """
    stricter = math.inf
    falling: list[float] = []
    for threshold, target in zip(reversed(thresholds), reversed(targets), strict=True):
        if _refutes(held_out, threshold, target):
            stricter = min(stricter, max(threshold, held_out.lowest_threshold(target)))
        else:
            stricter = threshold
        falling.append(stricter)
    return falling[::-1]


def _refutes(held_out: Guessed, threshold: float, target: float) -> bool:
    """Return whether more accepted rows are wrong than chance alone explains, at a level of RISK."""
    outcome = held_out.outcome(threshold)
    wrong, rows = int(outcome.silent.sum()), int(outcome.accepted.sum())
    return wrong > 0 and 1 - luck(wrong - 1, rows, target) <= RISK


def _check(held_out: Guessed, threshold: float, target: float) -> Check:
    """Return what the validation rows say of the folds' threshold."""
    accepted = held_out.outcome(threshold).accepted
    return {
        "rows": len(accepted),
        "accepted": int(accepted.sum()),
        "precision": _mean(held_out.correct[accepted]),
        "contradicted": _refutes(held_out, threshold, target),
    }


def _step(
    target: float, threshold: float, outcome: Outcome, chances: Sequence[Array], limits: list[float]
) -> Target:
    accepted = outcome.accepted.copy()
    for of_group, limit in zip(chances, limits, strict=True):
        accepted &= of_group <= limit
    precision = _mean(outcome.correct[accepted])
    return {
        "target_precision": target,
        "threshold": threshold if precision is not None else None,
        "coverage": float(accepted.mean()),
        "precision": precision,
        "chances": limits,
    }


def _named(group: Group, labels: Sequence[str], sent: Flags) -> WatchedGroup:
    return {
        "labels": [labels[number] for number in group.labels],
        "why": group.why,
        "sent": float(sent.mean()),
    }


def _mean(correct: Flags) -> float | None:
    return float(correct.mean()) if len(correct) else None
