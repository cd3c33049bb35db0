"""Compares a new model with the live one, on rows that neither has learned from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from contract.evaluation import Champion
from contract.plain import plain
from model import calibration
from model.calibration import Flags
from model.classifier import Classifier
from model.data import Row, read_folder
from model.prediction import predict
from model.texts import Hashes, hash_texts

LABELS_SHOWN = 20

Rows: TypeAlias = Callable[[], Iterator[Row]]


@dataclass(frozen=True)
class Contender:
    """A model, the texts that it learned from, and the rows that were held out to judge it.

    `learned` is None for a model that was saved before they were kept, and `held_out` where its rows are not
    known; the other's rows have to do then.
    """

    classifier: Classifier
    learned: Hashes | None = None
    held_out: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """Who has which of the compared rows right, each of shape (rows,)."""

    new: Flags
    live: Flags
    of_live: Flags  # rows that were held out for the live model only
    lost: Flags  # rows whose label the new model does not know


def compare(new: Contender, live: Contender) -> Champion:
    """Judge both models on the rows held out for either; return `champion` of evaluation.json.

    A row counts if neither model has learned from its text, and each text once; where both files have it,
    the new file's label stands. A label that a model does not know counts as wrong.
    """
    from_new, from_live = _chosen(new, live)

    def rows() -> Iterator[Row]:
        yield from _kept(new.held_out, from_new)
        yield from _kept(live.held_out, from_live)

    known = {plain(label) for label in new.classifier.labels}
    lost = [label for label in live.classifier.labels if plain(label) not in known]
    outcome = Outcome(
        new=_right(new.classifier, rows),
        live=_right(live.classifier, rows),
        of_live=np.arange(from_new.sum() + from_live.sum()) >= from_new.sum(),
        lost=np.array([plain(row.label) not in known for row in rows()], dtype=bool),
    )
    return figures(outcome, lost)


def figures(outcome: Outcome, lost: Sequence[str] = ()) -> Champion:
    """Count an outcome; `lost` are the labels of the live model that the new one does not know."""
    new, live = outcome.new, outcome.live
    only_new, only_live = int((new & ~live).sum()), int((live & ~new).sum())
    new_accuracy, new_interval = _share(new)
    accuracy, interval = _share(live)
    return {
        "rows": len(new),
        "rows_of_live": int(outcome.of_live.sum()),
        "new_accuracy": new_accuracy,
        "new_accuracy_interval": new_interval,
        "accuracy": accuracy,
        "accuracy_interval": interval,
        "both_right": int((new & live).sum()),
        "only_new_right": only_new,
        "only_live_right": only_live,
        "both_wrong": int((~new & ~live).sum()),
        "p_value": float(f"{calibration.chance_difference(only_new, only_live):.4g}"),
        "lost": {
            "labels": list(lost)[:LABELS_SHOWN],
            "count": len(lost),
            "rows": int(outcome.lost.sum()),
            "live_right": int((outcome.lost & live).sum()),
        },
    }


def _chosen(new: Contender, live: Contender) -> tuple[Flags, Flags]:
    """Return which rows of the one and of the other are compared."""
    of_new, of_live = _hashes(new.held_out), _hashes(live.held_out)
    from_new, from_live = _first(of_new), _first(of_live) & ~np.isin(of_live, of_new)
    if live.learned is not None:
        from_new &= ~np.isin(of_new, live.learned)
    if new.learned is not None:
        from_live &= ~np.isin(of_live, new.learned)
    return from_new, from_live


def _hashes(folder: Path | None) -> Hashes:
    return hash_texts(row.text for row in _rows(folder))


def _first(hashes: Hashes) -> Flags:
    """Return which rows are the first with their text."""
    first: npt.NDArray[np.bool_] = np.zeros(len(hashes), dtype=bool)
    first[np.unique(hashes, return_index=True)[1]] = True
    return first


def _rows(folder: Path | None) -> Iterator[Row]:
    return iter(()) if folder is None else read_folder(folder)


def _kept(folder: Path | None, chosen: Flags) -> Iterator[Row]:
    return (row for row, keep in zip(_rows(folder), chosen.tolist(), strict=True) if keep)


def _right(classifier: Classifier, rows: Rows) -> Flags:
    truths = (plain(row.label) for row in rows())
    found = (plain(each.prediction) for each in predict(classifier, rows()))
    return np.array([label == truth for label, truth in zip(found, truths, strict=True)], dtype=bool)


def _share(right: Flags) -> tuple[float | None, list[float] | None]:
    """Return the share of right rows and its interval, None without rows."""
    if not len(right):
        return None, None
    low, high = calibration.interval(int(right.sum()), len(right))
    return round(float(right.mean()), 6), [round(low, 6), round(high, 6)]
