"""Writes results.csv and review.csv, and counts for the report; knows nothing of AWS."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from collect.merge import BECAUSE, Merged, Prediction
from shared.spreadsheet import csv_line, harmless

AGREES = "agrees"
ADDED = ("prediction", "confidence", "runner_up", BECAUSE, "needs_review", AGREES, "error")
DISAGREES = "the given category disagrees"
PAIR_LIMIT = 10_000  # different pairs of categories that are counted one by one


@dataclass
class Tally:
    """What the report tells: counts over all rows."""

    rows: int = 0
    predicted: int = 0
    missing: int = 0  # rows of shards that failed
    review_rows: int = 0
    labelled: int = 0
    agreeing: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    review_by_category: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    disagreements: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)

    @property
    def accepted(self) -> int:
        """The predicted rows that nobody has to look at."""
        return self.predicted - self.review_rows

    @property
    def accuracy(self) -> float | None:
        """The share of the labelled rows whose label is the prediction; None without labels."""
        return self.agreeing / self.labelled if self.labelled else None


@dataclass(frozen=True)
class Output:
    """How the files are written.

    Attributes:
        header: the input's
        label: the index of the column with the given categories, or None
        byte_order_mark: whether the input has one
        explain: whether the column `because` is added

    """

    header: list[str]
    label: int | None
    byte_order_mark: bool
    explain: bool = False

    @property
    def added(self) -> list[str]:
        """The names of the added columns; one that the input has already gets another name."""
        taken = {name.strip().casefold() for name in self.header}
        wanted = {AGREES: self.label is not None, BECAUSE: self.explain}
        return [f"claimflow_{name}" if name in taken else name for name in ADDED if wanted.get(name, True)]

    @property
    def encoding(self) -> str:
        """Spreadsheets know UTF-8 by its mark, so a file that came with one goes back with one."""
        return "utf-8-sig" if self.byte_order_mark else "utf-8"


def write(merged: Iterable[Merged], output: Output, results: Path, review: Path) -> Tally:
    """Write every row to `results`, and those that a person should look at to `review` too."""
    tally = Tally()
    header = [harmless(name) for name in (*output.header, *output.added)]
    with (
        results.open("w", encoding=output.encoding, newline="") as results_file,
        review.open("w", encoding=output.encoding, newline="") as review_file,
    ):
        all_rows, to_review = csv.writer(results_file), csv.writer(review_file)
        all_rows.writerow(header)
        to_review.writerow([*header, "reason"])
        for cells, reason in _lines(merged, output, tally):
            safe = [harmless(cell) for cell in cells]
            all_rows.writerow(safe)
            if reason:
                to_review.writerow([*safe, reason])
    return tally


def _lines(merged: Iterable[Merged], output: Output, tally: Tally) -> Iterator[tuple[list[str], str]]:
    """Give each row's cells, and the reason to look at it or an empty string."""
    for row, prediction, error, missing in merged:
        tally.rows += 1
        cells = _fitted(row.cells, len(output.header))
        if prediction is None:
            if missing:
                tally.missing += 1
            else:
                tally.rejected[error.split(":", 1)[0]] += 1
            yield [*cells, *[""] * (len(output.added) - 1), error], ""
            continue
        given = "" if output.label is None else cells[output.label].strip()
        reason = _count(tally, prediction, given)
        agrees = [_flag(given == prediction.prediction) if given else ""] if output.label is not None else []
        said = [prediction.prediction, prediction.confidence, prediction.runner_up]
        because = [prediction.because] if output.explain else []
        yield [*cells, *said, *because, _flag(bool(reason)), *agrees, ""], reason


def _fitted(cells: list[str], width: int) -> list[str]:
    """Give as many cells as the header has: too few are filled up, and of too many none is lost.

    The last one then holds itself and all that follow, joined as CSV text (`a,"b, c",d`); such a row is
    rejected, so it has the reason beside it.
    """
    if len(cells) > width:
        return [*cells[: width - 1], csv_line(cells[width - 1 :])]
    return [*cells, *[""] * (width - len(cells))]


def _count(tally: Tally, prediction: Prediction, given: str) -> str:
    """Count a predicted row, and give the reason to look at it or an empty string."""
    tally.predicted += 1
    tally.categories[prediction.prediction] += 1
    reasons = [prediction.doubt] if prediction.doubt else []
    if given:
        tally.labelled += 1
        tally.agreeing += given == prediction.prediction
    if given and given != prediction.prediction:
        reasons.append(f"{DISAGREES}: {given}")
        pair = (given, prediction.prediction)
        if pair in tally.disagreements or len(tally.disagreements) < PAIR_LIMIT:
            tally.disagreements[pair] += 1
    tally.review_rows += bool(reasons)
    tally.review_by_category[prediction.prediction] += bool(reasons)
    tally.reasons.update(reason.split(":", 1)[0] for reason in reasons)
    return "; ".join(reasons)


def _flag(value: bool) -> str:
    return "true" if value else "false"
