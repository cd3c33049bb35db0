"""Finds rows that a quote has swallowed: one that is never closed ends at the next that happens to fit.

`1,"Great⏎2,Good⏎3,12"⏎` is one row with a text of three lines, or three rows. A cell with line breaks is
suspected when each of its lines would be a row of the right width, and the file is refused when the cells of
those rows are of the kind that the other rows have: numbers in a column of numbers, or known values.
"""

import re

from contract.errors import InvalidData
from contract.text import count

SAMPLE_ROWS = 2_000
SUSPECTS = 100
CELL_CHARACTERS = 100
_NUMBER = re.compile(r"[-+#]?[A-Za-z]{0,4}[-_]?\d[\d.,:/-]*")


class Watch:
    """Learns from the first rows what each column holds, and judges the suspects when it knows."""

    def __init__(self, name: str, delimiter: str) -> None:
        """Watch the file called `name`."""
        self._name = name
        self._delimiter = delimiter
        self._width = 0
        self._sample: list[list[str]] = []
        self._suspects: list[tuple[int, list[list[str]]]] = []

    def learn(self, cells: list[str]) -> None:
        """Take in a record of one line: the header, then rows."""
        if len(self._sample) < SAMPLE_ROWS and cells:
            if not self._width:
                self._width = len(cells)
            elif len(cells) == self._width:
                self._sample.append(cells)

    def suspect(self, line: int, lines: list[str]) -> None:
        """Take in the lines of a record that has several."""
        between = self._width - 1
        if between < 1 or len(self._suspects) >= SUSPECTS or len(lines) > SAMPLE_ROWS:
            return
        if all(one.count(self._delimiter) == between for one in lines):
            rows = [[cell[:CELL_CHARACTERS] for cell in one.split(self._delimiter)] for one in lines]
            self._suspects.append((line, rows))

    def finish(self) -> None:
        """Raise InvalidData if a suspect is one."""
        columns = [
            {cell[:CELL_CHARACTERS].strip() for cell in column} for column in zip(*self._sample, strict=True)
        ]
        for line, rows in self._suspects:
            alike = (_alike(values, [row[at].strip() for row in rows]) for at, values in enumerate(columns))
            if any(alike) if columns else _is_no_prose(rows):
                below = count(len(rows) - 1, "line")
                raise InvalidData(
                    f"{self._name}, line {line}: the quote that opens here is closed {below} below, and the "
                    "lines look like rows of their own. If they are, remove the quote or close it; if they "
                    'are one text, write " // " in place of its line breaks.'
                )


def _is_no_prose(rows: list[list[str]]) -> bool:
    """Return whether only one quote opens and no blank follows a separator, if no other rows can tell."""
    cells = [cell for row in rows for cell in row]
    return "".join(cells).count('"') == 2 and all(cell and not cell.startswith(" ") for cell in cells)


def _alike(values: set[str], cells: list[str]) -> bool:
    if "" in cells:
        return False
    numbers = all(_NUMBER.fullmatch(value) for value in values if value)
    return values.issuperset(cells) or (numbers and any(values) and all(map(_NUMBER.fullmatch, cells)))
