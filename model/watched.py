"""Categories whose rows must not be accepted as another's: which, and the chance that is enough to look.

Nearly all accepted rows may be right, and those of a rare category wrong all the same. So a row that is
labelled otherwise goes to a person when it has more than a chance p of such a category.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.calibration import Array, Flags, Logits, Truths, blocks, probabilities
from model.precision_test import RISK, fewest_rows, most_wrong

PROTECTED, FEW_ROWS, LOW_RECALL = "protected", "few rows", "low recall"
LEAST_RECALL = (
    0.9  # share of a category's rows that are labelled right or looked at, where nobody asks for more
)
FEW = fewest_rows(LEAST_RECALL, RISK)  # 29: with fewer rows, even no mistake does not show that recall
MOST_SENT = 0.02  # of all rows: so many at most go to people for a group that nobody asked to protect


@dataclass(frozen=True)
class Group:
    """Categories that are watched together, by the numbers of their labels."""

    labels: tuple[int, ...]
    why: str
    recall: float = LEAST_RECALL  # the share of their rows that is to be labelled right or looked at
    most_sent: float = MOST_SENT  # of all rows


@dataclass(frozen=True)
class Outcome:
    """What a threshold does to the calibration rows; each has shape (rows,)."""

    truths: Truths
    correct: Flags
    confidences: Array
    accepted: Flags

    @property
    def silent(self) -> Flags:
        """Return the rows that are accepted with a wrong label."""
        return self.accepted & ~self.correct


def groups(outcome: Outcome, classes: int, protected: Sequence[int], protect_recall: float) -> list[Group]:
    """Return the groups to watch: each protected category, those of few rows, and those of a low recall."""
    rows = np.bincount(outcome.truths, minlength=classes)
    lost = np.bincount(outcome.truths[outcome.silent], minlength=classes)
    others = ~np.isin(np.arange(classes), protected)
    few = others & (rows < FEW)
    low = others & ~few & (lost > (1 - LEAST_RECALL) * rows)
    pooled = [(np.flatnonzero(few), FEW_ROWS), (np.flatnonzero(low), LOW_RECALL)]
    return [
        *(Group((label,), PROTECTED, protect_recall, most_sent=1.0) for label in protected),
        *(Group(tuple(labels.tolist()), why) for labels, why in pooled if len(labels)),
    ]


def group_chances(logits: Logits, temperature: float, group: Group) -> Array:
    """Return each row's highest chance of a label of the group that it was not given; shape (rows,)."""
    parts = [
        likeliest_other(probabilities(logits[rows], temperature), group.labels)[1] for rows in blocks(logits)
    ]
    return np.concatenate([np.empty(0), *parts])


def likeliest_other(chances: Array, labels: Sequence[int]) -> tuple[Truths, Array]:
    """Return the likeliest of the labels that is not the row's own, and its chance, both of shape (rows,).

    `chances` has shape (rows, classes); a row's own label is its likeliest of all. The chance is 0 where the
    only one of the labels is the row's own.
    """
    numbers = np.asarray(labels)
    others = np.where(numbers == chances.argmax(axis=1)[:, None], 0.0, chances[:, numbers])
    best = others.argmax(axis=1)
    return numbers[best], others[np.arange(len(others)), best]


def falling_limits(
    watched: Sequence[Group], chances: Sequence[Array], outcomes: Sequence[Outcome]
) -> list[list[float]]:
    """Return, for each outcome of a rising threshold, the limit of each group.

    A row labelled otherwise goes to a person when it has more than this chance of a label of the group. A
    limit never rises with the threshold, so that no row is accepted at a higher target only.
    """
    limits = np.array(
        [[limit(*each, outcome) for each in zip(watched, chances, strict=True)] for outcome in outcomes]
    )
    falling: list[list[float]] = np.minimum.accumulate(limits, axis=0).tolist()
    return falling


def limit(group: Group, chances: Array, outcome: Outcome) -> float:
    """Return the highest limit that keeps the group's recall with 95% assurance.

    It is never so low that more than `most_sent` of the rows are sent. `chances` are those of
    `group_chances`.
    """
    return max(_needed(group, chances, outcome), _affordable(group, chances, outcome))


def _needed(group: Group, chances: Array, outcome: Outcome) -> float:
    """Return the limit that leaves no more rows accepted wrongly than the recall allows.

    Too few rows cannot show the recall, even when none is left. Then the least chance of any of them is
    lowered in proportion: from the share that may be missed all the same (its upper bound) to the share
    allowed. That extrapolates the lower tail of the chances; docs/decisions.md says how it did. Without any
    row, no chance is small enough.
    """
    members = np.isin(outcome.truths, group.labels)
    rows, members = int(members.sum()), members & (outcome.accepted | outcome.correct)
    own = np.sort(np.where(outcome.correct, outcome.confidences, chances)[members])
    if not rows or not len(own):
        return 1.0 if rows else 0.0
    allowed = most_wrong(rows, group.recall, RISK)
    if allowed is None:
        missed: float = 1 - RISK ** (1 / rows)
        return float(own[0]) * (1 - group.recall) / missed
    return float(np.nextafter(own[allowed], 0.0)) if allowed < len(own) else 1.0


def _affordable(group: Group, chances: Array, outcome: Outcome) -> float:
    """Return the lowest limit with which at most `most_sent` of all rows are sent."""
    of_accepted = np.sort(chances[outcome.accepted])[::-1]
    most = int(group.most_sent * len(chances))
    return float(of_accepted[most]) if most < len(of_accepted) else 0.0
