"""Cross-fitting: every training row is scored by a model that has learned without it.

The rows fall into folds by their texts; one model a fold learns from all others (Stone 1974,
"Cross-validatory choice and assessment of statistical predictions"). What comes out judges and calibrates the
model that has learned from all rows, without a row being kept from it.
"""

import dataclasses
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from model.data import Numbers
from model.parts.part import Fitted, Rows, Scores
from model.texts import Hashes

if TYPE_CHECKING:
    from model.training import Session

SPREAD = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing: its upper bits do not follow those of the hash


class Fit(Protocol):
    """Fits a part to rows."""

    def __call__(self, rows: Rows, *, session: "Session") -> Fitted:
        """Return the fitted part."""


def folds(hashes: Hashes, count: int) -> Numbers:
    """Return the fold of each row, 0 to count - 1, by the hash of its text: the same text, the same fold."""
    spread = (hashes * SPREAD) >> np.uint64(33)
    return (spread % np.uint64(count)).astype(np.int64)


def out_of_fold(fit: Fit, rows: Rows, session: "Session") -> Scores | None:
    """Return the scores of every training row, in order, from parts fitted without its fold, one by one.

    None where the rows have no folds. Checkpoints of a fold lie in a folder of its own.
    """
    if rows.folds is None:
        return None
    scores = []
    for fold in np.unique(rows.folds).tolist():
        session.say(f"Cross-fitting, fold {fold + 1} of {rows.folds.max() + 1}")
        inside = rows.folds != fold
        checkpoints = session.checkpoints / f"fold-{fold}" if session.checkpoints else None
        others = dataclasses.replace(rows.only(inside), folds=None)
        part = fit(others, session=dataclasses.replace(session, checkpoints=checkpoints)).part
        scores.append(part.score(list(itertools.compress(rows.texts(), ~inside))))
    return in_order(scores, rows.folds)


def in_order(scores: Iterable[Scores], of_rows: Numbers) -> Scores:
    """Put the scores of fold 0, 1, … into the order of the rows, whose folds are `of_rows`."""
    order = np.argsort(np.argsort(of_rows, kind="stable"), kind="stable")
    columns = zip(
        *((each.logits, each.in_vocabulary_ratios, each.similarities) for each in scores), strict=True
    )
    return Scores(*(np.concatenate(column)[order] for column in columns))
