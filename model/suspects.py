"""Which labelled rows probably have a wrong label, by what a model makes of them that has not seen them.

Confident learning (Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset
Labels"): the threshold of a label is the mean chance of it over the rows that have it. A row is a suspect
when the likeliest of the labels that reach their thresholds is not the one that it came with.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contract import evaluation
from contract.columns import SUSPECT, SuspectRow
from contract.text import shorten
from model.calibration import Array, Logits, Truths, blocks, probabilities
from model.data import Numbers, Row
from model.evaluation import TEXT_SHOWN

MOST_WRITTEN = 10_000  # rows, those of the lowest chance
MOST_CHARACTERS = 10_000_000  # of their texts: whoever hands them to people holds them in memory
SHOWN = 20


@dataclass(frozen=True)
class Suspects:
    """The rows that are worth a look, the lowest chance first; arrays of the shape (suspects,)."""

    places: Numbers
    """Of the rows among all that were looked at."""
    likely: Numbers
    """The label that is likelier."""
    chances: Array
    """Of the label that each row came with."""
    looked_at: int
    """Rows, these among them."""


def find(logits: Logits, labels: Truths, temperature: float) -> Suspects:
    """Return the suspects among rows with these logits, shape (rows, classes), and labels, shape (rows,)."""
    thresholds = _thresholds(logits, temperature, labels)
    likely, chances = np.empty(len(labels), dtype=np.int64), np.empty(len(labels))
    for rows in blocks(logits):
        chance = probabilities(logits[rows], temperature)
        chances[rows] = chance[np.arange(len(chance)), labels[rows]]
        reached = np.where(chance >= thresholds, chance, -1.0)
        likely[rows] = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), labels[rows])
    places = np.flatnonzero(likely != labels)
    order = places[np.argsort(chances[places], kind="stable")]
    return Suspects(order, likely[order], chances[order], len(labels))


def _thresholds(logits: Logits, temperature: float, labels: Truths) -> Array:
    """Return the mean chance of each label over the rows that have it; above 1 for one without rows."""
    classes = logits.shape[1]
    sums, counts = np.zeros(classes), np.bincount(labels, minlength=classes)
    for rows in blocks(logits):
        chance = probabilities(logits[rows], temperature)
        own = chance[np.arange(len(chance)), labels[rows]]
        sums += np.bincount(labels[rows], weights=own, minlength=classes)
    return np.where(counts, sums / np.maximum(counts, 1), 2.0)


def named(suspects: Suspects, rows: Iterable[Row], labels: tuple[str, ...]) -> list[SuspectRow]:
    """Return the first MOST_WRITTEN suspects for people; `rows` are all that were looked at, in order."""
    wanted = dict(zip(suspects.places[:MOST_WRITTEN].tolist(), range(MOST_WRITTEN), strict=False))
    found: dict[int, SuspectRow] = {}
    for place, row in enumerate(rows):
        if (rank := wanted.get(place)) is not None:
            likely, chance = labels[suspects.likely[rank]], round(float(suspects.chances[rank]), 6)
            found[rank] = SuspectRow(row.line, row.text, row.label, likely, chance, row.file)
    return [found[rank] for rank in sorted(found)]


def figures(suspects: Suspects, rows: list[SuspectRow]) -> evaluation.Suspects:
    """Return what evaluation.json tells of the suspects; `rows` are the first of them."""
    shown = list(map(_shown, rows[:SHOWN]))
    return {"rows": suspects.looked_at, "count": len(suspects.places), "shown": shown}


def _shown(row: SuspectRow) -> evaluation.Suspect:
    shown: evaluation.Suspect = {
        "line": row.line,
        "text": shorten(row.text, TEXT_SHOWN),
        "label": row.label,
        "likely": row.likely_label,
        "chance": row.chance,
    }
    return {**shown, "file": row.file} if row.file else shown


def write(path: Path, rows: Sequence[SuspectRow]) -> None:
    """Write the suspects as CSV, as far as MOST_CHARACTERS, for the function that hands them to people."""
    characters, width = 0, len(SUSPECT) if any(row.file for row in rows) else len(SUSPECT) - 1
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(SUSPECT[:width])
        for row in rows:
            characters += len(row.text)
            if characters > MOST_CHARACTERS:
                break
            writer.writerow(row[:width])
