"""Writes a part: the predictions of one shard as CSV."""

import csv
from collections.abc import Iterable
from pathlib import Path

from contract.part import Prediction, cells, columns

ROWS_A_LINE = 1_000  # of progress


def write_part(path: Path, predictions: Iterable[Prediction], rows: int, *, explain: bool = False) -> int:
    """Write predictions as a part and tell the progress towards `rows`. Return how many were written."""
    written = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        part = csv.writer(file, lineterminator="\r\n")
        part.writerow(columns(explain=explain))
        for prediction in predictions:
            part.writerow(cells(prediction, explain=explain))
            written += 1
            if written % ROWS_A_LINE == 0:
                print(f"{written} of {rows} rows labelled", flush=True)
    return written
