r"""Reads the records that RFC 4180 does not allow, where they have only one meaning, and refuses the others.

One meaning have: blanks around a quoted cell (`a, "b, c"`), a quote inside a cell that opens with none
(`12" pipe`), a cell that begins with a quotation (`"Great" pump`), and a byte order mark before a quote. A
quote that is never closed, or that opens in one cell and closes in another, has more than one.
"""

import re
from collections.abc import Callable

CELL_LIMIT = 10_000_000  # characters; a quote that is never closed must not fill the memory
GUESS_LIMIT = 200_000  # characters of a cell whose quote stands behind blanks

_OPENS = re.compile(r'(?:^|[\s(\[])"[^\s"][^"]*$')
_CLOSES = re.compile(r'^[^"]*[^\s"\d]"(?=$|[\s).,;:!?\]])')
_OTHER_QUOTES = re.compile("[„“”]")


class Mistake(Exception):  # noqa: N818 - it is one of the file's writer
    """A quoting mistake: what it is, and before which character of the record the cell's quote stands."""

    def __init__(self, problem: str, offset: int) -> None:
        """Keep the words that follow "the cell whose quote opens here"."""
        super().__init__(problem)
        self.problem = problem
        self.offset = offset


def sound(delimiter: str) -> re.Pattern[str]:
    """Return the pattern of a record that follows RFC 4180."""
    cell = rf'(?:"(?:[^"]++|"")*+"|[^"{re.escape(delimiter)}\r\n]*+)'
    return re.compile(rf"{cell}(?:{re.escape(delimiter)}{cell})*+[\r\n]*+")


def cells_of(record: str, delimiter: str, more: Callable[[], str | None]) -> list[str]:
    """Read a record.

    Args:
        record: its lines
        delimiter: what separates its cells
        more: gives the next line of the file, or None at its end

    Raises:
        Mistake: it has more than one meaning

    """
    blanks = r"[ \xa0]*" if delimiter == "\t" else r"[ \t\xa0]*"
    opening, closing = re.compile(rf'{blanks}"'), re.compile(rf"{blanks}({re.escape(delimiter)}|[\r\n]+|\Z)")
    plain = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
    cells: list[str] = []
    position = 1 if record.startswith('\ufeff"') else 0
    while True:
        quoted = opening.match(record, position)
        if quoted:
            record, end = _closed(record, quoted.end(), quoted.end() - 1 - position, more)
            cell = record[quoted.end() : end].replace('""', '"')
            after = closing.match(record, end + 1)
        if not quoted or after is None:
            bare = plain.match(record, position)
            assert bare is not None  # noqa: S101 - the pattern matches nothing, too
            if quoted and not _begins_with_a_quotation(bare[0], end - position):
                raise Mistake("is followed by more text", quoted.end() - 1)
            cell = bare[0]
            after = closing.match(record, bare.end())
            assert after is not None  # noqa: S101
        cells.append(cell)
        position = after.end()
        if after[1] != delimiter:
            _refuse_quote_across_cells(cells, record)
            return cells


def _begins_with_a_quotation(cell: str, end: int) -> bool:
    """Return whether a cell that opens with a quote is not a quoted one: it quotes a word, as `"Great" pump`.

    No separator stands in the quotation, which closes at `end`, and no quote ends the cell.
    """
    return end < len(cell) and cell.count('"') % 2 == 0 and not cell.rstrip().endswith('"')


def opens(cell: str) -> bool:
    """Return whether a quote opens inside a cell and does not close."""
    return cell.count('"') % 2 == 1 and not _OTHER_QUOTES.search(cell) and bool(_OPENS.search(cell))


def closes(cell: str) -> bool:
    """Return whether a quote closes inside a cell that opened in none before it. An inch mark does not."""
    return cell.count('"') % 2 == 1 and not _OTHER_QUOTES.search(cell) and bool(_CLOSES.search(cell))


def _closed(record: str, start: int, blanks: int, more: Callable[[], str | None]) -> tuple[str, int]:
    """Return the record, with the lines that it needed, and where the quote stands that closes the cell."""
    at = start
    while True:
        at = record.find('"', at)
        if at < 0:
            line = None if len(record) > (GUESS_LIMIT if blanks else CELL_LIMIT) else more()
            if line is None:
                raise Mistake("is never closed", start - 1)
            at = len(record)
            record += line
        elif record.startswith('"', at + 1):
            at += 2
        else:
            return record, at


def _refuse_quote_across_cells(cells: list[str], record: str) -> None:
    opened = next((index for index, cell in enumerate(cells) if opens(cell)), None)
    if opened is not None and any(closes(cell) for cell in cells[opened + 1 :]):
        raise Mistake("closes in another cell", record.find(cells[opened]))
