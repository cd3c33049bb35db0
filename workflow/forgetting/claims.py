"""What is to be forgotten, and what was found of it: by that, copies that do not name it are known."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from contract.columns import REMOVED
from contract.masking import mask
from contract.plain import is_blank
from contract.text import shorten
from workflow.forgetting.tables import Row

QUOTED = (200, 300)  # characters to which pages and documents cut the texts that they quote


@dataclass
class Claim:
    """The claims to forget: whose cell in `column` is one of `values`."""

    column: str
    values: frozenset[str]
    uploads: set[tuple[str, str]] = field(default_factory=set)
    """Address and version of each uploaded file that holds a row of them."""
    numbers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Of each folder of results, the numbers of their rows."""
    _cells: set[tuple[int, str]] = field(default_factory=set)
    _of_rows: set[tuple[int, str]] = field(default_factory=set)
    _lines: set[int] = field(default_factory=set)
    _shown: set[str] = field(default_factory=set)

    def has(self, row: Row) -> bool:
        """Return whether a row of a table with the column is theirs."""
        return row.value.strip() in self.values

    def learn(self, row: Row, *, is_input: bool) -> None:
        """Keep what the copies of a row are known by; lines and numbers are those of the input."""
        if is_input:
            self._lines.add(row.line)
        for cell in row.cells:
            if is_blank(cell) or cell.strip() in self.values:
                continue
            for text in {cell, mask(cell)}:
                if is_input:
                    self._cells.add((row.line, text))
                self._of_rows.add((row.number, text))
                self._shown.update(shorten(text, limit) for limit in QUOTED)

    def learn_copy(self, line: int, text: str) -> None:
        """Keep that a text of theirs stands on a line of another input, too."""
        self._cells.update(((line, text), (line, mask(text))))

    def is_copy(self, cell: str, *, line: int | None = None, number: int | None = None) -> bool:
        """Return whether a text is of a row of theirs: it is the same, and stood in the same place."""
        return (line is not None and (line, cell) in self._cells) or (
            number is not None and (number, cell) in self._of_rows
        )

    def is_raw(self, line: int, cells: Iterable[str]) -> bool:
        """Return whether a rejected row, cut up again, is theirs."""
        known = line in self._lines
        return any((known and cell.strip() in self.values) or (line, cell) in self._cells for cell in cells)

    def is_quote(self, text: str) -> bool:
        """Return whether a document shows a text of theirs, whole or cut."""
        return " ".join(text.split()) in self._shown


def removed(width: int) -> list[str]:
    """Return what stands in the place of a row: nothing but that it was removed."""
    return [*[""] * (width - 1), REMOVED]


def is_removed(cells: Sequence[str]) -> bool:
    """Return whether a row was removed."""
    return bool(cells) and cells[-1] == REMOVED and not any(cells[:-1])
