"""Cross-fitting: every training row is scored by a model that has learned without it.

The rows fall into folds by their texts; one model a fold learns from all others (Stone 1974,
"Cross-validatory choice and assessment of statistical predictions"). What comes out judges and calibrates the
model that has learned from all rows, without a row being kept from it.
"""

import dataclasses
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from model.calibration import Flags
from model.config import Config
from model.data import Numbers
from model.parts.part import Fitted, Part, Rows, Scores
from model.texts import Hashes

if TYPE_CHECKING:
    from model.training import Session

SPREAD = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing: its upper bits do not follow those of the hash


def folds(hashes: Hashes, count: int) -> Numbers:
    """Return the fold of each row, 0 to count - 1, by the hash of its text: the same text, the same fold."""
    spread = (hashes * SPREAD) >> np.uint64(33)
    return (spread % np.uint64(count)).astype(np.int64)


def fit(part: type[Part], rows: Rows, config: Config, session: "Session") -> Fitted:
    """Return a part of this kind, fitted to all training rows; with folds, also scores out of fold.

    Raises the errors of `Part.fit`.
    """
    fitted = part.fit(rows, config, session)
    if rows.folds is None or fitted.out_of_fold is not None:
        return fitted
    return dataclasses.replace(fitted, out_of_fold=_fold_by_fold(part, rows, rows.folds, config, session))


def tellable(labels: Numbers, of_rows: Numbers) -> Flags:
    """Return which rows have a label that rows of another fold have, too, shape (rows,).

    No model that has not seen its fold can label another row right, so nothing is chosen by it.
    """
    pairs = np.unique(np.stack([labels, of_rows]), axis=1)
    folds_of_label = np.bincount(pairs[0], minlength=int(labels.max(initial=0)) + 1)
    told: Flags = folds_of_label[labels] > 1
    return told


def in_order(scores: Iterable[Scores], of_rows: Numbers) -> Scores:
    """Put the scores of fold 0, 1, … into the order of the rows, whose folds are `of_rows`."""
    order = np.argsort(np.argsort(of_rows, kind="stable"), kind="stable")
    columns = zip(
        *((each.logits, each.in_vocabulary_ratios, each.similarities) for each in scores), strict=True
    )
    return Scores(*(np.concatenate(column)[order] for column in columns))


def _fold_by_fold(
    part: type[Part], rows: Rows, of_rows: Numbers, config: Config, session: "Session"
) -> Scores:
    """Fit the part without each fold in turn; checkpoints of a fold lie in a folder of its own."""
    scores = []
    for fold in np.unique(of_rows).tolist():
        session.say(f"Cross-fitting, fold {fold + 1} of {of_rows.max() + 1}")
        inside = of_rows != fold
        others = dataclasses.replace(rows.only(inside), folds=None)
        checkpoints = session.checkpoints / f"fold-{fold}" if session.checkpoints else None
        without = part.fit(others, config, dataclasses.replace(session, checkpoints=checkpoints)).part
        scores.append(without.score(list(itertools.compress(rows.texts(), ~inside))))
    return in_order(scores, of_rows)
