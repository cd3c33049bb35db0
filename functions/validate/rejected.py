"""Writes `rejected.csv`: the rows that were left out, each with its line and the reason."""

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.spreadsheet import csv_line, harmless
from validate.rows import Rejected

HEADER = ("line", "reason", "raw")
RAW_LIMIT = 2_000  # characters of the row that are shown


class RejectedFile:
    """A `rejected.csv` that is being written; `reasons` counts the rows by kind, `first` is the first."""

    def __init__(self, path: Path) -> None:
        """Start the file at `path`."""
        self.path = path
        self.reasons: Counter[str] = Counter()
        self.first: Rejected | None = None
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(HEADER)

    def __enter__(self) -> Self:
        """Give the file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def write(self, rejected: Iterable[Rejected]) -> None:
        """Add rows, in the order of their lines."""
        for one in rejected:
            self.first = self.first or one
            self.reasons[one.kind] += 1
            self._writer.writerow((one.line, one.reason, _raw(one.cells)))


def _raw(cells: list[str]) -> str:
    """Give the row as it may have stood in the file, shortened."""
    text = csv_line(cell[:RAW_LIMIT] for cell in cells)
    return harmless(text if len(text) <= RAW_LIMIT else text[:RAW_LIMIT] + "…")
