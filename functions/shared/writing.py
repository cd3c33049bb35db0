"""Tables for people: CSV or a workbook, in the form in which the input came or which was asked for."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from contract.spreadsheet import csv_line, harmless
from shared.reading.quoting import CELL_LIMIT
from shared.reading.reading import MARKS, Reading
from shared.workbook import TooLarge, Workbook

_MARKS = "".join(MARKS)  # in quotes in the header, so that no reader doubts which one separates the cells
_CSV_TYPE = "text/csv; charset=utf-8"
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Form:
    """How a table is written."""

    format: Literal["csv", "xlsx"] = "csv"
    delimiter: str = ","
    byte_order_mark: bool = False

    @property
    def content_type(self) -> str:
        """The media type."""
        return _XLSX_TYPE if self.format == "xlsx" else _CSV_TYPE

    def extension(self, key: str) -> str:
        """Return the ending of a file's name; a file of tabs keeps that of the input, which tells of it."""
        ending = key.lower().removesuffix(".gz").rsplit(".", 1)[-1]
        keeps = self.delimiter == "\t" and ending in {"tsv", "tab", "txt"}
        return ending if keeps and self.format == "csv" else self.format


CSV = Form()


def form_of(reading: Reading, output: str | None) -> Form:
    """Return the form of the files for people.

    Spreadsheets know UTF-8 by its mark, so it stands where the input had one, or was in another encoding.
    JSON lines come back as CSV.

    Args:
        reading: how the input was read
        output: `csv`, `xlsx`, or None for the form in which the input came

    """
    if "xlsx" in (output, reading.format if output is None else ""):
        return Form("xlsx")
    if output == "csv":
        return Form(byte_order_mark=True)
    mark = reading.byte_order_mark or reading.encoding != "utf-8"
    return Form("csv", reading.delimiter if reading.format == "csv" else ",", mark)


def for_people(table: Path, form: Form) -> tuple[Path, Form]:
    """Write a CSV file of ours in the form that people want, beside it; as CSV when no workbook can hold it.

    Returns the new file and its form.
    """
    path = table.with_name(f"{table.stem}-for-people.{form.format}")
    csv.field_size_limit(CELL_LIMIT)
    try:
        with table.open(encoding="utf-8", newline="") as rows, TableFile(path, form) as file:
            for cells in csv.reader(rows):
                file.write(cells)
    except TooLarge:
        return for_people(table, Form(byte_order_mark=True))
    return path, form


class TableFile:
    """A table that is being written; each cell stands in it so that it cannot run as a formula."""

    def __init__(self, path: Path, form: Form) -> None:
        """Start the file at `path`."""
        self._delimiter = form.delimiter
        self._marks = _MARKS
        self._workbook = Workbook(path) if form.format == "xlsx" else None
        encoding = "utf-8-sig" if form.byte_order_mark else "utf-8"
        self._text = None if self._workbook else path.open("w", encoding=encoding, newline="")

    def __enter__(self) -> Self:
        """Return the file."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the file."""
        if self._text:
            self._text.close()
        elif self._workbook:
            self._workbook.close(whole=kind is None)

    def write(self, cells: Iterable[str]) -> None:
        """Add a row. Raises `shared.workbook.TooLarge` for what no workbook holds."""
        if self._text:
            self._text.write(csv_line(map(harmless, cells), self._delimiter, marks=self._marks) + "\r\n")
            self._marks = ""
        elif self._workbook:
            self._workbook.write(cells)
