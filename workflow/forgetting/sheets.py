"""Excel workbooks whose rows are taken out one by one; every other row stays as it is, byte for byte."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import IO, Self
from xml.etree import ElementTree as ET

from contract.plain import is_blank, plain
from workflow.forgetting.claims import is_removed
from workflow.forgetting.tables import Change, NotReadableError, Row

# What a workbook may hold to be rewritten: in any other part (comments, pivot tables, drawings) there may be
# copies of a row that nobody would find.
_KNOWN = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core|custom)\.xml|xl/workbook\.xml"
    r"|xl/_rels/workbook\.xml\.rels|xl/styles\.xml|xl/theme/[^/]+\.xml|xl/sharedStrings\.xml|xl/metadata\.xml"
    r"|xl/worksheets/[^/]+\.xml|xl/worksheets/_rels/[^/]+\.rels|xl/tables/[^/]+\.xml"
    r"|xl/printerSettings/[^/]+\.bin|.*/"
)
_SHEET, _STRINGS = re.compile(r"xl/worksheets/[^/]+\.xml"), "xl/sharedStrings.xml"
_NAME = r"(?:[A-Za-z_][\w.-]*:)?"
_ROW = (re.compile(rf"<{_NAME}row[\s/>]"), re.compile(rf"</{_NAME}row\s*>"))
_STRING = (re.compile(rf"<{_NAME}si[\s/>]"), re.compile(rf"</{_NAME}si\s*>"))
_EMPTY = re.compile(r"<[^>]*/>")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BLOCK = 1 << 20
_INDEX = re.compile(r"[A-Z]+")


@dataclass
class Workbook:
    """A workbook with at least one sheet that has the column."""

    path: Path
    column: str
    header: list[str]

    @classmethod
    def opened(cls, path: Path, column: str) -> Self | None:
        """Return the workbook, or None where no sheet has the column. Raises NotReadableError."""
        try:
            with zipfile.ZipFile(path) as book:
                strings = _strings(book)
                for name in _sheets(book):
                    header = next((cells for _, cells, _ in _cells(book, name, strings) if any(cells)), [])
                    if plain(column) in map(plain, header):
                        return cls(path, column, header)
        except (zipfile.BadZipFile, OSError) as error:
            raise NotReadableError(f"it is damaged ({error})") from error
        return None

    def rows(self) -> Iterator[Row]:
        """Yield the data rows of all sheets with the column. Raises NotReadableError."""
        with zipfile.ZipFile(self.path) as book:
            strings = _strings(book)
            for name in _sheets(book):
                for row, _ in self._rows(book, name, strings):
                    if row:
                        yield row

    def rewrite(self, to: Path, change: Change) -> int:
        """Write the file anew; returns how many rows were changed. Raises NotReadableError."""
        with zipfile.ZipFile(self.path) as book:
            _refuse_unknown(book)
            strings = _strings(book)
            changes = {name: self._changes(book, name, strings, change) for name in _sheets(book)}
            gone = self._unused_strings(book, strings, changes)
            with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as made:
                for member in book.infolist():
                    with book.open(member) as source, made.open(member.filename, "w") as target:
                        if member.filename in changes:
                            _copy(source, target, _ROW, changes[member.filename])
                        elif member.filename == _STRINGS and gone:
                            _copy(source, target, _STRING, dict.fromkeys(gone, "<si><t/></si>"))
                        else:
                            while block := source.read(_BLOCK):
                                target.write(block)
        self._check(to, change)
        return sum(map(len, changes.values()))

    def _rows(
        self, book: zipfile.ZipFile, name: str, strings: Sequence[str]
    ) -> Iterator[tuple[Row | None, int]]:
        """Yield the rows of a sheet, None for what is no data row, each with its place among the rows."""
        place, number = None, 0
        for position, (line, cells, _) in enumerate(_cells(book, name, strings)):
            if place is None or all(map(is_blank, cells)):
                names = [plain(cell) for cell in cells]
                if place is None and any(names):
                    if plain(self.column) not in names:
                        return
                    place = names.index(plain(self.column))
                yield None, position
                continue
            yield Row(number, line, cells, cells[place] if place < len(cells) else ""), position
            number += 1

    def _changes(
        self, book: zipfile.ZipFile, name: str, strings: Sequence[str], change: Change
    ) -> dict[int, str]:
        """Return what stands in the place of the rows of a sheet that change, by their places."""
        found: dict[int, str] = {}
        for row, position in self._rows(book, name, strings):
            if row is None:
                continue
            cells = change(row)
            if cells is not row.cells:
                found[position] = "" if cells is None else _written(cells)
        if found and b"hyperlink " in book.read(name)[-_BLOCK:]:
            raise NotReadableError("a sheet has links, which may hold copies of a row")
        return found

    def _unused_strings(
        self, book: zipfile.ZipFile, strings: Sequence[str], changes: dict[str, dict[int, str]]
    ) -> set[int]:
        """Return the numbers of the shared texts that only rows have that change."""
        kept: set[int] = set()
        gone: set[int] = set()
        for name, changed in changes.items():
            for position, (_, _, shared) in enumerate(_cells(book, name, strings)):
                (gone if position in changed else kept).update(shared)
        return gone - kept

    def _check(self, made: Path, change: Change) -> None:
        """Compare what was written with the file. Raises NotReadableError."""
        before = [row.cells for row in self.rows() if change(row) is row.cells]
        again = Workbook(made, self.column, self.header)
        if before != [row.cells for row in again.rows() if not is_removed(row.cells)]:
            raise NotReadableError("what was written is not the rest of the file")


def _refuse_unknown(book: zipfile.ZipFile) -> None:
    other = next((name for name in book.namelist() if not _KNOWN.fullmatch(name)), None)
    if other:
        raise NotReadableError(
            f"the workbook has more than tables ({other}), in which copies of a row may be: take the row out "
            "in a spreadsheet, save the sheet alone and upload it"
        )


def _sheets(book: zipfile.ZipFile) -> list[str]:
    return [name for name in book.namelist() if _SHEET.fullmatch(name)]


def _written(cells: Sequence[str]) -> str:
    """Return a row of texts, without a number: for workbooks of Claimflow, whose rows have none."""
    made = (f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' if cell else "<c/>" for cell in cells)
    return f"<row>{''.join(made)}</row>"


def _strings(book: zipfile.ZipFile) -> list[str]:
    if _STRINGS not in book.namelist():
        return []
    with book.open(_STRINGS) as file:
        return [_text(element) for element in _elements(file, _STRING)]


def _cells(
    book: zipfile.ZipFile, name: str, strings: Sequence[str]
) -> Iterator[tuple[int, list[str], set[int]]]:
    """Yield each row's number, its cells, and the numbers of the shared texts in them."""
    line = 0
    with book.open(name) as file:
        for element in _elements(file, _ROW):
            line = int(element.get("r") or line + 1)
            cells: list[str] = []
            shared: set[int] = set()
            for cell in element:
                place = _column(cell.get("r")) if cell.get("r") else len(cells)
                cells += [""] * (place - len(cells))
                if cell.get("t") == "s":
                    index = int(_value(cell) or -1)
                    shared.add(index)
                    cells.append(strings[index] if 0 <= index < len(strings) else "")
                else:
                    inline = next((each for each in cell if _tag(each) == "is"), None)
                    cells.append(_value(cell) if inline is None else _text(inline))
            yield line, cells, shared


