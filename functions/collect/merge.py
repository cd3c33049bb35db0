"""Joins the input's rows with their predictions: every row exactly once, in order; knows nothing of AWS.

The rows, the rejected lines and the parts are three streams in the same order, so nothing has to be held in
memory.
"""

import csv
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TextIO

from contract.errors import PredictionFailed
from contract.part import Prediction, columns, columns_left_out, parse
from shared.table import Row

NOT_LABELLED = "not labelled"  # how the error of a row of a failed shard begins


class Missing(NamedTuple):
    """Stands for the prediction of a row whose shard has no part that can be used."""

    error: str


class Merged(NamedTuple):
    """A row of the input with its prediction, or with the reason why it has none.

    `missing` tells a row whose shard failed from one that was rejected.
    """

    row: Row
    prediction: Prediction | None
    error: str
    missing: bool = False


class PartMissing(Exception):  # noqa: N818 - a state, and no error of this program
    """A shard has no part that can be used; the text says why."""


class ShardPart(NamedTuple):
    """A shard of the manifest: its number, its rows, and how to open its part, or raise PartMissing."""

    number: int
    rows: int
    open_part: Callable[[], TextIO]


def merge(
    rows: Iterable[Row], rejected: Iterator[tuple[int, str]], predictions: Iterator[Prediction | Missing]
) -> Iterator[Merged]:
    """Yield every row of the input, in order, with what became of it.

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
        elif isinstance(next_prediction, Missing):
            yield Merged(row, None, next_prediction.error, missing=True)
            next_prediction = next(predictions, None)
        elif next_prediction is not None and next_prediction.row == row.number:
            yield Merged(row, next_prediction, "")
            next_prediction = next(predictions, None)
        else:
            raise PredictionFailed(
                f"The predictions do not fit the file: row {row.number} (line {row.line}) is due, and "
                f"the parts have {_named(next_prediction)}."
            )
    if next_prediction is not None:
        raise PredictionFailed(f"The parts have {_named(next_prediction)}, which is not in the file.")
    if next_rejected is not None:
        raise PredictionFailed(f"The rejected rows name line {next_rejected[0]}, on which no row starts.")


def predictions(shards: Iterable[ShardPart], *, explain: bool = False) -> Iterator[Prediction | Missing]:
    """Yield the predictions of all shards, with explanations if the manifest asked for them.

    A shard without a part gives as many `Missing` as it has rows. Raises PredictionFailed for a part that
    does not fit its shard.
    """
    for shard in shards:
        try:
            part = shard.open_part()
        except PartMissing as error:
            reason = str(error).removeprefix(f"Shard {shard.number} was not labelled: ")
            yield from itertools.repeat(Missing(f"{NOT_LABELLED}: {reason}"), shard.rows)
        else:
            with part:
                yield from _part(shard, part, explain=explain)


def _named(prediction: Prediction | Missing | None) -> str:
    if prediction is None:
        return "nothing more"
    return "a row of a failed shard" if isinstance(prediction, Missing) else f"row {prediction.row}"


def _part(shard: ShardPart, part: TextIO, *, explain: bool) -> Iterator[Prediction]:
    reader = csv.reader(part, strict=True)
    count = 0
    try:
        header = next(reader, [])
        left_out = columns_left_out(header, explain=explain)
        if left_out is None:
            columns_there, wanted = ",".join(header) or "missing", ",".join(columns(explain=explain))
            problem = f"its columns are {columns_there}, not {wanted}"
            again = "if another image made it, start again: a new run takes the newest image"
            raise _broken(shard, f"{problem}; {again}")
        for cells in reader:
            yield _prediction(shard, cells, len(header), left_out)
            count += 1
    except (csv.Error, UnicodeDecodeError) as error:
        raise _broken(shard, f"it is not a whole CSV file ({error})") from error
    if count != shard.rows:
        raise _broken(shard, f"it has {count:,} of {shard.rows:,} rows")


def _prediction(shard: ShardPart, cells: list[str], width: int, left_out: list[int]) -> Prediction:
    if len(cells) != width:
        raise _broken(shard, f"a row of it cannot be read (it has {len(cells)} cells, not {width})")
    for place in left_out:
        cells.insert(place, "")
    try:
        return parse(cells)
    except ValueError as error:
        raise _broken(shard, f"a row of it cannot be read ({error})") from error


def _broken(shard: ShardPart, problem: str) -> PredictionFailed:
    return PredictionFailed(f"Shard {shard.number} cannot be used: {problem}.")
