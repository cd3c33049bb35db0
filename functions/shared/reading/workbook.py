"""Reads a sheet of an Excel workbook (.xlsx, .xlsm): its cells as shown, its rows as numbered."""

import io
import posixpath
import re
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from contract.errors import InvalidData
from contract.plain import plain
from contract.spreadsheet import Decimal, Number
from contract.text import listed
from shared.reading import parts, shown
from shared.reading.delimiter import title
from shared.reading.packing import blocks
from shared.reading.parts import BombError, Cell
from shared.reading.reading import Reading
from shared.reading.records import Record

FILE_LIMIT = 500_000_000  # bytes
MEMBER_LIMIT = 10_000
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,10})\.[0-9]{1,4}")
SAVE_AGAIN = "open it in a spreadsheet, save it as .xlsx again and upload that"
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, ParseError, EOFError, KeyError, ValueError, IndexError, OverflowError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
# What else comes as a zip archive, by a member that only it has.
_OTHERS = (
    ("xl/workbook.bin", f"is an Excel binary workbook (.xlsb): {SAVE_AGAIN}"),
    ("content.xml", f"is an OpenDocument file (.ods or .odt): {SAVE_AGAIN}"),
    ("word/document.xml", "is a Word document: copy its table into a spreadsheet and save that as .xlsx"),
    ("ppt/presentation.xml", "is a PowerPoint presentation: upload the table as .xlsx or CSV"),
    ("Index/Document.iwa", "is a Numbers or Pages document: export it as CSV or Excel and upload that"),
)  # fmt: skip


