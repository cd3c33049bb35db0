"""Why little or nothing is accepted without a person, and what would help, in one or two sentences."""

import math
from dataclasses import dataclass

import numpy as np

from contract.text import count
from model.calibration import RISK, TRIES, Acceptance, Array, Flags, acceptance, precision_bound

LITTLE = 0.25  # of the rows: of a model that accepts fewer it is told why
LEAST_TARGET = 0.5  # the lowest that the configuration takes
# Labelled rows, in all and of each category: of fewer it is not known whether their labels are at fault.
FEW, FEW_OF_EACH = 2_000, 50
MOST_TIMES = 50  # as many rows: beyond, a number would be no advice


@dataclass(frozen=True)
class Trial:
    """The held-out rows, each with its confidence; `target` is the precision that was asked for."""

    confidences: Array
    correct: Flags
    familiar: Flags
    target: float
    training_rows: int  # 0: not known
    categories: int = 2


def advice(trial: Trial, found: Acceptance) -> str | None:
    """Return the advice, or None where enough is accepted.

    The number of rows is the one at which the acceptance test passes for at least LITTLE of the rows, were as
    large a share of them right as in this trial; the lower target is the highest, in whole percents, that
    this trial passes for as many.
    """
    if found.coverage >= LITTLE:
        return None
    needed, target = _rows_needed(trial), _reachable_target(trial)
    remedies = [f"about {_rounded_up(needed):,} more labelled rows"] if needed else []
    remedies += [f"a target of {target:.2f} (target_precision in the configuration)"] if target else []
    return f"{_why(trial, found)} {_what_helps(trial, remedies)}"


def _why(trial: Trial, found: Acceptance) -> str:
    rows = count(len(trial.correct), "held-out row")
    right = f"{100 * trial.target:.4g}% of the accepted labels are right"
    if found.threshold is None:
        return f"No row is accepted without a person: with {rows} it cannot be shown that {right}."
    return (
        f"Only {100 * found.coverage:.0f}% of the rows are accepted without a person: for more of them, with "
        f"{rows}, it cannot be shown that {right}."
    )


def _what_helps(trial: Trial, remedies: list[str]) -> str:
    if remedies:
        return f"What would help: {', or '.join(remedies)}."
    if trial.training_rows + len(trial.correct) < max(FEW, FEW_OF_EACH * trial.categories):
        return "What would help: more labelled rows of each category; with so few it cannot be told how many."
    return "Its labels are wrong too often: clearer categories, or other texts, would help."


def _rows_needed(trial: Trial) -> int | None:
    """Return how many more labelled rows, all files' held-out rows being the share of this one's."""
    held_out, ranked = len(trial.correct), np.sort(trial.confidences[trial.familiar])[::-1]
    needed: list[int] = []
    for share in range(1, TRIES + 1):
        last = len(ranked) * share // TRIES - 1
        accepted = trial.familiar & (trial.confidences >= ranked[last]) if last >= 0 else trial.familiar
        if last < 0 or accepted.mean() < LITTLE:
            continue
        least = _least_count(float(trial.correct[accepted].mean()), trial.target)
        if least is not None and least <= MOST_TIMES * accepted.sum():
            needed.append(math.ceil(least / accepted.mean()) - held_out)
    if not needed:
        return None
    return max(math.ceil(min(needed) * (trial.training_rows + held_out) / held_out), 1)


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


def _passes(precision: float, count: int, target: float) -> bool:
    return precision_bound(math.floor(precision * count + 1e-9), count, RISK / TRIES) >= target


def _reachable_target(trial: Trial) -> float | None:
    """Return the highest target below the one that was asked for of which LITTLE of the rows are accepted."""
    low, high = round(100 * LEAST_TARGET), math.ceil(round(100 * trial.target, 6)) - 1
    if high < low or not _reaches(trial, low / 100):
        return None
    while high > low:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _reaches(trial, middle / 100) else (low, middle - 1)
    return low / 100


def _reaches(trial: Trial, target: float) -> bool:
    return acceptance(trial.confidences, trial.correct, trial.familiar, target).coverage >= LITTLE


def _rounded_up(number: int) -> int:
    """Round up to two digits: 2,871 to 2,900."""
    unit: int = 10 ** max(len(str(number)) - 2, 0)
    return -(-number // unit) * unit
