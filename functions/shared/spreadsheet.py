"""Cells for people who open a CSV in a spreadsheet: none may run as a formula."""

import csv
import io
import re
from collections.abc import Iterable

# A leading sign is fine in a number: -3, +1.5, -1,200.00, 2e-5, -12%.
_NUMBER = re.compile(r"[+-]?(\d[\d,]*(\.\d*)?|\.\d+)([eE][+-]?\d+)?%?")
_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """Give the cell, with a leading `'` if a spreadsheet would run it as a formula.

    The first characters are those that OWASP's page on CSV injection names.
    """
    if cell.startswith(_STARTS) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def csv_text(cells: Iterable[str]) -> str:
    """Give cells as they may stand in a line of a CSV file, without its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