class Workbook:
    """A workbook of which one sheet is read."""

    def __init__(self, stream: io.BufferedReader, name: str, sheet: str | None) -> None:
        """Find the sheet called `sheet`, else the first that is visible."""
        self._name = name
        self._first = False  # whether the row before was the header
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=16_000_000)  # noqa: SIM115 - closed below
        weakref.finalize(self, self._file.close)
        self._spool(stream)
        with self._told():
            self._archive = zipfile.ZipFile(self._file)
            self._refuse_others()
            self._find(sheet)

    @property
    def reading(self) -> Reading:
        """How the file is read."""
        return Reading("xlsx", sheet=self._sheet)

    @property
    def warnings(self) -> list[str]:
        """The sheets that are not read."""
        others = [one for one in self._sheets if one != self._sheet]
        if not others:
            return []
        verb = "was" if len(others) == 1 else "were"
        return [
            f"Of {self._name} only the sheet '{self._sheet}' was read; {listed(others, 5)} {verb} not: name "
            "another with sheet in the configuration."
        ]

    def records(self) -> Iterator[Record]:
        """Yield each row that has cells, as wide as the header at least."""
        width = 0
        with self._told():
            strings = parts.strings(self._archive, self._beside("sharedStrings"))
            formats = parts.formats(self._archive, self._beside("styles"))
            for number, row in parts.rows(self._archive, self._path):
                cells = self._cells(number, row, strings, formats)
                if width == 1 < len(cells) and self._first:
                    raise InvalidData(title(self._name, f"{len(cells)} cells"))
                self._first = width == 0
                width = width or len(cells)
                yield number, cells + [""] * (width - len(cells))

    def _spool(self, stream: io.BufferedReader) -> None:
        left = FILE_LIMIT
        for piece in blocks(stream, self._name):
            left -= len(piece)
            if left < 0:
                raise InvalidData(
                    f"{self._name} is a workbook of more than {FILE_LIMIT:,} bytes: save the sheet as CSV "
                    "and upload that."
                )
            self._file.write(piece)
        self._file.seek(0)

    def _refuse_others(self) -> None:
        members = self._archive.namelist()
        if any(info.flag_bits & 1 for info in self._archive.infolist()):
            raise InvalidData(f"{self._name} has a password: save it without one and upload that.")
        if len(members) > MEMBER_LIMIT:
            raise BombError(f"{len(members):,} files in it")
        if "[Content_Types].xml" in members and any(name.endswith("workbook.xml") for name in members):
            return
        for member, said in _OTHERS:
            if member in members:
                raise InvalidData(f"{self._name} {said}.")
        files = [name for name in members if not name.endswith("/")]
        holds = f"that holds {listed(files, 3)}" if files else "with nothing in it"
        raise InvalidData(
            f"{self._name} is a zip archive {holds}: unpack it and upload the one file that has the texts."
        )

    def _find(self, sheet: str | None) -> None:
        self._folder, book = self._book()
        properties = next((one for one in book if parts.local(one) == "workbookPr"), None)
        self._from_1904 = properties is not None and properties.get("date1904", "0") in {"1", "true"}
        targets = self._targets()
        sheets = [one for one in book.iter() if parts.local(one) == "sheet"]
        paths = {one.get("name", ""): targets.get(_relation(one), "") for one in sheets}
        self._sheets = {name: path for name, path in paths.items() if path in self._archive.namelist()}
        visible = [one.get("name", "") for one in sheets if one.get("state", "visible") == "visible"]
        self._sheet = self._chosen(sheet, [name for name in visible if name in self._sheets])
        self._path = self._sheets[self._sheet]

    def _chosen(self, wanted: str | None, visible: list[str]) -> str:
        if wanted is None:
            return (visible or list(self._sheets))[0]
        same = [name for name in self._sheets if name == wanted] or [
            name for name in self._sheets if plain(name) == plain(wanted)
        ]
        if not same:
            raise InvalidData(
                f"{self._name} has no sheet '{wanted}', which the configuration names; it has "
                f"{listed(self._sheets)}. Correct sheet in the configuration, or leave it out for the first."
            )
        return same[0]

    def _book(self) -> tuple[str, Element]:
        path = next(name for name in self._archive.namelist() if name.endswith("workbook.xml"))
        return posixpath.dirname(path), parts.tree(self._archive, path)

    def _targets(self) -> dict[str, str]:
        """Return the path of each part that the workbook names."""
        path = posixpath.join(self._folder, "_rels/workbook.xml.rels")
        self._relations = {
            str(one.get("Id")): (
                str(one.get("Type")).rsplit("/", 1)[-1],
                posixpath.normpath(posixpath.join("/", self._folder, str(one.get("Target")))).lstrip("/"),
            )
            for one in parts.tree(self._archive, path)
        }
        return {key: target for key, (kind, target) in self._relations.items() if kind == "worksheet"}

    def _beside(self, kind: str) -> str:
        return next((path for one, path in self._relations.values() if one == kind), "")

    def _cells(self, number: int, row: list[Cell], strings: list[str], formats: list[str]) -> list[str]:
        cells: list[str] = []
        for cell in row:
            if cell.formula and not cell.value and cell.kind not in {"str", "inlineStr"}:
                raise InvalidData(
                    f"{self._name}, sheet '{self._sheet}', row {number:,}: a formula there has no value yet: "
                    f"{SAVE_AGAIN}."
                )
            if cell.value:
                cells += [""] * (cell.column + 1 - len(cells))
                cells[cell.column] = self._shown(cell, strings, formats)
        return cells

    def _shown(self, cell: Cell, strings: list[str], formats: list[str]) -> str:
        value = cell.value or ""
        if cell.kind == "s":
            return strings[int(value)]
        if cell.kind == "b":
            return "TRUE" if value in {"1", "true"} else "FALSE"
        if cell.kind == "n":
            number_format = formats[cell.style] if cell.style < len(formats) else shown.GENERAL
            text = shown.number(value, number_format, from_1904=self._from_1904)
            if number_format == shown.GENERAL:
                return Number(text) if float(text) == float(value) else text
            decimal = _DECIMAL.fullmatch(text) and not shown.is_date(number_format)
            return Decimal(text) if decimal and float(text) == float(value) else text
        return parts.unescaped(value) if cell.kind == "str" else value

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BombError as error:
            raise InvalidData(
                f"{self._name} is no workbook that a spreadsheet wrote ({error}): {SAVE_AGAIN}."
            ) from error
        except _DAMAGE as error:
            raise InvalidData(
                f"{self._name} is a damaged or unusual workbook ({type(error).__name__}): {SAVE_AGAIN}."
            ) from error


def _relation(sheet: Element) -> str:
    return next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
