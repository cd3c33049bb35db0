"""What was measured, as docs/benchmarks.json holds it; all that is shown is computed from it."""

import statistics
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.errors import BenchmarkError

SCHEMA = 1


class Record(BaseModel):
    """A part of the file: complete, and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Measurement(Record):
    """One contender on one data set in one round; seconds, MiB, shares."""

    dataset: str
    contender: str
    round: int
    cores: int
    train_seconds: float
    train_cpu_seconds: float
    train_peak_mib: float
    predict_seconds: float
    predict_cpu_seconds: float
    predict_peak_mib: float
    documents_per_second: float
    accuracy: float
    figures: dict[str, float]  # Claimflow's only: ece, accepted, precision


class Failure(Record):
    """A measurement that could not be made, and why."""

    dataset: str
    contender: str
    round: int
    sentence: str


class Stream(Record):
    """A file labelled to a file, as a prediction job does."""

    dataset: str
    contender: str
    rows: int
    seconds: float
    peak_mib: float


class Suspected(Record):
    """The rows that a training listed as probably mislabelled, where it is known which are."""

    draw: int
    rows: int
    wrong: int  # rows with a wrong label
    listed: int
    found: int  # listed ones that are wrong
    first: int
    first_wrong: int  # how many of the first ones are wrong


class Measured(Record):
    """A data set as it was measured."""

    train_rows: int
    test_rows: int
    labels: int
    digest: str  # of all its rows, in any order


class Results(Record):
    """A whole run."""

    schema_version: int = SCHEMA
    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    rounds: int
    limit: int | None  # rows of each split; None: all
    datasets: dict[str, Measured]
    measurements: list[Measurement] = []
    failures: list[Failure] = []
    streams: list[Stream] = []
    suspects: list[Suspected] = []
    notes: list[str] = []  # what else is to be known of how it was measured, each a sentence

    def values(self, dataset: str, contender: str, figure: str) -> list[float]:
        """Return a figure in each round in which it was measured."""
        return [
            value
            for made in self.measurements
            if (made.dataset, made.contender) == (dataset, contender)
            and (value := made.figures.get(figure, getattr(made, figure, None))) is not None
        ]

    def spread(self, dataset: str, contender: str, figure: str) -> "Spread | None":
        """Return a figure over the rounds, or None if it was not measured."""
        values = self.values(dataset, contender, figure)
        return Spread(statistics.median(values), min(values), max(values)) if values else None

    def median(self, dataset: str, contender: str, figure: str) -> float | None:
        """Return the median of a figure over the rounds, or None if it was not measured."""
        found = self.spread(dataset, contender, figure)
        return found.median if found else None

    def stream(self, rows: int) -> Stream | None:
        """Return the labelling of a file of so many rows, or None if it was not measured."""
        return next((made for made in self.streams if made.rows == rows), None)


@dataclass(frozen=True)
class Spread:
    """A figure over the rounds."""

    median: float
    low: float
    high: float


def together(before: Results | None, newer: Results) -> Results:
    """Return the newer results, and of the ones before what was not measured again."""
    if before is None:
        return newer
    again = {(made.dataset, made.contender) for made in newer.measurements}
    again |= {(made.dataset, made.contender) for made in newer.failures}
    kept = [made for made in before.measurements if (made.dataset, made.contender) not in again]
    failures = [made for made in before.failures if (made.dataset, made.contender) not in again]
    return newer.model_copy(
        update={
            "rounds": max(before.rounds, newer.rounds),
            "datasets": before.datasets | newer.datasets,
            "measurements": [*kept, *newer.measurements],
            "failures": [*failures, *newer.failures],
            "streams": newer.streams or before.streams,
            "suspects": newer.suspects or before.suspects,
            "notes": [*dict.fromkeys([*before.notes, *newer.notes])],
        }
    )


def read(path: Path) -> Results:
    """Read results; raises BenchmarkError when there are none."""
    try:
        return Results.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read; run `python -m benchmarks run` first.") from error
    except ValidationError as error:
        raise BenchmarkError(f"{path} is not a results file of this program.") from error


def write(path: Path, results: Results) -> None:
    """Write results, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(results.model_dump_json(indent=1) + "\n", encoding="utf-8")
    part.replace(path)
