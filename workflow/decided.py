"""The rows that people decided, as a labelled file: JSON lines, which keep every text as it is."""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from contract.plain import plain
from contract.queue import NONE_OF_THESE

FILE = "decided.jsonl"
ORIGIN = ("decided_run", "decided_row", "decided_at")  # the columns beside text and label


class DecidedRow(NamedTuple):
    """A row and what was decided of it."""

    text: str
    label: str | None
    """NONE_OF_THESE for a row of no category; None: the decision was taken back."""
    run: str
    """Under which its decision is kept."""
    row: int
    """Its number there, from 0."""
    at: str
    """When it was decided, in UTC, as ISO 8601."""


def merged(before: Iterable[DecidedRow], found: Iterable[DecidedRow]) -> list[DecidedRow]:
    """Return the rows to learn: what was `found` replaces what the same row was before.

    Of several decisions of one text the last counts, once; where that is NONE_OF_THESE, no row of the text is
    learned. The rows are in the order of their decisions.
    """
    by_row = {(each.run, each.row): each for each in (*before, *found)}
    in_order = sorted(by_row.values(), key=lambda each: (each.at, each.run, each.row))
    by_text: dict[str, DecidedRow] = {}
    for each in in_order:
        if each.label is not None:
            by_text[plain(each.text)] = each
    counting = {each for each in by_text.values() if each.label != NONE_OF_THESE}
    return [each for each in in_order if each in counting]


def write(rows: Iterable[DecidedRow], text_column: str, label_column: str) -> bytes:
    """Return the file; its columns are called as those of the file that the model learned from."""
    names = (text_column, label_column, *ORIGIN)
    lines = (json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
    return "".join(lines).encode()


def read(lines: Iterable[bytes]) -> Iterator[DecidedRow]:
    """Yield the rows of a file that `write` made."""
    for line in lines:
        yield DecidedRow(*json.loads(line).values())
