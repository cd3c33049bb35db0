"""Writes the results and the rows to review, and counts for the report; knows nothing of AWS."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import compress
from pathlib import Path

from collect.merge import Merged
from collect.queue import DISAGREES, QueueFiles, group_of
from collect.tally import Tally
from contract.columns import AGREES, BECAUSE, NEEDS_REVIEW, REASON, RESULTS, Judgement
from contract.masking import mask
from contract.part import Prediction, cell, level_columns, level_values
from contract.plain import plain
from contract.queue import QueueRow
from contract.spreadsheet import Number, csv_line
from shared.ours import free_name, unique
from shared.table import Row
from shared.writing import CSV, Form, TableFile

_FIELDS = (*Prediction._fields, *Judgement._fields)
_plain = lru_cache(50_000)(plain)


@dataclass(frozen=True)
class Output:
    """How the files are written.

    Attributes:
        header: the input's
        label: the index of the column with the given categories, or None
        text: the index of the column with the texts
        form: of the files
        explain: whether the column `because` is added
        categories: those of the model, as far as they are known
        model_version: of the model that labels
        mask: whether personal data is masked in the texts that the report shows
        levels: how many upper levels the model's hierarchy has

    """

    header: list[str]
    label: int | None
    text: int = 0
    form: Form = CSV
    explain: bool = False
    categories: frozenset[str] = frozenset()
    model_version: str = ""
    mask: bool = False
    levels: int = 0

    @cached_property
    def added(self) -> tuple[bool, ...]:
        """Which fields of prediction and judgement are added as columns."""
        wanted = {AGREES: self.label is not None, BECAUSE: self.explain}
        return tuple(name in RESULTS and wanted.get(name, True) for name in _FIELDS)

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns that are added, as they are called where the input has no such column."""
        names = list(compress(_FIELDS, self.added))
        at = names.index(NEEDS_REVIEW)
        return [*names[:at], *level_columns(self.levels), *names[at:]]

    @cached_property
    def columns(self) -> list[str]:
        """The names of all columns, none of them twice: the input's and those that are added."""
        names = unique(self.header)
        for name in self.names:
            names.append(free_name(name, {plain(other) for other in names}))
        return names

    def cells(self, prediction: Prediction, judgement: Judgement) -> list[str]:
        """Return the cells that are added to a predicted row."""
        values: list[str | float | None] = list(compress((*prediction, *judgement), self.added))
        if self.levels:
            at, found = self.names.index(NEEDS_REVIEW), level_values(prediction)
            columns = level_columns(self.levels)
            values[at - len(columns) : at - len(columns)] = [found.get(name, "") for name in columns]
        return [_shown(value) for value in values]

    def place(self, name: str) -> int:
        """Return the index of the column that holds a field of prediction or judgement."""
        return len(self.columns) - len(self.names) + self.names.index(name)

    @cached_property
    def reason(self) -> str:
        """The name of the column that only the rows to review have."""
        return free_name(REASON, {plain(other) for other in self.columns})

    def agrees(self, given: str, prediction: str) -> bool:
        """Return whether both are one category.

        They may differ by case, blanks, invisible characters or the way to write a number, unless the given
        one is another category of the model.
        """
        if given == prediction:
            return True
        return given not in self.categories and _plain(given) == _plain(prediction)


def write(merged: Iterable[Merged], output: Output, results: Path, review: Path, queue: QueueFiles) -> Tally:
    """Write every row to `results`, and those that a person should look at to `review` and `queue` too.

    The queue also gets to know the accepted rows, of which it draws some.
    """
    tally = Tally()
    with TableFile(results, output.form) as all_rows, TableFile(review, output.form) as to_review:
        all_rows.write(output.columns)
        to_review.write([*output.columns, output.reason])
        for cells, reason in _lines(merged, output, tally, queue):
            all_rows.write(cells)
            if reason:
                to_review.write([*cells, reason])
    return tally


def _lines(
    merged: Iterable[Merged], output: Output, tally: Tally, queue: QueueFiles
) -> Iterator[tuple[list[str], str]]:
    """Yield each row's cells, and the reason to look at it or an empty string."""
    for row, prediction, error, missing in merged:
        tally.rows += 1
        cells = _fitted(row.cells, len(output.header), output.form.delimiter)
        if prediction is None:
            if missing:
                tally.missing += 1
            else:
                tally.rejected[error.split(":", 1)[0]] += 1
            yield [*cells, *[""] * (len(output.columns) - len(cells) - 1), error], ""
            continue
        given = "" if output.label is None else cells[output.label].strip()
        given = given if _plain(given) else ""
        reason, agrees = _judge(tally, prediction, given, output)
        text = cells[output.text]
        tally.show(mask(text) if output.mask else text, prediction, reason)
        (queue.review if reason else queue.accept)(_queued(row, cells, prediction, reason))
        judgement = Judgement(bool(reason), agrees if given else None, output.model_version, "")
        yield [*cells, *output.cells(prediction, judgement)], reason


def _queued(row: Row, cells: list[str], prediction: Prediction, reason: str) -> QueueRow:
    return {
        "number": row.number,
        "line": row.line,
        "cells": cells,
        "prediction": prediction.prediction,
        "confidence": prediction.confidence,
        "second": prediction.runner_up,
        "decided": prediction.because,
        "reason": reason,
        "group": group_of(reason),
        "audit": not reason,
    }


def _fitted(cells: list[str], width: int, delimiter: str) -> list[str]:
    """Return as many cells as the header has: too few are filled up, and of too many none is lost.

    The last one then holds itself and all that follow, joined as CSV text (`a,"b, c",d`); such a row is
    rejected, so it has the reason beside it.
    """
    if len(cells) > width:
        return [*cells[: width - 1], csv_line(cells[width - 1 :], delimiter)]
    return [*cells, *[""] * (width - len(cells))]


def _judge(tally: Tally, prediction: Prediction, given: str, output: Output) -> tuple[str, bool]:
    """Count a predicted row; give the reason to look at it or an empty string, and whether it agrees."""
    agrees = bool(given) and output.agrees(given, prediction.prediction)
    reasons = [prediction.doubt] if prediction.doubt else []
    if given:
        tally.compare(given, prediction.prediction, agrees=agrees)
    if given and not agrees:
        reasons.append(f"{DISAGREES}: {given}")
    tally.count(prediction, [reason.split(":", 1)[0] for reason in reasons])
    return "; ".join(reasons), agrees


def _shown(value: str | float | None) -> str:
    """Return a value as a cell: shares as numbers, flags as `true` or `false`, what is not known as empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else Number(cell(value))
