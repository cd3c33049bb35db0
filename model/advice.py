"""Why little or nothing is accepted without a person, and what would help, in one or two sentences."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from contract.evaluation import Acceptance, Suspects
from contract.text import count, percent
from model.acceptance import CalibrationRows, Rule
from model.calibration import Array, Flags, guesses
from model.precision_test import RISK, STARTS, luck

LITTLE = 0.25  # of the rows: of a model that accepts fewer it is told why
# Labelled rows, in all and of each category: of fewer it is not known whether their labels are at fault.
FEW, FEW_OF_EACH = 2_000, 50
MOST_TIMES = 50  # as many rows: beyond, a number would be no advice
HELPS = " What would help: "
SHARES = [step / 20 for step in range(5, 21)]  # of the rows, the surest ones, that more rows might accept


@dataclass(frozen=True)
class Trial:
    """The rows that the rule was found on, each with its confidence."""

    confidences: Array  # (rows,)
    correct: Flags  # (rows,)
    like: Flags  # (rows,), those like the training texts
    labelled_rows: int  # of the whole file
    categories: int = 2

    @classmethod
    def of(cls, rows: CalibrationRows, labelled_rows: int) -> Self:
        """Return the trial of the rows that a rule was found on."""
        labels, confidences = guesses(rows.logits, rows.temperature)
        return cls(confidences, labels == rows.truths, ~rows.unlike, labelled_rows, rows.logits.shape[1])


def advice(trial: Trial, rule: Rule) -> str | None:
    """Return the advice, or None where enough is accepted.

    The number of rows is the one at which the precision test passes for at least LITTLE of the rows, were as
    large a share of them right as in this trial; the lower target is the highest of the ladder that accepts
    as many.
    """
    if rule.own["coverage"] >= LITTLE:
        return None
    needed, target = _rows_needed(trial, rule.target_precision), _reachable_target(rule)
    remedies = [f"about {_rounded_up(needed):,} more labelled rows"] if needed else []
    remedies += [f"a target of {target:.4g} (target_precision in the configuration)"] if target else []
    return f"{_why(trial, rule)} {_what_helps(trial, remedies)}"


def with_suspects(acceptance: Acceptance, suspects: Suspects) -> str | None:
    """Return the advice, which begins with the suspects where they alone can keep the target out of reach."""
    said = acceptance["advice"]
    if not said or suspects["count"] <= (1 - acceptance["target_precision"]) * suspects["rows"]:
        return said
    why, _, remedies = said.partition(HELPS)
    first = (
        f"Decide the suspects first, then train again: {suspects['count']:,} of "
        f"{count(suspects['rows'], 'row')} (suspects.csv) may have a wrong category, and every wrong one "
        "counts as the model's mistake."
    )
    return " ".join([why, first, *([f"If that is not enough: {remedies}"] if remedies else [])])


def contradiction(acceptance: Acceptance) -> str | None:
    """Return a sentence where the validation rows contradict what the folds promise, else None."""
    check = acceptance.get("check")
    if not check or not check["contradicted"] or check["precision"] is None:
        return None
    asked = f"{100 * acceptance['target_precision']:.4g}%"
    return (
        f"The validation rows contradict the folds: {percent(check['precision'])} of the "
        f"{count(check['accepted'], 'row')} accepted are right, not {asked}. So a stricter "
        "threshold was taken."
    )


def _why(trial: Trial, rule: Rule) -> str:
    rows = count(len(trial.correct), "held-out row")
    right = f"{100 * rule.target_precision:.4g}% of the accepted labels are right"
    if rule.own["threshold"] is None:
        return f"No row is accepted without a person: with {rows} it cannot be shown that {right}."
    accepted = f"{100 * rule.own['coverage']:.0f}% of the rows are accepted without a person"
    return f"Only {accepted}: for more of them, with {rows}, it cannot be shown that {right}."


def _what_helps(trial: Trial, remedies: list[str]) -> str:
    if remedies:
        return f"{HELPS.strip()} {', or '.join(remedies)}."
    if trial.labelled_rows < max(FEW, FEW_OF_EACH * trial.categories):
        return f"{HELPS.strip()} more labelled rows of each category; with so few it cannot be told how many."
    return "Its labels are wrong too often: clearer categories, or other texts, would help."


def _reachable_target(rule: Rule) -> float | None:
    """Return the highest target below the one that was asked for of which LITTLE of the rows are accepted."""
    lower = [step for step in rule.targets if step["target_precision"] < rule.target_precision]
    return max((step["target_precision"] for step in lower if step["coverage"] >= LITTLE), default=None)


def _rows_needed(trial: Trial, target: float) -> int | None:
    """Return how many more labelled rows, as large a share of them measured as now."""
    ranked = trial.correct[trial.like][np.argsort(-trial.confidences[trial.like], kind="stable")]
    measured = len(trial.correct)
    needed: list[float] = []
    for share in SHARES:
        surest = ranked[: round(share * measured)]
        if share * measured > len(ranked) or not len(surest):
            continue
        least = _least_count(float(surest.mean()), target)
        if least is not None and least <= MOST_TIMES * len(surest):
            needed.append(least / share - measured)
    if not needed:
        return None
    return max(math.ceil(min(needed) * trial.labelled_rows / measured), 1)


def _least_count(precision: float, target: float) -> int | None:
    """Return the least number of accepted rows, `precision` of them right, that passes the test, or None."""
    if precision <= target:
        return None
    low, high = 0, 1
    while not _passes(precision, high, target):
        low, high = high, 2 * high
        if high > 10**7:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _passes(precision, middle, target) else (middle, high)
    return high


def _passes(precision: float, rows: int, target: float) -> bool:
    return luck(math.ceil((1 - precision) * rows - 1e-9), rows, target) <= RISK / STARTS


def _rounded_up(number: int) -> int:
    """Round up to two digits: 2,871 to 2,900."""
    unit: int = 10 ** max(len(str(number)) - 2, 0)
    return -(-number // unit) * unit
