"""Finds out which format a file has, and reads it record by record; the first record is the header."""

import itertools
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from shared.reading import delimiter as delimiters
from shared.reading import kinds
from shared.reading.json_lines import JsonLines, is_json_lines
from shared.reading.packing import uncompressed
from shared.reading.reading import Reading
from shared.reading.records import Record, Records
from shared.reading.text import Text


class Source(Protocol):
    """A file that is being read."""

    @property
    def reading(self) -> Reading:
        """How it is read; final once all records have been read."""

    @property
    def warnings(self) -> list[str]:
        """What people should know of how it is read."""

    def records(self) -> Iterator[Record]:
        """Return each record with its line."""


def opened(stream: BinaryIO, name: str, sheet: str | None) -> Source:
    """Find out what `stream` is; of a workbook `sheet` is read. Raises InvalidData for what is no table."""
    plain = uncompressed(stream, name)
    if plain.peek(4).startswith(kinds.ZIP):
        from shared.reading.workbook import Workbook  # noqa: PLC0415 - it loads NumPy, for workbooks only

        return Workbook(plain, name, sheet)
    kinds.refuse_binary(plain, name)
    text = Text(plain, name)
    lines = text.lines()
    first = _first(lines)
    kinds.refuse_document("".join(first[:20])[:5_000], name)
    if is_json_lines(first, name):
        return JsonLines(text, itertools.chain(first, lines), first, name)
    return Separated(text, itertools.chain(first, lines), first, name)


class Separated:
    """A CSV file with any of the delimiters."""

    def __init__(self, text: Text, lines: Iterator[str], first: list[str], name: str) -> None:
        """Read `lines`, of which `first` are the first."""
        self._text = text
        blank = next((index for index, line in enumerate(first) if line.strip("\r\n")), 0)
        said = delimiters.hint(first[blank]) if first else None
        skipped = blank + 1 if said else 0
        self._delimiter = said or delimiters.delimiter(first, name)
        self._records = Records(itertools.islice(lines, skipped, None), name, self._delimiter, skipped)

    @property
    def reading(self) -> Reading:
        """How the file is read."""
        return Reading("csv", self._text.encoding, self._delimiter, self._text.byte_order_mark)

    @property
    def warnings(self) -> list[str]:
        """Nothing."""
        return []

    def records(self) -> Iterator[Record]:
        """Return each record with its line."""
        return iter(self._records)


def _first(lines: Iterator[str]) -> list[str]:
    sample: list[str] = []
    characters = 0
    while len(sample) < delimiters.SAMPLE_LINES and characters < delimiters.SAMPLE_CHARACTERS:
        line = next(lines, None)
        if line is None:
            break
        sample.append(line)
        characters += len(line)
    return sample
