"""Fits rows that are narrower or wider than the header, where nothing can be lost or mixed up by it.

A surplus cell in which nothing stands falls away. Cells that are missing at the end are empty ones that a
spreadsheet left out, unless the row may be a piece of one that a line break in a text has cut up.
"""

import re
from collections.abc import Iterator, Sequence

from contract.plain import is_blank
from shared.table import Row

_NUMBER = re.compile(r"\s*[A-Za-z#]{0,4}[-_]?\d[\d.,:/-]*\s*")


def fitted(rows: Sequence[Row], header: Sequence[str], needed: int) -> Iterator[Row | None]:
    """Yield each row as wide as the header, or None for one that cannot be used.

    Args:
        rows: consecutive rows of the file
        header: the names of the columns
        needed: how many cells a row must have so that its text, and its category, are among them

    """
    width = len(header)
    named = max((index for index, name in enumerate(header) if not is_blank(name)), default=0) + 1
    broken = _broken([len(row.cells) for row in rows], named, rows) if _may_be_narrow(rows, named) else None
    for index, row in enumerate(rows):
        size = len(row.cells)
        if size == width:
            yield row
        elif size > width:
            surplus = any(not is_blank(cell) for cell in row.cells[width:])
            yield None if surplus else row._replace(cells=row.cells[:width])
        elif size >= named or (broken is not None and size >= needed and index not in broken):
            yield row._replace(cells=row.cells + [""] * (width - size))
        else:
            yield None


def _may_be_narrow(rows: Sequence[Row], width: int) -> bool:
    """Return whether the writer leaves empty cells at the end out: it never writes one."""
    return not any(len(row.cells) == width > 1 and not row.cells[-1] for row in rows)


def _broken(sizes: list[int], width: int, rows: Sequence[Row]) -> set[int]:
    """Return the rows that, with their neighbours, are as wide as one whole row."""
    numbered = _numbered(rows, width)
    broken: set[int] = set()
    first, between = 0, 0
    for last, size in enumerate(sizes):
        between += size - 1
        while first < last and between > width - 1:
            between -= sizes[first] - 1
            first += 1
        # Rows of one cell add no separator: those before the window belong to it as well.
        start = first
        while start > 0 and sizes[start - 1] == 1 and between == width - 1:
            start -= 1
        if (
            between == width - 1
            and last > start
            and not (numbered and all(map(_starts, rows[start : last + 1])))
        ):
            broken.update(index for index in range(start, last + 1) if sizes[index] < width)
    return broken


def _numbered(rows: Sequence[Row], width: int) -> bool:
    """Return whether the first column holds numbers."""
    whole = [row for row in rows if len(row.cells) == width] or rows
    return sum(map(_starts, whole)) >= 0.9 * len(whole)


def _starts(row: Row) -> bool:
    return _NUMBER.fullmatch(row.cells[0]) is not None
