r"""The CSV reader: RFC 4180, exact line numbers, one row at a time.

Both `validate` and `collect` read the input with it, so that the number of a row means the same to both. A
blank line is no row. A *row number* counts data rows from 0; a *line* is the line of the file on which a row
starts, from 1.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from shared.encoding import SAVE_AS_CSV, has_byte_order_mark, text_lines, uncompressed
from shared.errors import InvalidData
from shared.messages import listed, shorten

CELL_LIMIT = 10_000_000  # characters; a quote that is never closed must not fill the memory
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


class Row(NamedTuple):
    """A data row."""

    number: int
    line: int
    cells: list[str]


class Table:
    """A CSV file whose header has been read; iterate once to get its rows.

    Raises InvalidData, here or while the rows are read, with a sentence that names the file and the line.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        """Read the header of `stream`; `name` is the file's name in the sentences."""
        csv.field_size_limit(CELL_LIMIT)
        self.name = name
        plain = uncompressed(stream, name)
        self.has_byte_order_mark = has_byte_order_mark(plain)
        self._record: list[str] = []
        self._reader = csv.reader(self._lines(text_lines(plain, name)), strict=True)
        self.header = self._read_header()

    def __iter__(self) -> Iterator[Row]:
        """Give the data rows in order."""
        number = 0
        while True:
            line, cells = self._next()
            if cells is None:
                return
            if cells:
                yield Row(number, line, cells)
                number += 1

    def _lines(self, lines: Iterator[str]) -> Iterator[str]:
        """Pass the lines on, and hold those of the current record: a quoting mistake is looked up in them."""
        for line in lines:
            self._record.append(line)
            yield line

    def _next(self) -> tuple[int, list[str] | None]:
        self._record.clear()
        line = self._reader.line_num + 1
        try:
            return line, next(self._reader, None)
        except csv.Error as error:
            raise InvalidData(self._mistake(line, too_long="field limit" in str(error))) from error

    def _mistake(self, line: int, *, too_long: bool) -> str:
        end = self._reader.line_num
        behind, is_open = _scan(self._record)
        if too_long and not is_open:
            return f"{self.name}, line {end}: a cell is longer than {CELL_LIMIT:,} characters; shorten it."
        opened = line + behind
        if too_long:
            problem = (
                f"is longer than {CELL_LIMIT:,} characters, most likely because its quote is never closed"
            )
        elif is_open:
            problem = f"is never closed: the file ends, on line {end}, inside it"
        else:
            problem = f"is followed by more text, on line {end}, where a comma or the line's end is due"
        return (
            f"{self.name}, line {opened}: the cell whose quote opens here {problem}. Close it, and "
            "write a quote "
            'inside a quoted cell twice ("").'
        )

    def _read_header(self) -> list[str]:
        cells: list[str] | None = []
        while cells is not None and not cells:
            line, cells = self._next()
        if cells is None:
            raise InvalidData(f"{self.name} is empty; upload a CSV file whose first line names the columns.")
        self._refuse_excels_hint(cells, line)
        self._refuse_other_delimiter(cells, line)
        self._refuse_duplicates(cells, line)
        return cells

    def _refuse_excels_hint(self, cells: list[str], line: int) -> None:
        if ",".join(cells).strip().lower() == "sep=,":
            raise InvalidData(
                f"{self.name}, line {line}: 'sep=,' is a hint for Excel and names no column: remove the "
                "first line, and upload the file again."
            )

    def _refuse_other_delimiter(self, cells: list[str], line: int) -> None:
        found = [word for mark, word in _OTHER_DELIMITERS.items() if len(cells) == 1 and mark in cells[0]]
        if found:
            raise InvalidData(
                f"{self.name}, line {line}: the columns are separated by {found[0]}, not by commas: "
                f"{SAVE_AS_CSV}."
            )

    def _refuse_duplicates(self, cells: list[str], line: int) -> None:
        counts = Counter(cell.strip() for cell in cells if cell.strip())
        twice = [name for name, times in counts.items() if times > 1]
        if twice:
            raise InvalidData(
                f"{self.name}, line {line}: the header names {listed(twice)} more than once; give each "
                "column a "
                "name of its own."
            )
        if not counts:
            raise InvalidData(f"{self.name}, line {line}: the header names no column; the first line must.")


def find_column(header: list[str], wanted: str | None, common: tuple[str, ...]) -> tuple[int, str] | None:
    """Find a column: the one that is wanted, else the first of the common names; case is ignored.

    Returns:
        its index and how it was found (`"the configuration"` or `"a common name"`), or None

    """
    if wanted is not None and wanted in header:
        return header.index(wanted), "the configuration"
    names = [cell.strip().casefold() for cell in header]
    for candidate in (wanted,) if wanted is not None else common:
        if candidate.strip().casefold() in names:
            how = "a common name" if wanted is None else "the configuration"
            return names.index(candidate.strip().casefold()), how
    return None


def named(header: list[str]) -> str:
    """Give the header's columns for a sentence, shortened: without a header they are a row."""
    return listed(shorten(cell, 24) for cell in header)


def _scan(lines: list[str]) -> tuple[int, bool]:
    """Walk a record as the csv module does, until its end or its mistake.

    Returns:
        the index of the line on which its last quoted cell opens, and whether it ends inside that cell

    """
    opened, state = 0, "start"
    for index, line in enumerate(lines):
        for character in line:
            if state == "quoted":
                state = "closing" if character == '"' else "quoted"
            elif state == "closing" and character == '"':
                state = "quoted"
            elif character in ",\r\n":
                state = "start"
            elif state == "closing":
                return opened, False
            elif state == "start" and character == '"':
                opened, state = index, "quoted"
            else:
                state = "plain"
    return opened, state == "quoted"
