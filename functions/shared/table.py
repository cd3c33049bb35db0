r"""A table in any format that is understood: its header, and its rows one at a time.

Both `validate` and `collect` read the input with it, so that the number of a row means the same to both. A
row without anything that can be seen, and a header that stands there again, is no row. A *row number* counts
data rows from 0; a *line* is the line of the file (the row of the sheet) on which a row starts, from 1.
"""

from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from contract.errors import InvalidData
from contract.plain import is_blank, plain
from contract.spreadsheet import original
from contract.text import count, listed, shorten
from shared.ours import is_ours
from shared.reading import formats
from shared.reading.reading import MARKS, Reading

_TITLE_ROWS = 10  # how far below a title its table's header is looked for


class Row(NamedTuple):
    """A data row."""

    number: int
    line: int
    cells: list[str]


class Table:
    """A file whose header has been read; iterate once to get its rows.

    Raises InvalidData, here or while the rows are read, with a sentence that names the file and the line.

    Attributes:
        name: of the file
        header: the names of the columns; some may be empty, some the same
        ours: whether Claimflow wrote the file; if it is a CSV file, the guard against formulas is taken off

    """

    def __init__(self, stream: BinaryIO, name: str, sheet: str | None = None) -> None:
        """Read the header of `stream`; `name` is the file's in the sentences, `sheet` which of a workbook."""
        self.name = name
        self._source = formats.opened(stream, name, sheet)
        self._records = self._source.records()
        self.header, self.header_line = self._read_header()
        self.ours = is_ours(self.header)
        self._guarded = self.ours and self.reading.format == "csv"
        if self._guarded:
            self.header = [original(cell) for cell in self.header]
        self._plain = [plain(cell) for cell in self.header]
        self._repeated: list[int] = []

    @property
    def reading(self) -> Reading:
        """How the file is read; final once all rows have been."""
        return self._source.reading

    @property
    def warnings(self) -> list[str]:
        """What was odd about the file and read all the same; complete once all rows have been read."""
        said = self.reading.described
        warnings = [f"{self.name} was read as {said}."] if said else []
        warnings += self._source.warnings
        if self._repeated:
            lines = ", ".join(f"{line:,}" for line in self._repeated[:5])
            more = ", …" if len(self._repeated) > 5 else ""
            times = count(len(self._repeated), "more line")
            warnings.append(
                f"The header stands on {times} ({lines}{more}), as in a file put together from several; "
                "those are no rows."
            )
        return warnings

    def __iter__(self) -> Iterator[Row]:
        """Yield the data rows in order."""
        number, guarded, alike = 0, self._guarded, self._like_a_header()
        for line, cells in self._records:
            if not cells or (is_blank(cells[0]) and all(map(is_blank, cells))):
                continue
            if _bare(cells[0]) in alike and self._is_header(line, cells):
                continue
            if number < _TITLE_ROWS:
                self._refuse_title(line, cells)
            yield Row(number, line, [original(cell) for cell in cells] if guarded else cells)
            number += 1

    def _read_header(self) -> tuple[list[str], int]:
        for line, cells in self._records:
            if not cells or (len(cells) == 1 and not cells[0].strip()):
                continue
            if all(map(is_blank, cells)):
                raise InvalidData(
                    f"{self.name}, line {line}: the header names no column; the first line must."
                )
            # Of two byte order marks, or one below Excel's hint, one is left.
            return [cells[0].lstrip("\ufeff"), *cells[1:]], line
        raise InvalidData(f"{self.name} is empty; upload a file whose first line names the columns.")

    def _refuse_title(self, line: int, cells: list[str]) -> None:
        """Refuse a first line that names the first column only, above a row that fills several others."""
        if not any(self._plain[1:]) and sum(not is_blank(cell) for cell in cells[1 : len(self._plain)]) > 1:
            raise InvalidData(
                f"{self.name}, line {self.header_line}: only the first of {len(self._plain)} columns has a "
                f"name ({listed(self.header[:1])}), and line {line} has cells in others: if it is a title, "
                "remove what stands above the line with the names; if it is a name, name the others too."
            )

    def _like_a_header(self) -> set[str]:
        """Return the first cells, as `_bare` leaves them, for which it is worth to look for a header."""
        hints = {f"sep={mark}" for mark in MARKS} | {"sep="}
        return {_bare(name) for name in self.header} | hints

    def _is_header(self, line: int, cells: list[str]) -> bool:
        """Return whether it is the header again, or Excel's hint; refuse the columns in another order."""
        forms = [plain(cell) for cell in cells]
        if forms[0].startswith("sep=") and not any(forms[1:]):
            return True
        if forms == self._plain:
            self._repeated.append(line)
            return True
        if len(forms) > 1 and Counter(forms) == Counter(self._plain):
            raise InvalidData(
                f"{self.name}, line {line}: the header stands here again, with the columns in another order; "
                "put the parts together by the names of their columns, or upload them one by one."
            )
        return False


def _bare(cell: str) -> str:
    return cell.strip("\ufeff \t").casefold()


def named(header: list[str]) -> str:
    """Return the header's columns for a sentence, shortened: without a header they are a row."""
    return listed(shorten(cell, 24) for cell in header)
