"""A part: the labelled rows of one shard as CSV, and beside it (in S3 as metadata) what it was made of.

`functions/collect/parts.py` reads what is written here.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.prediction import Prediction

COLUMNS = ["row", "prediction", "confidence", "runner_up", "doubt"]
BECAUSE = "because"  # the last column, when explanations are asked for
ROWS_A_LINE = 1_000  # of progress


@dataclass(frozen=True)
class Origin:
    """What a part was made of (a digest of shard, model and whether it explains), and by which program."""

    made_of: str
    program: str
    rows: int

    def facts(self, part: Path) -> dict[str, str]:
        """Return what is kept beside a part of this origin; a part that it does not fit is not whole."""
        with part.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return {"made-of": self.made_of, "program": self.program, "rows": str(self.rows), "sha256": sha256}


def made_of(shard: str, model_tag: str, *, explain: bool) -> str:
    """Return the digest of what a part depends on; `functions/shared/parts.py` has the same."""
    return hashlib.sha256(f"{shard}\n{model_tag}\n{explain}".encode()).hexdigest()[:32]


def write_part(path: Path, predictions: "Iterator[Prediction]", rows: int, *, explain: bool = False) -> int:
    """Write predictions as a part, telling the progress towards `rows`; gives how many were written."""
    written = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        part = csv.writer(file, lineterminator="\r\n")
        part.writerow([*COLUMNS, BECAUSE] if explain else COLUMNS)
        for found in predictions:
            cells = [found.row, found.label, _confidence(found.confidence), found.runner_up, found.doubt]
            part.writerow([*cells, found.because] if explain else cells)
            written += 1
            if written % ROWS_A_LINE == 0:
                print(f"{written} of {rows} rows labelled", flush=True)
    return written


def _confidence(share: float) -> str:
    """Return four decimals; only what is certain is 1.0000."""
    return f"{share if share == 1 else min(share, 0.9999):.4f}"
