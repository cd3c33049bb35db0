"""Tables whose rows are taken out one by one while every other row stays as it is, byte for byte.

Nothing is decoded that need not be: bytes are read as Latin-1, in which each has a letter of its own, so
what is kept is written as it was read, in whatever encoding it is. A file that can be read in two ways, or
whose quotes are wrong, is refused: a wrong guess would take somebody else's rows out.
"""

import codecs
import csv
import gzip
import hashlib
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, cast

from contract.columns import ALWAYS, REJECTED
from contract.plain import is_blank, plain
from contract.spreadsheet import csv_line, original

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
MARKS = ",;\t|"
HEAD_LINES = 200
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# What ß and a sign behind it become when they are read as UTF-8: letters that no file has alone.
_SHARP_S = re.compile("[\x00-\x7f\u07c0-\u07ff]*")
BLOCK = 1 << 20


class NotReadableError(Exception):
    """A file cannot be searched, or not be rewritten without a risk for other rows; the text says why."""


class Row(NamedTuple):
    """A data row."""

    number: int
    """Of the data rows of its file, from 0."""
    line: int
    """Line of the file (row of the sheet) on which it begins, from 1."""
    cells: list[str]
    value: str
    """Its cell in the column that is looked at; empty where it has none."""


Change = Callable[[Row], Sequence[str] | None]
"""Returns what becomes of a row: its own `cells` keep it, None takes it out, others stand in its place."""


class Table(Protocol):
    """A file with a column that is looked at."""

    header: list[str]

    def rows(self) -> Iterator[Row]:
        """Yield the data rows. Raises NotReadableError."""

    def rewrite(self, to: Path, change: Change) -> int:
        """Write the file anew; returns how many rows were changed. Raises NotReadableError."""


def opened(path: Path, column: str, delimiter: str | None = None) -> Table | None:
    """Return the table in a file, of whatever format, or None where it has no such column.

    `delimiter` is that of a CSV file whose delimiter is known. Raises NotReadableError.
    """
    with _unpacked(path) as file:
        start = file.read(4)
    if start.startswith(ZIP):
        from workflow.forgetting.sheets import Workbook  # noqa: PLC0415  both need what is above

        return Workbook.opened(path, column)
    first, encoding = _first_lines(path), _encoding(path)
    first = [_text(line, encoding) for line in first]
    if first and first[0].lstrip("\ufeff \t\r\n").startswith("{"):
        return JsonLines(path, column) if _has_key(first, column) else None
    found = _header(first, column, delimiter)
    return CsvFile(path, column, *found) if found else None


class _Records:
    """A file of records, of which some are data rows."""

    def rows(self) -> Iterator[Row]:
        """Yield the data rows. Raises NotReadableError."""
        for row, _ in self._records():
            if row:
                yield row

    def _records(self) -> Iterator[tuple[Row | None, str]]:
        """Yield each record with its text as it stands there; None for what is no data row."""
        raise NotImplementedError


@dataclass
class CsvFile(_Records):
    """A CSV file."""

    path: Path
    column: str
    header: list[str]
    delimiter: str
    skipped: int
    """Records before the first data row: the header, and what stands above it."""
    place: int = field(init=False)
    encoding: str = field(init=False)
    ours: bool = field(init=False)
    """Whether Claimflow wrote it: a `'` before what a spreadsheet would run is no part of the cell."""

    def __post_init__(self) -> None:
        """Find the column."""
        self.encoding = _encoding(self.path)
        names = [plain(name) for name in self.header]
        self.ours = set(names) >= ALWAYS or names == list(REJECTED)
        self.place = _place(self.header, self.column)

    def rewrite(self, to: Path, change: Change) -> int:
        """Write the file anew; returns how many rows were changed. Raises NotReadableError."""
        changed, kept = 0, _Kept(self.path, to)
        with kept as write:
            for row, raw in self._records():
                cells = change(row) if row else None
                if row is None or cells is row.cells:
                    write(raw, counts=row is None or not _is_blanked(row))
                    continue
                self._refuse_swallowed(row)
                changed += 1
                if cells is not None:
                    write(self._line(cells, raw), counts=False)
        kept.check(self, change)
        return changed

    def _records(self) -> Iterator[tuple[Row | None, str]]:
        number = 0
        with _lines(self.path) as lines:
            for count, (line, cells, raw) in enumerate(_split(lines, self.delimiter)):
                if count < self.skipped or all(map(is_blank, cells)):
                    yield None, raw
                    continue
                texts = [self._shown(cell) for cell in cells]
                value = texts[self.place] if self.place < len(texts) else ""
                yield Row(number, line, texts, value), raw
                number += 1

    def _shown(self, cell: str) -> str:
        text = _text(cell, self.encoding)
        return original(text) if self.ours else text

    def _line(self, cells: Sequence[str], raw: str) -> str:
        end = raw[len(raw.rstrip("\r\n")) :]
        line = csv_line(cells, self.delimiter)
        is_wide = self.encoding in _UTF16.values()
        return (line if is_wide else line.encode(self.encoding).decode("latin-1")) + end

    def _refuse_swallowed(self, row: Row) -> None:
        """Refuse a row of several lines of which one looks like a row: a quote may have swallowed it."""
        for line in (line for cell in row.cells for line in cell.splitlines()[1:]):
            cells = next(csv.reader([line], delimiter=self.delimiter), [])
            if len(cells) != len(self.header) or _shape(cells[self.place]) != _shape(row.value):
                continue
            raise NotReadableError(
                f"the row on line {row.line} goes over several lines that look like rows of their own; "
                "correct its quotes"
            )


