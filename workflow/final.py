"""The final file of a run: all rows in order with the category that counts, the model's or a person's."""

import csv
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import keys
from contract.columns import REMOVED
from contract.queue import NONE_OF_THESE, ResultsForm
from contract.spreadsheet import harmless
from contract.state import ResultCounts
from contract.text import count
from workflow import objects
from workflow.account import Account
from workflow.decisions import Decision, Decisions
from workflow.queue import read_index
from workflow.stack import Stack

MODEL = "model"  # that decided a row
COLUMNS = ("category", "decided_by", "decided_at")
LARGEST_CELL = 2**31 - 1


@dataclass(frozen=True)
class Counts:
    """What the final file has."""

    rows: int
    by_model: int
    by_people: int
    none: int
    """Of those by people, the ones that belong to none of the categories."""
    open: int
    """Rows that a person should decide and nobody has, and rows without a prediction."""


def write(account: Account, stack: Stack, folder: str, to: Path) -> tuple[Path, Counts]:
    """Write `FILE.final.csv` below `to`; returns its path and what it has. Another final file is replaced."""
    queue = read_index(account, stack, folder)
    decided = {each.number: each for each in Decisions(account.dynamodb, stack.decisions, folder).all()}
    to.mkdir(parents=True, exist_ok=True)
    path = to / keys.result_name(queue["file"], "final")
    with tempfile.TemporaryDirectory(dir=to, prefix=".claimflow-") as scratch:
        source, made = Path(scratch) / "results", Path(scratch) / "final"
        form = queue["results"]
        bucket, key = objects.place(form["uri"])
        account.s3.download_file(bucket, key, str(source))
        with made.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=form["delimiter"])
            counts = _write_rows(
                writer,
                records(source, form["format"], form["delimiter"], len(form["columns"])),
                form,
                decided,
            )
        made.replace(path)
    return path, counts


def expected(results: ResultCounts, decisions: Iterable[Decision]) -> Counts:
    """Return what the final file of a run would have, by what the run counted and what was decided."""
    decided = [each for each in decisions if each.category is not None]
    by_model = results["accepted"] - sum(each.audit for each in decided)
    none = sum(each.category == NONE_OF_THESE for each in decided)
    return Counts(results["rows"], by_model, len(decided), none, results["rows"] - by_model - len(decided))


def sentence(counts: Counts) -> str:
    """Return in words who decided the rows.

    >>> sentence(Counts(1_200, 1_061, 100, 0, 39))
    '1,200 rows: 1,061 with the category of the model, 100 decided by people, 39 still open.'
    >>> sentence(Counts(6, 3, 3, 1, 0))
    '6 rows: 3 with the category of the model, 3 decided by people (1 of no category), 0 still open.'
    """
    none = f" ({counts.none:,} of no category)" if counts.none else ""
    return (
        f"{count(counts.rows, 'row')}: {counts.by_model:,} with the category of the model, "
        f"{counts.by_people:,} decided by people{none}, {counts.open:,} still open."
    )


def free(name: str, header: list[str]) -> str:
    """Return the name of a column that is added to a header, another one where it has that name."""
    return name if name not in header else f"final_{name}"


def _write_rows(
    writer: Any,  # noqa: ANN401  of the csv module
    records: Iterator[list[str]],
    form: ResultsForm,
    decided: dict[int, Decision],
) -> Counts:
    header = next(records)
    writer.writerow([*header, *(free(name, header) for name in COLUMNS)])
    by_model = by_people = none = rows = removed = 0
    for rows, cells in enumerate(records, 1):
        if cells[-1] == REMOVED:
            removed += 1
            continue
        final = _final(cells, form, decided.get(rows - 1))
        by_people += final[1] not in {"", MODEL}
        by_model += final[1] == MODEL
        none += final[0] == NONE_OF_THESE and final[1] != MODEL
        writer.writerow([*cells, *final])
    left = rows - removed
    return Counts(left, by_model, by_people, none, left - by_model - by_people)


def _final(cells: list[str], form: ResultsForm, decision: Decision | None) -> tuple[str, str, str]:
    """Return the category of a row, who decided it and when; all empty for a row that is open."""
    if decision and decision.category is not None:
        last = decision.changes[-1]
        return harmless(decision.category), harmless(last.by), last.at
    accepted = cells[form["review_column"]] == "false"
    return (cells[form["category_column"]], MODEL, "") if accepted else ("", "", "")


def records(path: Path, kind: str, delimiter: str, width: int) -> Iterator[list[str]]:
    """Yield header and rows of a file that Claimflow wrote for people.

    `kind` is csv or xlsx, `width` the number of columns.
    No cell of a workbook is left that a spreadsheet would run as a formula; those of a CSV file are none.
    """
    if kind == "xlsx":
        yield from _of_workbook(path, width)
        return
    csv.field_size_limit(LARGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.reader(file, delimiter=delimiter)


def _of_workbook(path: Path, width: int) -> Iterator[list[str]]:
    import openpyxl  # noqa: PLC0415  it loads NumPy, which no other command needs

    with path.open("rb") as file:
        book = openpyxl.load_workbook(file, read_only=True)
        for row in book.worksheets[0].iter_rows(max_col=width, values_only=True):
            yield ["" if cell is None else harmless(str(cell)) for cell in row]
