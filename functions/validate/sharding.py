"""Cuts the usable rows of a file to predict into shards; knows nothing of AWS."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from shared.errors import InvalidData
from shared.messages import count
from shared.table import Table
from validate import rows
from validate.columns import Columns
from validate.rejected import RejectedFile
from validate.training import nothing_usable, text_lengths

SHARD_COLUMNS = ("row", "text")
SHARD_LIMIT = 10_000  # the children that an array job of AWS Batch can have

Save = Callable[[int, Path], str]


@dataclass(frozen=True)
class Shards:
    """What came of a file to predict: `shards` as in the manifest, `report` for validation.json."""

    shards: list[dict[str, Any]]
    rejected: Path
    rejected_rows: int
    report: dict[str, Any]

    @property
    def rows(self) -> int:
        """All data rows of the file."""
        return self.rejected_rows + sum(int(shard["rows"]) for shard in self.shards)


def make_shards(table: Table, columns: Columns, folder: Path, rows_per_shard: int, save: Save) -> Shards:
    """Check a file to predict and cut it up.

    Args:
        table: the file
        columns: its columns
        folder: where `rejected.csv` and one shard at a time are written
        rows_per_shard: the rows of each shard but the last
        save: takes a finished shard's number and file, keeps it and gives its URI

    Raises:
        InvalidData: nothing usable, or too many shards

    """
    writer = _ShardWriter(folder, rows_per_shard, save, table.name)
    lengths = []
    with RejectedFile(folder / "rejected.csv") as rejected:
        for chunk in rows.chunks(table, columns, labelled=False):
            rejected.write(chunk.rejected)
            lengths.append(chunk.usable["text"].str.len().to_numpy(dtype=np.int32))
            writer.write(chunk.usable)
    writer.finish()
    if not writer.shards:
        raise InvalidData(nothing_usable(table, rejected))
    report = {"text_characters": text_lengths(np.concatenate(lengths)), "warnings": []}
    return Shards(writer.shards, rejected.path, rejected.reasons.total(), report)


@dataclass
class _ShardWriter:
    """Fills one shard after the other."""

    folder: Path
    rows_per_shard: int
    save: Save
    name: str
    shards: list[dict[str, Any]] = field(default_factory=list)
    _file: TextIO | None = None
    _rows: int = 0

    def write(self, frame: pd.DataFrame) -> None:
        start = 0
        while start < len(frame):
            piece = frame.iloc[start : start + self.rows_per_shard - self._rows]
            piece.to_csv(
                self._open(), columns=list(SHARD_COLUMNS), header=False, index=False, lineterminator="\r\n"
            )
            start += len(piece)
            self._rows += len(piece)
            if self._rows == self.rows_per_shard:
                self.finish()

    def finish(self) -> None:
        """Hand the shard over, if one is open."""
        if self._file is None:
            return
        self._file.close()
        path = Path(self._file.name)
        self.shards.append({"uri": self.save(len(self.shards), path), "rows": self._rows})
        path.unlink()
        self._file, self._rows = None, 0

    def _open(self) -> TextIO:
        if self._file is None:
            if len(self.shards) == SHARD_LIMIT:
                raise InvalidData(
                    f"{self.name} has more than "
                    f"{count(SHARD_LIMIT * self.rows_per_shard, 'usable row')}, which makes "
                    f"more than {SHARD_LIMIT:,} shards; set a larger rows_per_shard in the "
                    "configuration, or cut the "
                    "file up."
                )
            self._file = (self.folder / "shard.csv").open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow(SHARD_COLUMNS)
        return self._file
