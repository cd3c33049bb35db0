"""The lowest confidence above which the precision of the accepted rows is shown: a test of many thresholds.

Learn then test (Angelopoulos et al. 2021, "Learn then Test: Calibrating Predictive Algorithms to Achieve Risk
Control", section 2): fixed sequences of thresholds from a few starts, each at its share of the risk, go on
from the surest rows to the others and end with the first threshold that fails. docs/decisions.md compares
this with other tests.
"""

import math
from collections.abc import Iterator

import numpy as np

from model.calibration import Array, Flags

RISK = 0.05  # chance that the precision of the accepted rows is below the target after all
STARTS = 4  # of sequences, each at a quarter of the risk
STEPS = 100  # thresholds that may be tried, at 1%, 2%, … of the rows


def lowest_threshold(confidences: Array, correct: Flags, target: float) -> float:
    """Return the lowest confidence above which at least `target` of the rows are right, with 95% assurance.

    Infinity where none is shown. `confidences` and `correct` have shape (rows,); rows of equal confidence
    come together.
    """
    order = np.argsort(-confidences, kind="stable")
    ranked, wrong = confidences[order], np.cumsum(~correct[order])
    found, risk = math.inf, 0.0
    for rows, share in _tries(len(ranked), target):
        risk = max(risk, share)
        last = int(np.searchsorted(-ranked, -ranked[rows - 1], side="right"))
        if risk and luck(int(wrong[last - 1]), last, target) <= risk:
            found = float(ranked[rows - 1])
        else:
            risk = 0.0
    return found


def luck(wrong: int, rows: int, target: float) -> float:
    """Return the chance that at most `wrong` of `rows` are wrong where `target` of all are right.

    The p-value of a one-sided exact binomial test of a precision above `target`. It is a risk or less just
    where the Clopper-Pearson lower bound of the precision at that risk is `target` or more.
    """
    return float(_chances_of_mistakes(wrong, rows, target).sum())


def most_wrong(rows: int, target: float, risk: float) -> int | None:
    """Return how many of the rows may be wrong that still show `target` at a risk; None: not even 0."""
    likely = math.ceil(rows * (1 - target))
    passing = np.flatnonzero(np.cumsum(_chances_of_mistakes(likely, rows, target)) <= risk)
    return int(passing[-1]) if len(passing) else None


def fewest_rows(target: float, risk: float) -> int:
    """Return how many rows, none of them wrong, show a precision of `target` at a risk.

    >>> fewest_rows(0.98, 0.05)
    149
    """
    return math.ceil(math.log(risk) / math.log(target))


def _tries(rows: int, target: float) -> Iterator[tuple[int, float]]:
    """Yield how many of the surest rows are tried, rising, and the risk that a sequence starts with there.

    The first start is at the fewest rows that can pass; the others grow geometrically towards all rows. There
    are fewer starts where that would take more than half of the rows. None of it depends on which rows are
    right.
    """
    affordable = [each for each in range(1, STARTS + 1) if 2 * fewest_rows(target, RISK / each) <= rows]
    starts = max(affordable, default=1)
    first = fewest_rows(target, RISK / starts)
    if first > rows:
        return
    risks = {round(first * (rows / first) ** (start / starts)): RISK / starts for start in range(starts)}
    steps = {max(rows * step // STEPS, 1) for step in range(1, STEPS + 1)}
    for count in sorted(steps | set(risks)):
        yield count, risks.get(count, 0.0)


def _chances_of_mistakes(most: int, rows: int, target: float) -> Array:
    """Return the binomial chances of 0 to `most` mistakes, summed in logarithms so that nothing overflows."""
    mistakes = np.arange(1, most + 1)
    odds = math.log1p(-target) - math.log(target)
    growth = np.cumsum(np.log((rows - mistakes + 1) / mistakes) + odds)
    chances: Array = np.exp(rows * math.log(target) + np.concatenate([[0.0], growth]))
    return chances
