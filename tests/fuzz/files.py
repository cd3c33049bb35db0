"""Files at random: what stands in them, and how it is written."""

import csv
import gzip
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from contract import columns
from contract.plain import is_blank, plain
from shared.workbook import Workbook

# What has gone wrong somewhere: ends of lines and cells, marks, formulas, blanks, forms of one letter.
NASTY = "'=+-@\t\r\n \"\\,;|\ufeff\u200b\xad\xa0\u2028\x0b\x0c\x1c\x1e\x85\x01＝ﬁǺ🙂’01.%xX"
ADDED = [
    "prediction",
    "Confidence",
    "RUNNER_UP",
    "because",
    "needs_review",
    "agrees",
    "MODEL_VERSION",
    "error",
    "reason",
]
NAMES = [
    *ADDED,
    *(f"claimflow_{name}" for name in ADDED),
    "=note",
    "'=note",
    "-",
    "note",
    "Note",
    "",
    " ",
    "1",
]
CATEGORIES = [
    "=1",
    "'=1",
    "-",
    "a,b",
    'say "x"',
    "two\rlines",
    "two\r\nlines",
    "wörter",
    "1",
    "@",
    "a;b|c\td",
    "＝x",
]
_TAKEN = {plain(name) for name in (*columns.TEXT_NAMES, *columns.LABEL_NAMES)}

_letters = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"], exclude_characters="\0"), max_size=12)
_WORDS = ["für", "Grüße", "café", "5 €", "naïve", "“so”", "=1", "-", "a;b", 'say "x"', "x\ny", "", "señor"]
_western = st.lists(st.sampled_from(_WORDS), max_size=4).map(" ".join)


@dataclass(frozen=True)
class File:
    """A file: its cells, and how they are written."""

    header: list[str]
    rows: list[list[str]]
    format: str = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    line_end: str = "\r\n"
    quote_all: bool = False
    packed: bool = False
    output: str | None = None
    explain: bool = False
    rows_per_shard: int = 5000

    @property
    def name(self) -> str:
        return f"claims.{self.format}" + (".gz" if self.packed else "")

    def content(self) -> bytes:
        body = {"xlsx": self._workbook, "jsonl": self._json_lines, "csv": self._separated}[self.format]()
        return gzip.compress(body, mtime=0) if self.packed else body

    def _separated(self) -> bytes:
        text = io.StringIO(newline="")
        quoting = csv.QUOTE_ALL if self.quote_all else csv.QUOTE_MINIMAL
        # The line end is put in afterwards, as Python's writer quotes only the ends that it writes itself.
        writer = csv.writer(text, delimiter=self.delimiter, quoting=quoting, lineterminator="\r\n")
        lines = []
        for row in (self.header, *self.rows):
            text.seek(0)
            text.truncate()
            writer.writerow(row)
            lines.append(text.getvalue().removesuffix("\r\n") + self.line_end)
        return "".join(lines).encode(self.encoding)

    def _json_lines(self) -> bytes:
        documents = [dict(zip(self.header, row, strict=True)) for row in self.rows]
        return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in documents).encode("utf-8")

    def _workbook(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.xlsx"
            workbook = Workbook(path)
            for row in (self.header, *self.rows):
                workbook.write(row)
            workbook.close(whole=True)
            return path.read_bytes()


@st.composite
def files(draw: st.DrawFn) -> File:
    """Return a file with an id, a text, often a category, and other columns; no row is blank or a header."""
    form = draw(st.sampled_from(["csv"] * 8 + ["xlsx", "jsonl"]))
    encoding = draw(st.sampled_from(["utf-8"] * 5 + ["utf-8-sig", "utf-16", "windows-1252"]))
    cells = (
        _western if encoding == "windows-1252" and form == "csv" else st.text(NASTY, max_size=8) | _letters
    )
    labelled = draw(st.booleans())
    header = ["id", "text", *(["category"] if labelled else []), *draw(_names(cells, unique=form == "jsonl"))]
    count = draw(st.integers(1, 12))
    given = [*(CATEGORIES[:4] if cells is _western else CATEGORIES), "", " b "] if labelled else []
    rows = [_row(draw, number, header, cells, given) for number in range(count)]
    order = draw(st.permutations(range(1, len(header)))) if draw(st.booleans()) else [*range(1, len(header))]
    while form == "xlsx" and not header[order[-1]]:
        order.insert(0, order.pop())  # a sheet's header ends with its last name
    return File(
        [header[0], *(header[at] for at in order)],
        [[row[0], *(row[at] for at in order)] for row in rows],
        format=form,
        delimiter=draw(st.sampled_from(",;\t|")) if form == "csv" else ",",
        encoding=encoding if form == "csv" else "utf-8",
        line_end=draw(st.sampled_from(["\r\n", "\n", "\r"])),
        quote_all=draw(st.booleans()),
        packed=form == "csv" and draw(st.integers(0, 9)) == 0,
        output=draw(st.sampled_from([None, None, None, "csv", "xlsx"])),
        explain=draw(st.booleans()),
        rows_per_shard=draw(st.integers(1, 6)),
    )


def _names(cells: "st.SearchStrategy[str]", *, unique: bool) -> "st.SearchStrategy[list[str]]":
    odd = cells.filter(lambda name: not any(word in plain(name) for word in _TAKEN))
    names = st.lists(st.sampled_from(NAMES) | odd, max_size=5, unique=unique)
    return names.map(lambda found: [name for name in found if plain(name) not in {*_TAKEN, "id"}])


def _row(
    draw: st.DrawFn, number: int, header: list[str], cells: "st.SearchStrategy[str]", categories: list[str]
) -> list[str]:
    said = draw(cells)
    text = said if draw(st.integers(0, 9)) == 0 else f"{said}x{number}"
    given = [draw(st.sampled_from(categories))] if categories else []
    rest = [draw(cells) for _ in range(len(header) - 2 - len(given))]
    return [f"r{number}", text, *given, *rest]


def is_usable(text: str) -> bool:
    """Return whether a row with this text gets a prediction."""
    return not is_blank(text)
