"""Finds out what separates the cells of a CSV file, from its header and its first rows together."""

import csv
import re

from contract.errors import InvalidData
from shared.reading import quoting
from shared.reading.reading import COMMA, MARKS

SAMPLE_LINES = 200
SAMPLE_CHARACTERS = 1_000_000
_HINT = re.compile(r'\s*"?sep=(.?)"?[,;|\s]*', re.IGNORECASE | re.DOTALL)


def hint(line: str) -> str | None:
    """Return the delimiter that Excel's first line `sep=;` names, or None for another line."""
    found = _HINT.fullmatch(line.rstrip("\r\n"))
    return found[1] if found and found[1] in MARKS else None


def delimiter(lines: list[str], name: str) -> str:
    """Return the delimiter.

    Args:
        lines: the first lines of the file, from its header
        name: the file's name

    Raises:
        InvalidData: header and rows contradict each other, or two delimiters fit equally well

    """
    fits = {mark: _fit(lines, mark) for mark in MARKS}
    found = {mark: fit for mark, (width, fit) in fits.items() if width > 1}
    sound = {mark: fit for mark, fit in found.items() if _is_sound(lines, mark)}
    found = sound or found
    if not found:
        _refuse_title(lines, name)
        return COMMA
    best, *others = sorted(found, key=lambda mark: -found[mark])
    if others and found[others[0]] * 2 > found[best]:
        raise InvalidData(
            f"{name}: both {MARKS[best]} and {MARKS[others[0]]} could separate the columns; put the line "
            f"sep={best} or sep={others[0]} above the header, or put cells that hold one of them in quotes."
        )
    _refuse_contradiction(lines, name, best, *fits[best])
    return best


def _refuse_title(lines: list[str], name: str) -> None:
    for mark in MARKS:
        widths = {len(cells) for cells in _records(lines, mark)[1:]}
        if len(widths) == 1 and (width := widths.pop()) > 1:
            raise InvalidData(title(name, f"{width} cells, separated by {MARKS[mark]}"))


def title(name: str, below: str) -> str:
    """Return the sentence for a first line of one cell above a table."""
    return (
        f"{name}: the first line has one cell, and the lines below it have {below}: if it is a title, "
        "remove it; if it names the only column, put each text in quotes."
    )


def _refuse_contradiction(lines: list[str], name: str, mark: str, width: int, fit: float) -> None:
    if fit > 0:
        return
    for other in MARKS:
        records = _records(lines, other)[1:]
        same_width = other != mark and records and all(len(cells) == width for cells in records)
        if same_width and _are_sound(lines[1:], other):
            raise InvalidData(
                f"{name}: the columns of the header are separated by {MARKS[mark]}, and those of the rows by "
                f"{MARKS[other]}; write the header with {MARKS[other]} too."
            )


def _is_sound(lines: list[str], mark: str) -> bool:
    """Return whether the header's quotes stand where they may: `"a;b",c` has them so for commas only."""
    return _sound_end("".join(lines), mark, 0) is not None


def _are_sound(lines: list[str], mark: str) -> bool:
    """Return whether the quotes of all records stand where they may."""
    text = "".join(lines)
    place: int | None = 0
    while place is not None and place < len(text):
        place = _sound_end(text, mark, place)
    return place is not None


def _sound_end(text: str, mark: str, start: int) -> int | None:
    """Return where a record ends, or None where its quotes do not stand where they may."""
    found = quoting.sound(mark).match(text, start)
    end = found.end() if found else start
    return end if end == len(text) or text[start:end].endswith(("\r", "\n")) else None


def _fit(lines: list[str], mark: str) -> tuple[int, float]:
    """Return the header's cells, and the share of rows that have as many; 1 without rows."""
    records = _records(lines, mark)
    if not records:
        return 0, 0.0
    width, rows = len(records[0]), records[1:]
    return width, sum(len(cells) == width for cells in rows) / len(rows) if rows else 1.0


def _records(lines: list[str], mark: str) -> list[list[str]]:
    """Return the records of the lines that are not blank, whatever is wrong with them."""
    csv.field_size_limit(2 * SAMPLE_CHARACTERS)
    try:
        return [cells for cells in csv.reader(lines, delimiter=mark, skipinitialspace=True) if any(cells)]
    except csv.Error:
        return [line.split(mark) for line in lines if line.strip()]
