"""Checks rows, a chunk at a time, so that memory does not grow with the file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from contract.columns import LABEL, LINE, NO_TEXT, ROW, TEXT, TEXT_LIMIT, TOO_LONG
from contract.plain import is_blank
from contract.queue import NONE_OF_THESE
from shared.table import Row, Table
from validate import widths
from validate.columns import Columns

LABEL_LIMIT = 200  # characters
CHUNK_ROWS = 20_000
CHUNK_CHARACTERS = 16_000_000

WRONG_WIDTH = "wrong number of cells"
NO_LABEL = "no category"
NOWHERE = "none of the categories, as a person said"
LABEL_TOO_LONG = "category too long"
LONE = "the only usable row of its category"
SUPERSEDED = "its text stands in a later file"


class Rejected(NamedTuple):
    """A row that is left out. `reason` starts with one of the kinds above; details follow a colon."""

    line: int
    reason: str
    cells: list[str]

    @property
    def kind(self) -> str:
        """The reason without its details."""
        return self.reason.split(":", 1)[0]


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file: the usable ones as a frame (`row`, `line`, `text`, `label`), and the others."""

    usable: pd.DataFrame
    rejected: list[Rejected]


def chunks(table: Table, columns: Columns, *, labelled: bool) -> Iterator[Chunk]:
    """Check the rows of a file; `labelled` rows need a label."""
    for rows in _batches(table):
        yield _check(rows, table.header, columns, labelled=labelled)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += sum(map(len, row.cells)) + len(row.cells)
        if len(batch) >= CHUNK_ROWS or characters >= CHUNK_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _check(rows: list[Row], header: list[str], columns: Columns, *, labelled: bool) -> Chunk:
    fitted = list(widths.fitted(rows, header, _needed(columns, labelled=labelled)))
    complete = [row for row in fitted if row is not None]
    rejected = [
        _wrong_width(row, len(header)) for row, fits in zip(rows, fitted, strict=True) if fits is None
    ]
    frame = _frame(complete, columns)
    reasons = _reasons(frame, labelled=labelled)
    bad = reasons != ""
    rejected += [
        Rejected(complete[index].line, str(reasons.iat[index]), complete[index].cells)
        for index in bad.to_numpy().nonzero()[0]
    ]
    rejected.sort(key=lambda one: one.line)
    return Chunk(frame[~bad], rejected)


def _needed(columns: Columns, *, labelled: bool) -> int:
    """Return how many cells a row must have at least."""
    used = [columns.text.index, *([columns.label.index] if labelled and columns.label else [])]
    return max(used) + 1


def _frame(rows: list[Row], columns: Columns) -> pd.DataFrame:
    text, label = columns.text.index, columns.label.index if columns.label else None
    return pd.DataFrame(
        {
            ROW: pd.Series([row.number for row in rows], dtype="int64"),
            LINE: pd.Series([row.line for row in rows], dtype="int64"),
            TEXT: pd.Series([row.cells[text] for row in rows], dtype="object"),
            LABEL: pd.Series(
                ["" if label is None else row.cells[label].strip() for row in rows], dtype="object"
            ),
        }
    )


def _reasons(frame: pd.DataFrame, *, labelled: bool) -> "pd.Series[str]":
    """Return the reason to reject each row, or an empty string. The first reason found stands."""
    reasons: pd.Series[str] = pd.Series("", index=frame.index, dtype="object")
    _refuse_longer(reasons, frame[TEXT], TEXT_LIMIT, TOO_LONG)
    if labelled:
        _refuse_longer(reasons, frame[LABEL], LABEL_LIMIT, LABEL_TOO_LONG)
        reasons[frame[LABEL].map(is_blank).astype(bool)] = NO_LABEL
        reasons[frame[LABEL] == NONE_OF_THESE] = NOWHERE
    reasons[frame[TEXT].map(is_blank).astype(bool)] = NO_TEXT
    return reasons


def _refuse_longer(reasons: "pd.Series[str]", cells: "pd.Series[str]", limit: int, kind: str) -> None:
    lengths = cells.str.len()
    too_long = lengths > limit
    reasons[too_long] = np.array(
        [f"{kind}: {n:,} characters, at most {limit:,}" for n in lengths[too_long]], dtype=object
    )


def _wrong_width(row: Row, width: int) -> Rejected:
    return Rejected(row.line, f"{WRONG_WIDTH}: {len(row.cells)}, the header has {width}", row.cells)
