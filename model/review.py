"""Why a person should look at a row: the one order in which the reasons are decided."""

from collections.abc import Sequence

import numpy as np

from contract.part import LOW_CONFIDENCE, MAY_BE, NOTHING_ACCEPTED, UNFAMILIAR
from contract.text import shorten
from model.calibration import Array, Flags
from model.classifier import Decision
from model.watched import likeliest_other

LABEL_SHOWN = 60  # characters of it


def review_reasons(decision: Decision, chances: Array, unlike: Flags, labels: Sequence[str]) -> list[str]:
    """Return why a person should look at each row; empty: the row is accepted.

    `chances` are calibrated, shape (rows, classes); `unlike`, shape (rows,), are the rows that are unlike the
    training texts; `labels` are in the order of the classes.
    """
    reasons = np.full(len(chances), "", dtype=object)
    for group in reversed(decision.watched):  # so that of two reasons the first group's stands
        numbers, of_group = likeliest_other(chances, group.labels)
        for row in np.flatnonzero(of_group > group.chance).tolist():
            reasons[row] = may_be(labels[numbers[row]])
    if decision.threshold is None:
        reasons[:] = NOTHING_ACCEPTED
    else:
        reasons[chances.max(axis=1) < decision.threshold] = LOW_CONFIDENCE
    reasons[unlike] = UNFAMILIAR
    named: list[str] = reasons.tolist()
    return named


def may_be(label: str) -> str:
    """Return the reason of a row that may be of a watched category.

    >>> may_be("Fire")
    'may be another category: Fire'
    """
    return f"{MAY_BE}: {shorten(label, LABEL_SHOWN)}"