def _column(reference: str | None) -> int:
    found = _INDEX.match(reference or "")
    number = 0
    for letter in found[0] if found else "A":
        number = 26 * number + ord(letter) - 64
    return number - 1


def _value(cell: ET.Element) -> str:
    value = next((each.text or "" for each in cell if _tag(each) == "v"), "")
    return value.removesuffix(".0") if cell.get("t", "n") == "n" else _unescaped(value)


def _text(element: ET.Element) -> str:
    """Return the text of a cell, without what only says how it is pronounced."""
    texts = [each for each in element if _tag(each) != "rPh"]
    return _unescaped("".join(t.text or "" for each in texts for t in each.iter() if _tag(t) == "t"))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _tag(element: ET.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _elements(file: IO[bytes], marks: tuple[re.Pattern[str], re.Pattern[str]]) -> Iterator[ET.Element]:
    root = None
    for text, is_element in _pieces(file, marks):
        if root is None:
            root = _root(text)
        if is_element:
            try:
                yield ET.fromstring(f"{root[0]}{text}</{root[1]}>".encode("latin-1"))[0]  # noqa: S314  no DTD
            except ET.ParseError as error:
                raise NotReadableError(f"its XML is damaged ({error})") from error


def _root(head: str) -> tuple[str, str]:
    """Return the start tag of a part, which declares its names, and the tag's name."""
    if "<!" in head:
        raise NotReadableError("its XML declares a document type")
    found = re.search(r"<([A-Za-z_][\w.:-]*)(\s[^>]*)?>", head)
    if not found:
        raise NotReadableError("its XML is damaged")
    return found[0], found[1]


def _copy(
    source: IO[bytes],
    target: IO[bytes],
    marks: tuple[re.Pattern[str], re.Pattern[str]],
    changes: dict[int, str],
) -> None:
    """Copy a part, but for the elements with these numbers, in whose place something else is written."""
    number = 0
    for text, is_element in _pieces(source, marks):
        target.write((changes.get(number, text) if is_element else text).encode("latin-1"))
        number += is_element


def _pieces(file: IO[bytes], marks: tuple[re.Pattern[str], re.Pattern[str]]) -> Iterator[tuple[str, bool]]:
    """Yield a part of a workbook in pieces, each an element or what stands between two of them."""
    begin, end = marks
    text, is_last, is_first = "", False, True
    while not is_last:
        block = file.read(_BLOCK)
        is_last = not block
        text += block.decode("latin-1")
        if is_first and "\x00" in text[:4]:
            raise NotReadableError("its XML is not UTF-8")
        is_first = False
        at = 0
        while opening := begin.search(text, at):
            closing = _EMPTY.match(text, opening.start()) or end.search(text, opening.end())
            if not closing:
                break
            yield text[at : opening.start()], False
            yield text[opening.start() : closing.end()], True
            at = closing.end()
        if is_last:
            yield text[at:], False
        elif at:
            text = text[at:]
