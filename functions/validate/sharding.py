"""Cuts the usable rows of a file to predict into shards; knows nothing of AWS."""

import csv
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from contract.columns import LABEL, SHARD, TEXT, TEXT_LIMIT
from contract.errors import InvalidData
from contract.manifest import Shard
from contract.text import count
from shared.table import Table
from validate import rows, warnings
from validate.learned import Given
from validate.rejected import RejectedFile
from validate.training import nothing_usable, text_lengths

SHARD_LIMIT = 10_000  # the children that an array job of AWS Batch can have
SHARD_CHARACTERS = 250_000_000  # with which a shard ends, too, as its job's memory and time are bounded
# Of a small file the rows of one shard; each further 200 shards have twice as many, so that 10,000,000 rows
# make 675 shards, and the most that validate can read in its time about 810.
FIRST_SHARDS_ROWS = 5_000
SHARDS_OF_A_SIZE = 200

# What collect takes on one vCPU, of a row and of a character: measured, see docs/reliability.md.
ROW_SECONDS, CHARACTER_SECONDS = 24e-6, 1e-7

Save = Callable[[int, Path], str]


@dataclass(frozen=True)
class Shards:
    """What came of a file to predict: `shards` as in the manifest, `report` for validation.json."""

    shards: list[Shard]
    rejected: Path
    rejected_rows: int
    report: dict[str, Any]

    @property
    def rows(self) -> int:
        """All data rows of the file."""
        return self.rejected_rows + sum(shard.rows for shard in self.shards)


def make_shards(  # noqa: PLR0913  what the settings say
    table: Table,
    given: Given,
    folder: Path,
    rows_per_shard: int | None,
    save: Save,
    *,
    collect_seconds: int,
) -> Shards:
    """Check a file to predict and cut it up.

    Args:
        table: the file
        given: its columns; counts the given categories
        folder: where `rejected.csv` and one shard at a time are written
        rows_per_shard: the rows of each shard but the last; None lets them grow with the file
        save: takes a finished shard's number and file, keeps it and gives its URI
        collect_seconds: how long collect may take to put the rows back together

    Raises:
        InvalidData: nothing usable, too many shards, or more rows than collect can put back together

    """
    writer = _ShardWriter(folder, rows_per_shard, save, table.name)
    texts = _Texts()
    with RejectedFile(folder / "rejected.csv", table.reading.delimiter) as rejected:
        for chunk in rows.chunks(table, given.found, labelled=False):
            rejected.write(chunk.rejected)
            texts.add(chunk.usable[TEXT].str.len().to_numpy())
            given.add(chunk.usable[LABEL])
            if texts.seconds() > collect_seconds:
                raise InvalidData(
                    f"{table.name} has too many rows to be put back together within the {collect_seconds:,} "
                    f"seconds of a function, which are enough for about {texts.rows:,}: "
                    "cut it up into several files."
                )
            writer.write(chunk.usable)
    writer.finish()
    if not writer.shards:
        raise InvalidData(nothing_usable(table, rejected.reasons, rejected.first))
    noticed = [*warnings.unreadable(rejected.reasons, texts.rows), *given.warnings()]
    report = {"text_characters": text_lengths(texts.of_length), "warnings": noticed}
    return Shards(writer.shards, rejected.path, rejected.reasons.total(), report)


@dataclass
class _Texts:
    """How many texts there are of each length, in the same memory for any number of them."""

    of_length: "np.ndarray[Any, Any]" = field(
        default_factory=lambda: np.zeros(TEXT_LIMIT + 1, dtype=np.int64)
    )
    rows: int = 0
    characters: int = 0

    def add(self, lengths: "np.ndarray[Any, Any]") -> None:
        self.of_length += np.bincount(lengths, minlength=len(self.of_length))
        self.rows += len(lengths)
        self.characters += int(lengths.sum())

    def seconds(self) -> float:
        """Return about how long collect takes for them."""
        return self.rows * ROW_SECONDS + self.characters * CHARACTER_SECONDS


def rows_of(number: int) -> int:
    """Return how many rows a shard has whose size is left to Claimflow."""
    return FIRST_SHARDS_ROWS << (number // SHARDS_OF_A_SIZE)


@dataclass
class _ShardWriter:
    """Fills one shard after the other."""

    folder: Path
    rows_per_shard: int | None
    save: Save
    name: str
    shards: list[Shard] = field(default_factory=list)
    _file: TextIO | None = None
    _rows: int = 0
    _characters: int = 0

    def write(self, frame: pd.DataFrame) -> None:
        ends = np.cumsum(frame[TEXT].str.len().to_numpy(dtype=np.int64))
        start = before = 0
        while start < len(frame):
            rows_end = start + self._limit() - self._rows
            characters_end = int(np.searchsorted(ends, before + SHARD_CHARACTERS - self._characters)) + 1
            piece = frame.iloc[start : min(rows_end, characters_end)]
            piece.to_csv(self._open(), columns=list(SHARD), header=False, index=False, lineterminator="\r\n")
            start += len(piece)
            self._rows += len(piece)
            self._characters += int(ends[start - 1]) - before
            before = int(ends[start - 1])
            if self._rows == self._limit() or self._characters >= SHARD_CHARACTERS:
                self.finish()

    def _limit(self) -> int:
        return self.rows_per_shard or rows_of(len(self.shards))

    def finish(self) -> None:
        """Hand the shard over, if one is open."""
        if self._file is None:
            return
        self._file.close()
        path = Path(self._file.name)
        with path.open("rb") as written:
            sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        uri = self.save(len(self.shards), path)
        self.shards.append(Shard(uri, self._rows, sha256))
        path.unlink()
        self._file, self._rows, self._characters = None, 0, 0

    def _open(self) -> TextIO:
        if self._file is None:
            if len(self.shards) == SHARD_LIMIT:
                rows_before = sum(shard.rows for shard in self.shards)
                raise InvalidData(
                    f"{self.name} has more than {count(rows_before, 'usable row')}, which makes more than "
                    f"{SHARD_LIMIT:,} shards; set a larger rows_per_shard in the configuration (null chooses "
                    "one), or cut the file up."
                )
            self._file = (self.folder / "shard.csv").open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow(SHARD)
        return self._file
