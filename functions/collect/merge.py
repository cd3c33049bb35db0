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


class Prediction(NamedTuple):
    """What the model says about a row. `doubt` is empty when the prediction is accepted."""

    row: int
    prediction: str
    confidence: str
    runner_up: str
    doubt: str


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


def predictions(shards: Iterable[Shard]) -> Iterator[Prediction]:
    """Give the predictions of all shards. Raises PredictionFailed for a part that does not fit its shard."""
    for shard in shards:
        with shard.open_part() as part:
            yield from _part(shard, part)


def _part(shard: Shard, part: TextIO) -> Iterator[Prediction]:
    reader = csv.reader(part, strict=True)
    found = 0
    try:
        header = next(reader, [])
        if header != PART_COLUMNS:
            raise _broken(
                shard, f"its columns are {','.join(header) or 'missing'}, not {','.join(PART_COLUMNS)}"
            )
        for cells in reader:
            yield _prediction(shard, cells)
            found += 1
    except (csv.Error, UnicodeDecodeError) as error:
        raise _broken(shard, f"it is not a whole CSV file ({error})") from error
    if found != shard.rows:
        raise _broken(shard, f"it has {found:,} of {shard.rows:,} rows")


def _prediction(shard: Shard, cells: list[str]) -> Prediction:
    try:
        row, prediction, confidence, runner_up, doubt = cells
        return Prediction(int(row), prediction, confidence, runner_up, doubt)
    except ValueError as error:
        raise _broken(shard, f"a row of it cannot be read ({error})") from error


def _broken(shard: Shard, problem: str) -> PredictionFailed:
    return PredictionFailed(f"Shard {shard.number} cannot be used: {problem}.")
