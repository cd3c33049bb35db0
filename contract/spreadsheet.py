r"""Cells and lines of a CSV file for people who open it in a spreadsheet.

None of our cells may run as a formula, and each comes back as it was when the file is read again.
"""

import re
from collections.abc import Iterable

from contract.text import INVISIBLE

# What OWASP's page on CSV injection names, behind blanks and characters that nobody sees: = + - @ and their
# wide and small forms, tab, carriage return and line feed. Whatever stands behind apostrophes in that way
# is guarded too, so that the guard can be taken off again without a doubt.
_BLANK = f"\x0b\x0c\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000{INVISIBLE}"
_SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
_RISKY = re.compile(f"'*+([{_BLANK}]*+)([{_SIGNS}])")
# A leading sign is fine in a number: -3, +1.5, -1,200.00, -1.200,50, 2e-5, -12%.
_NUMBER = re.compile(r"[+-]?([0-9][0-9,.]*|[.,][0-9]+)([eE][+-]?[0-9]+)?%?")
GUARD = "'"


class Number(str):
    """A number as a workbook shows it: a cell that is written as a number again, where there are such."""

    __slots__ = ()


class Decimal(Number):
    """A number that a workbook shows with as many decimals as it has: 12.50."""

    __slots__ = ()


def harmless(cell: str) -> str:
    """Return the cell, with a `'` before it if a spreadsheet would run it as a formula.

    A number stays as it is. `original` is the exact inverse: `original(harmless(cell)) == cell` for every
    cell, one that begins with apostrophes of its own too.
    """
    return GUARD + cell if _is_risky(cell) else cell


def original(cell: str) -> str:
    """Return the cell as it was before `harmless`; for cells of CSV files that are ours (`shared.ours`)."""
    return cell[1:] if cell.startswith(GUARD) and _is_risky(cell) else cell


def csv_line(cells: Iterable[str], delimiter: str = ",", *, marks: str = "") -> str:
    r"""Return cells as a line of a CSV file, without its end.

    Cells are quoted by rules of ours and not by those of Python's csv module, which differ between its
    versions: a cell with a quote, a line end of any kind, the delimiter or one of `marks`, and one with a
    blank or a byte order mark at an edge, which some readers leave out.
    """
    written = [_quoted(cell) if _needs_quotes(cell, delimiter, marks) else cell for cell in cells]
    return delimiter.join(written) if written != [""] else '""'


def _needs_quotes(cell: str, delimiter: str, marks: str) -> bool:
    if not cell:
        return False
    inside = delimiter in cell or '"' in cell or "\n" in cell or "\r" in cell
    edges = cell[0].isspace() or cell[0] == "\ufeff" or cell[-1].isspace()
    return inside or edges or any(mark in cell for mark in marks)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _is_risky(cell: str) -> bool:
    match = _RISKY.match(cell)
    if match is None:
        return False
    number = match[2] in "+-" and _NUMBER.fullmatch(cell, match.end(1)) is not None
    # Of apostrophes before a number none is a guard: a number has none.
    return not number
