"""Which files may hold rows of a claim, by their keys, and what each is without them."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

from contract import keys
from contract.columns import LINE, RAW, ROW, TEXT
from workflow import decided
from workflow.forgetting import quotes
from workflow.forgetting.claims import Claim, removed
from workflow.forgetting.tables import MARKS, Change, NotReadableError, Row, Table, opened

Rewrite = Callable[[Path, Path, Claim], int]
"""Writes a file without a claim; returns how many of its rows or texts it had, by which it is changed."""

ARCHIVES = ("output.tar.gz", "model.tar.gz")
PREDICT_WORK = re.compile(rf"{re.escape(keys.RUNS_PREFIX)}[^/]+/{keys.PREDICT_FOLDER}/")
_CHANNEL = re.compile(rf"{re.escape(keys.RUNS_PREFIX)}[^/]+/[a-z_]+/{keys.PART}[0-9]+\.csv")
_QUEUE = re.compile(rf"(.*)/{keys.QUEUE_FOLDER}/rows[^/]*\.jsonl")


def has_column(bucket: str, key: str) -> bool:
    """Return whether a file may have the column itself; `bucket` is `uploads` or `results`."""
    name = key.rsplit("/", 1)[-1]
    if bucket == "uploads":
        return key != keys.CONFIG_KEY and name != decided.FILE
    return bucket == "results" and keys.kind(name).startswith(("results.", "review."))


def rewriting(bucket: str, key: str) -> Rewrite | None:
    """Return how a file that does not name its claims is rewritten; None: it holds nothing of them."""
    name = key.rsplit("/", 1)[-1]
    if bucket == "uploads":
        return _decided if name == decided.FILE else None
    if bucket == "artifacts":
        if name in ARCHIVES:
            return quotes.archive
        return _channel if _CHANNEL.fullmatch(key) else None
    return {
        "suspects": lambda path, to, claim: quotes.suspects(path, to, claim, keep_places=True),
        "rejected": _rejected,
        keys.REPORT: _page,
        keys.EVALUATION: _document,
        keys.CHECKS: _document,
    }.get(keys.kind(name).removesuffix(".csv").removesuffix(".xlsx"))


def queue_of(key: str) -> str | None:
    """Return the folder of the queue of which a file holds the rows, or None for another file."""
    found = _QUEUE.fullmatch(key)
    return found[1] if found else None


def by_column(path: Path, to: Path, claim: Claim, *, keep_places: bool) -> int:
    """Write a table with the column without the claim's rows; with `keep_places` they leave empty ones."""
    table = opened(path, claim.column)
    if table is None:
        return 0

    def change(row: Row) -> list[str] | None:
        if not claim.has(row):
            return row.cells
        return removed(len(table.header)) if keep_places else None

    return table.rewrite(to, change)


def without_copies(table: Table, claim: Claim, *, keep_places: bool) -> Change:
    """Return what takes the rows out that have the same text as a claim's row, and the same place."""
    line, row_number = (table.header.index(each) if each in table.header else None for each in (LINE, ROW))

    def change(row: Row) -> list[str] | None:
        at = None if line is None else _number(row.cells, line)
        number = None if row_number is None else _number(row.cells, row_number)
        if not claim.is_copy(row.value, line=at, number=number):
            return row.cells
        return removed(len(table.header)) if keep_places else None

    return change


def _number(cells: list[str], place: int) -> int | None:
    return int(cells[place]) if place < len(cells) and cells[place].isdecimal() else None


def _channel(path: Path, to: Path, claim: Claim) -> int:
    table = opened(path, TEXT, ",")
    return table.rewrite(to, without_copies(table, claim, keep_places=False)) if table else 0


def _rejected(path: Path, to: Path, claim: Claim) -> int:
    table = opened(path, RAW)
    if table is None:
        return 0
    place = table.header.index(LINE)

    def change(row: Row) -> list[str] | None:
        line = _number(row.cells, place)
        cells = (each for mark in MARKS for each in next(csv.reader([row.value], delimiter=mark), []))
        return None if line is not None and claim.is_raw(line, cells) else row.cells

    return table.rewrite(to, change)


def decided_copies(path: Path, claim: Claim) -> list[tuple[int, str]]:
    """Return line and text of the decided rows that are of a claim: they name the run and the row."""
    with path.open("rb") as source:
        rows = [(line, *_decided_row(raw)) for line, raw in enumerate(source, 1)]
    return [
        (line, text)
        for line, text, run, number in rows
        if number in claim.numbers.get(run, ()) or claim.is_copy(text, number=number)
    ]


def _decided(path: Path, to: Path, claim: Claim) -> int:
    gone = {line for line, _ in decided_copies(path, claim)}
    with path.open("rb") as source, to.open("wb") as target:
        target.writelines(raw for line, raw in enumerate(source, 1) if line not in gone)
    return len(gone)


def _decided_row(raw: bytes) -> tuple[str, str, int]:
    """Return text, run and number of a decided row."""
    try:
        text, _, run, number, _ = json.loads(raw).values()
    except (ValueError, AttributeError) as error:
        raise NotReadableError("it is no file of decided rows") from error
    return text, run, number


def _page(path: Path, to: Path, claim: Claim) -> int:
    content, found = quotes.page(path.read_bytes(), claim)
    to.write_bytes(content)
    return found


def _document(path: Path, to: Path, claim: Claim) -> int:
    content, found = quotes.document(path.read_bytes(), claim)
    to.write_bytes(content)
    return found
