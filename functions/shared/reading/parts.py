"""Reads the XML parts of a workbook as streams, in bounded memory: strings, formats, rows."""

import re
import zipfile
from collections.abc import Iterator
from typing import IO, NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from openpyxl.styles.numbers import BUILTIN_FORMATS

PART_LIMIT = 2_000_000_000  # bytes of a sheet when unpacked
TABLE_LIMIT = 256_000_000  # bytes of what has to be held in memory: strings, formats
ELEMENT_LIMIT = 64_000_000  # bytes of one row or string
COLUMN_LIMIT = 16_384
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ENDS = (b"</row>", b"</si>", b":row>", b":si>", b"</xf>", b"<c", b"<xf")


class BombError(Exception):
    """A part that is larger than any that a spreadsheet writes, or that declares entities."""


class Cell(NamedTuple):
    """A cell: its column from 0, its type, its style, its value as it stands, and whether it is a formula."""

    column: int
    kind: str
    style: int
    value: str | None
    formula: bool


def tree(archive: zipfile.ZipFile, path: str) -> Element:
    """Return a small part as a whole."""
    with _open(archive, path, TABLE_LIMIT) as part:
        return ElementTree.fromstring(part.read())  # noqa: S314 - _Guarded refuses entities


def strings(archive: zipfile.ZipFile, path: str) -> list[str]:
    """Return the shared strings of a workbook."""
    if path not in archive.namelist():
        return []
    with _open(archive, path, TABLE_LIMIT) as part:
        return [_text(item) for item in _items(part, "si")]


def formats(archive: zipfile.ZipFile, path: str) -> list[str]:
    """Return the number format of each style of a workbook."""
    if path not in archive.namelist():
        return []
    root = tree(archive, path)
    own = {item.get("numFmtId", ""): item.get("formatCode", "") for item in _found(root, "numFmt")}
    styles = next(_found(root, "cellXfs"), None)
    identifiers = [item.get("numFmtId", "0") for item in styles] if styles is not None else []
    return [own.get(one) or BUILTIN_FORMATS.get(int(one), "General") for one in identifiers]


def rows(archive: zipfile.ZipFile, path: str) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the rows of a sheet that have cells, each with its number."""
    number = 0
    with _open(archive, path, PART_LIMIT) as part:
        for row in _items(part, "row"):
            number = int(float(row.get("r") or number + 1))
            column = -1
            cells = []
            for element in row:
                if local(element) == "c":
                    column = _column(element.get("r", "")) if element.get("r") else column + 1
                    cells.append(_cell(element, column))
            yield number, cells


def unescaped(text: str) -> str:
    """Take off the escapes of characters that XML cannot hold, as in `_x000D_` and `_x005F_`."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def local(element: Element) -> str:
    """Return an element's name without its namespace: there are two, transitional and strict."""
    return str(element.tag).rsplit("}", 1)[-1]


def _cell(element: Element, column: int) -> Cell:
    value, formula = None, False
    for child in element:
        name = local(child)
        if name == "v":
            value = child.text or ""
        elif name == "is":
            value = _text(child)
        elif name == "f":
            formula = True
    if column >= COLUMN_LIMIT:
        raise ValueError("a column beyond the last")
    return Cell(column, element.get("t", "n"), int(element.get("s") or 0), value, formula)


def _column(reference: str) -> int:
    column = 0
    for letter in reference.rstrip("0123456789"):
        column = column * 26 + ord(letter.upper()) - 64
    return column - 1


def _text(item: Element) -> str:
    """Return a string's text: its own or that of its runs, without how it is to be spoken."""
    runs = (
        run for part in item for run in ([part] if local(part) == "t" else part if local(part) == "r" else [])
    )
    return unescaped("".join(run.text or "" for run in runs if local(run) == "t"))


def _found(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter() if local(element) == name)


def _items(part: IO[bytes], name: str) -> Iterator[Element]:
    """Yield each element of that name, and forget it and what came before."""
    open_elements: list[Element] = []
    for event, element in ElementTree.iterparse(part, events=("start", "end")):  # noqa: S314 - as above
        if event == "start":
            open_elements.append(element)
            continue
        open_elements.pop()
        if local(element) == name:
            yield element
            open_elements[-1].clear()


def _open(archive: zipfile.ZipFile, path: str, limit: int) -> "_Guarded":
    if archive.getinfo(path).file_size > limit:
        raise BombError(f"more than {limit:,} bytes in {path}")
    return _Guarded(archive.open(path))


class _Guarded:
    """A part that is read in pieces, each looked at before the parser sees it."""

    def __init__(self, part: IO[bytes]) -> None:
        self._part = part
        self._last = b""
        self._run = 0

    def __enter__(self) -> "IO[bytes]":
        return self  # type: ignore[return-value] # the parser only reads

    def __exit__(self, *_: object) -> None:
        self._part.close()

    def read(self, size: int = -1) -> bytes:
        piece = self._part.read(size)
        seen = self._last + piece
        if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
            raise BombError("declarations of entities")
        self._run = self._run + len(piece) if not any(end in piece for end in _ENDS[:4]) else 0
        if self._run > ELEMENT_LIMIT:
            raise BombError(f"more than {ELEMENT_LIMIT:,} bytes in one row")
        self._last = piece[-16:]
        return piece
