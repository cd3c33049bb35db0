"""Writes the rows that were left out, each with its line and the reason."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from contract.columns import REJECTED
from contract.spreadsheet import csv_line
from validate.rows import Rejected

RAW_LIMIT = 2_000  # characters of the row that are shown


class RejectedFile:
    """The rejected rows as they are found, for the machine: a CSV file that is the same whatever the input.

    `reasons` counts the rows by kind, `first` is the first.
    """

    def __init__(self, path: Path, delimiter: str) -> None:
        """Start the file at `path`; `delimiter` is the input's."""
        self.path = path
        self.reasons: Counter[str] = Counter()
        self.first: Rejected | None = None
        self._delimiter = delimiter
        self._file = path.open("w", encoding="utf-8", newline="")
        self._file.write(csv_line(REJECTED) + "\r\n")

    def __enter__(self) -> Self:
        """Return the file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def write(self, rejected: Iterable[Rejected], file: str = "") -> None:
        """Add rows in the order of their lines; `file` is the name of theirs, where there are several."""
        for one in rejected:
            self.first = self.first or one
            self.reasons[one.kind] += 1
            reason = f"{one.reason} ({file})" if file else one.reason
            raw = _raw(one.cells, self._delimiter)
            self._file.write(csv_line((str(one.line), reason, raw)) + "\r\n")


def _raw(cells: list[str], delimiter: str) -> str:
    """Return the row as it may have stood in the file, shortened."""
    text = csv_line((cell[:RAW_LIMIT] for cell in cells), delimiter)
    return text if len(text) <= RAW_LIMIT else text[:RAW_LIMIT] + "…"
