"""Joins the input's rows with their predictions: every row exactly once, in order; knows nothing of AWS.

The rows, the rejected lines and the parts are three streams in the same order, so nothing has to be held in
memory.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TextIO

from shared.errors import PredictionFailed
from shared.table import Row

PART_COLUMNS = ["row", "prediction", "confidence", "runner_up", "doubt"]
BECAUSE = "because"  # the last column of a part with explanations


class Prediction(NamedTuple):
    """What the model says about a row.

    `doubt` is empty when the prediction is accepted, `because` when no explanation was asked for.
    """

    row: int
    prediction: str
    confidence: str
    runner_up: str
    doubt: str
    because: str = ""


class Merged(NamedTuple):
    """A row of the input with its prediction, or with the reason why it has none."""

    row: Row
    prediction: Prediction | None
    error: str


class Shard(NamedTuple):
    """A shard of the manifest: its number, its rows, and how to open its part."""

    number: int
    rows: int
    open_part: Callable[[], TextIO]


def merge(
    rows: Iterable[Row], rejected: Iterator[tuple[int, str]], predictions: Iterator[Prediction]
) -> Iterator[Merged]:
    """Give every row of the input, in order, with what became of it.

    Args:
        rows: the data rows of the input
        rejected: line and reason of each rejected row, in order
        predictions: of every other row, in order

    Raises:
        PredictionFailed: a row without prediction, or a prediction or rejected line without row

    """
    next_rejected, next_prediction = next(rejected, None), next(predictions, None)
    for row in rows:
        if next_rejected is not None and next_rejected[0] == row.line:
            yield Merged(row, None, next_rejected[1])
            next_rejected = next(rejected, None)
        elif next_prediction is not None and next_prediction.row == row.number:
            yield Merged(row, next_prediction, "")
            next_prediction = next(predictions, None)
        else:
            found = "nothing more" if next_prediction is None else f"row {next_prediction.row}"
            raise PredictionFailed(
                f"The predictions do not fit the file: row {row.number} (line {row.line}) is due, and "
                "the parts have "
                f"{found}."
            )
    if next_prediction is not None:
        raise PredictionFailed(f"The parts have row {next_prediction.row}, which is not in the file.")
    if next_rejected is not None:
        raise PredictionFailed(f"The rejected rows name line {next_rejected[0]}, on which no row starts.")


def predictions(shards: Iterable[Shard], *, explain: bool = False) -> Iterator[Prediction]:
    """Give the predictions of all shards, with explanations if the manifest asked for them.

    Raises PredictionFailed for a part that does not fit its shard.
    """
    columns = [*PART_COLUMNS, BECAUSE] if explain else PART_COLUMNS
    for shard in shards:
        with shard.open_part() as part:
            yield from _part(shard, part, columns)


def _part(shard: Shard, part: TextIO, columns: list[str]) -> Iterator[Prediction]:
    reader = csv.reader(part, strict=True)
    found = 0
    try:
        header = next(reader, [])
        if header != columns:
            raise _broken(shard, f"its columns are {','.join(header) or 'missing'}, not {','.join(columns)}")
        for cells in reader:
            yield _prediction(shard, cells, len(columns))
            found += 1
    except (csv.Error, UnicodeDecodeError) as error:
        raise _broken(shard, f"it is not a whole CSV file ({error})") from error
    if found != shard.rows:
        raise _broken(shard, f"it has {found:,} of {shard.rows:,} rows")


def _prediction(shard: Shard, cells: list[str], width: int) -> Prediction:
    if len(cells) != width:
        raise _broken(shard, f"a row of it cannot be read (it has {len(cells)} cells, not {width})")
    row, *said = cells
    try:
        return Prediction(int(row), *said)
    except ValueError as error:
        raise _broken(shard, f"a row of it cannot be read ({error})") from error


def _broken(shard: Shard, problem: str) -> PredictionFailed:
    return PredictionFailed(f"Shard {shard.number} cannot be used: {problem}.")