@dataclass
class JsonLines(_Records):
    """A file of JSON objects, one a line."""

    path: Path
    column: str
    header: list[str] = field(default_factory=list)

    def rewrite(self, to: Path, change: Change) -> int:
        """Write the file anew; returns how many rows were changed. Raises NotReadableError."""
        changed, kept = 0, _Kept(self.path, to)
        with kept as write:
            for row, raw in self._records():
                if row is None or change(row) is row.cells:
                    write(raw)
                else:
                    changed += 1
        kept.check(self, change)
        return changed

    def _records(self) -> Iterator[tuple[Row | None, str]]:
        number, wanted, encoding = 0, plain(self.column), _encoding(self.path)
        with _lines(self.path) as lines:
            for line, raw in enumerate(lines, 1):
                if not raw.strip():
                    yield None, raw
                    continue
                cells = dict(_flat("", _object(_text(raw, encoding), line)))
                value = next((cell for name, cell in cells.items() if plain(name) == wanted), "")
                yield Row(number, line, list(cells.values()), value), raw
                number += 1


class _Kept:
    """Writes a file anew and makes sure that all that is kept stands in it as it was."""

    def __init__(self, source: Path, to: Path) -> None:
        self._source, self._to = source, to
        self._digest = hashlib.sha256()

    def __enter__(self) -> Callable[..., None]:
        with self._source.open("rb") as file:
            packed = file.read(2) == GZIP
        with _unpacked(self._source) as file:
            mark = file.read(2)
        self._codec = _UTF16.get(mark, "latin-1")
        self._file: IO[bytes] = (
            cast("IO[bytes]", gzip.GzipFile(self._to, "wb", mtime=0)) if packed else self._to.open("wb")
        )
        if mark in _UTF16:
            self._file.write(mark)
        return self._write

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _write(self, raw: str, *, counts: bool = True) -> None:
        """Write text; what stands in the place of a row does not count for the rest."""
        if counts:
            self._digest.update(raw.encode("utf-8", "surrogatepass"))
        self._file.write(raw.encode(self._codec, "surrogatepass"))

    def check(self, table: "CsvFile | JsonLines", change: Change) -> None:
        """Read what was written, and compare what was kept. Raises NotReadableError."""
        digest = hashlib.sha256()
        again = type(table)(self._to, *_how(table))
        for row, raw in again._records():
            if row is None or not _is_blanked(row):
                digest.update(raw.encode("utf-8", "surrogatepass"))
            if row is not None and change(row) is not row.cells:
                raise NotReadableError("what was written still has the row")
        if digest.digest() != self._digest.digest():
            raise NotReadableError("what was written is not the rest of the file")


def _shape(cell: str) -> str:
    """Return what kind of signs a cell has: `9-a` for `4711-B`, whatever the number."""
    return re.sub("a+", "a", re.sub("[^\\W\\d_]", "a", re.sub("[0-9]+", "9", cell.strip())))


def _is_blanked(row: Row) -> bool:
    from workflow.forgetting.claims import is_removed  # noqa: PLC0415  it needs Row

    return is_removed(row.cells)


def _how(table: "CsvFile | JsonLines") -> tuple[Any, ...]:
    if isinstance(table, CsvFile):
        return table.column, table.header, table.delimiter, table.skipped
    return (table.column,)


def _place(header: Sequence[str], column: str) -> int:
    return [plain(name) for name in header].index(plain(column))


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")


