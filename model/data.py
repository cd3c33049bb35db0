"""The rows that pass between the parts: CSV files of `row,text` and, for training, `label`."""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from contract import keys, strict_json
from contract.columns import FILE, LABEL, LINE, ROW, TEXT
from contract.evaluation import Notes
from contract.strict_json import JsonError
from model.encoder import Ids
from model.errors import DataError

Floats: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[np.int64]
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]  # by name

LARGEST_FIELD = 2**31 - 1  # Python's csv refuses a field over 131,072 characters unless told otherwise
WIDTH = 64  # lengths are rounded up to a multiple: MXNet keeps memory for each length that it meets
SHORT_WIDTHS = (16, 32)  # for texts of a sentence, which would be mostly padding otherwise


class Row(NamedTuple):
    """One row of a shard or of a training channel; `label` is empty in a shard."""

    number: int  # of the data row in the input file, from 0
    text: str
    label: str = ""
    line: int = 0  # of the input file, from 1; 0: not known
    file: str = ""  # its name, where the rows are of several


@dataclass(frozen=True)
class Examples:
    """Encoded rows: the texts as word numbers, and the number of each label, shape (rows,)."""

    texts: list[Ids]
    labels: Numbers


@dataclass(frozen=True)
class Split:
    """What a network learns from, and what it is measured on while it does."""

    training: Examples
    validation: Examples


def read_file(path: Path) -> Iterator[Row]:
    """Yield the rows of one CSV file, one at a time. Raises DataError when a column is missing."""
    csv.field_size_limit(LARGEST_FIELD)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if missing := [name for name in (ROW, TEXT) if name not in header]:
            raise DataError(f"{path.name} has no column {' and no column '.join(missing)}.")
        row, text = header.index(ROW), header.index(TEXT)
        label, line, of = (header.index(name) if name in header else None for name in (LABEL, LINE, FILE))
        for cells in filter(None, reader):
            yield Row(
                int(cells[row]),
                cells[text],
                "" if label is None else cells[label],
                0 if line is None else int(cells[line]),
                "" if of is None else sys.intern(cells[of]),
            )


def read_folder(folder: Path) -> Iterator[Row]:
    """Yield the rows of every CSV file under `folder`, files in the order of their names."""
    for path in sorted(folder.rglob("*.csv")):
        yield from read_file(path)


def read_notes(folder: Path) -> Notes | None:
    """Return what validation found in the file that the rows in `folder` came from; None: not known."""
    path = folder / keys.NOTES
    try:
        return cast("Notes", strict_json.parse_object(path.read_bytes())) if path.exists() else None
    except JsonError as error:
        raise DataError(f"{keys.NOTES} of the validation channel {error}.") from error


def batches(texts: Sequence[Ids], size: int, shuffle: np.random.Generator | None = None) -> list[Numbers]:
    """Positions in `texts`, in groups of at most `size` texts of similar length.

    With `shuffle`, lengths are blurred by a tenth and both rows and groups come in random order.
    """
    lengths = np.array([len(ids) for ids in texts], dtype=np.float64)
    if shuffle is None:
        order = np.argsort(lengths, kind="stable")
    else:
        blurred = (lengths * (1 + 0.1 * shuffle.random(len(texts)))).astype(np.int64)
        order = np.lexsort((shuffle.random(len(texts)), blurred))
    groups = [order[start : start + size] for start in range(0, len(texts), size)]
    if shuffle is not None:
        shuffle.shuffle(groups)
    return groups


def rounded_up(length: int) -> int:
    """Return the length that texts are padded to: one of few, so that memory stays flat."""
    return next((width for width in SHORT_WIDTHS if length <= width), -(-length // WIDTH) * WIDTH)


def pad(texts: Sequence[Ids], rows: int) -> Floats:
    """Return the texts as one array of shape (rows, longest rounded up), filled with zeros, float32.

    Float32 holds every word number exactly up to 2**24, and is what the networks read.
    """
    longest = max((len(ids) for ids in texts), default=1)
    filled = np.zeros((rows, rounded_up(longest)), dtype=np.float32)
    for line, ids in zip(filled, texts, strict=False):
        line[: len(ids)] = ids
    return filled