class _Lines:
    r"""The lines of a file with their ends, `\n`, `\r\n` or `\r`; a context, and an iterator in it."""

    def __init__(self, path: Path) -> None:
        self._file = _unpacked(path)
        codec = _UTF16.get(self._file.read(2))
        if codec is None:
            self._file.seek(0)
        self._text = io.TextIOWrapper(
            cast("Any", self._file), encoding=codec or "latin-1", errors="strict", newline=""
        )
        self._is_wide = codec is not None

    def __enter__(self) -> Iterator[str]:
        return self._read()

    def __exit__(self, *_: object) -> None:
        self._text.close()

    def _read(self) -> Iterator[str]:
        try:
            yield from self._text
        except (UnicodeDecodeError, OSError, EOFError) as error:
            raise NotReadableError(f"it is damaged ({error})") from error


def _encoding(path: Path) -> str:
    """Return how the letters of a file are written, as `shared/reading/text.py` finds it out.

    What is no UTF-8 is Windows-1252, and so is what has no other letters than ß with a sign behind it.
    """
    with _unpacked(path) as file:
        if wide := _UTF16.get(file.read(2)):
            return wide
        file.seek(0)
        decoder, is_utf8, is_windows = codecs.getincrementaldecoder("utf-8")(), False, False
        try:
            while block := file.read(BLOCK):
                text = decoder.decode(block)
                if not text.isascii():
                    is_odd = _SHARP_S.fullmatch(text) is not None
                    is_windows, is_utf8 = is_windows or is_odd, is_utf8 or not is_odd
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "cp1252" if is_windows and not is_utf8 else "utf-8"


def _lines(path: Path) -> _Lines:
    return _Lines(path)


def _first_lines(path: Path) -> list[str]:
    with _lines(path) as lines:
        return list(itertools.islice(lines, HEAD_LINES))


def _split(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Yield each record's first line, cells, and text as it stands in the file."""
    csv.field_size_limit(2**31 - 1)
    held: list[str] = []

    def pulled() -> Iterator[str]:
        for each in lines:
            held.append(each)
            yield each

    reader = csv.reader(pulled(), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise NotReadableError(
                f"the quotes of the row on line {line} are wrong ({error}): correct it and upload it again"
            ) from error
        if cells is None:
            return
        yield line, cells, "".join(held)
        line += len(held)
        held.clear()


def _header(first: list[str], column: str, delimiter: str | None) -> tuple[list[str], str, int] | None:
    """Return header, delimiter and how many records come before the first row; None: no such column."""
    found = [
        (names, mark, skipped)
        for mark in delimiter or MARKS
        for names, skipped in [_names(first, mark)]
        if plain(column) in map(plain, names)
    ]
    if not found:
        return None
    best = max(found, key=lambda each: len(each[0]))
    if [plain(name) for name in best[0]].count(plain(column)) > 1:
        raise NotReadableError(f"it has two columns '{column}'")
    return best


def _names(first: list[str], mark: str) -> tuple[list[str], int]:
    """Return the first record with something in it, but for Excel's `sep=;`, and its number from 1."""
    marked = [first[0].removeprefix("\ufeff"), *first[1:]] if first else []
    try:
        for number, (_, cells, raw) in enumerate(_split(iter(marked), mark), 1):
            names = [original(cell) for cell in cells]
            if not all(map(is_blank, names)) and not raw.strip().strip('"').casefold().startswith("sep="):
                return names, number
    except NotReadableError:  # with another delimiter its quotes may be fine
        pass
    return [], 0


def _text(cell: str, encoding: str) -> str:
    """Return what was read as Latin-1 as the text that it is; UTF-16 was decoded already."""
    if cell.isascii() or encoding in _UTF16.values():
        return cell
    return cell.encode("latin-1").decode(encoding, "replace")


def _has_key(first: list[str], column: str) -> bool:
    return any(
        plain(name) == plain(column)
        for line, text in enumerate(first, 1)
        if text.strip()
        for name, _ in _flat("", _object(text, line))
    )


def _object(raw: str, line: int) -> dict[str, Any]:
    try:
        found = json.loads(raw.lstrip("\ufeff"), parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise NotReadableError(f"line {line} is no JSON object: correct it and upload it again") from error
    if not isinstance(found, dict):
        raise NotReadableError(f"line {line} is no JSON object: correct it and upload it again")
    return found


def _flat(prefix: str, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names of the columns and the cells; the keys of an object inside are joined by dots."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            cell = value[0] if isinstance(value, list) and len(value) == 1 else value
            yield prefix + key, "" if cell is None else str(cell)
