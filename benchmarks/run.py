"""Runs the contenders in turn, each measurement in a fresh process on the same cores."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import data, machine
from benchmarks.data import Dataset, Prepared
from benchmarks.errors import BenchmarkError
from benchmarks.results import Failure, Measured, Measurement, Results, Stream
from benchmarks.roster import ROOT, Contender

LONGEST_SECONDS = 6 * 3600  # of one process
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
LONGEST_SENTENCE = 300  # characters of a contender's last words that a failure tells

Item = TypeVar("Item")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to measure, and where."""

    contenders: list[Contender]
    datasets: list[Dataset]
    rounds: int
    limit: int | None
    cores: list[int]  # that may be used; each contender gets as many as it is measured on
    source: Path  # the data sets
    work: Path  # an empty folder, for files that nobody needs later


def run(plan: Plan, keep: Callable[[Results], None], tell: Tell) -> Results:
    """Measure everyone once a round, each round beginning with another; `keep` gets the results so far."""
    check(plan.contenders)
    prepared = {each.name: prepare(plan, each, 0) for each in plan.datasets}
    results = empty(plan, prepared)
    for number in range(plan.rounds):
        for dataset in plan.datasets:
            if dataset.drawn and number:
                prepared[dataset.name] = prepare(plan, dataset, number)
            for contender in present(rotated(plan.contenders, number), dataset, number):
                results = one_more(
                    results, plan, prepared[dataset.name], (dataset.name, contender, number + 1), tell
                )
                keep(results)
    return results


def prepare(plan: Plan, dataset: Dataset, number: int) -> Prepared:
    """Write the files of a data set, those of a round if it is drawn anew each round."""
    return data.prepare(dataset, plan.source, plan.work / dataset.name, plan.limit, draw=number)


def present(contenders: Sequence[Contender], dataset: Dataset, number: int) -> list[Contender]:
    """Return who is measured on a data set in a round: the slow ones in the first only."""
    return [each for each in contenders if dataset.name in each.datasets and not (each.slow and number)]


def rotated(items: Sequence[Item], by: int) -> list[Item]:
    """Return the items beginning with another one each round, so that nobody always goes first."""
    start = by % len(items)
    return [*items[start:], *items[:start]]


def one_more(
    results: Results, plan: Plan, prepared: Prepared, turn: tuple[str, Contender, int], tell: Tell
) -> Results:
    """Return the results with one measurement more, or one failure."""
    dataset, contender, number = turn
    where = {"dataset": dataset, "contender": contender.name, "round": number}
    try:
        made = Measurement(**where, cores=contender.cores, **measure(contender, prepared, plan))
    except BenchmarkError as error:
        tell(f"{dataset} {contender.name} round {number}: {error}")
        failed = Failure(**where, sentence=str(error))
        return results.model_copy(update={"failures": [*results.failures, failed]})
    tell(
        f"{dataset} {contender.name} round {number}: {made.accuracy:.2%} right, trained in "
        f"{made.train_cpu_seconds:.1f} CPU s, {made.documents_per_second:,.0f} documents/s"
    )
    return results.model_copy(update={"measurements": [*results.measurements, made]})


def measure(contender: Contender, prepared: Prepared, plan: Plan) -> dict[str, Any]:
    """Train in one process and predict in another; raises BenchmarkError when either fails."""
    scratch = plan.work / "contender"
    order = training_order(contender, plan, prepared, scratch)
    order |= {"test": str(prepared.test), "warm_up": str(prepared.warm_up)}
    try:
        trained = child(contender, order | {"action": "train"}, plan.work)
        return trained | child(contender, order | {"action": "predict"}, plan.work)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def stream(plan: Plan, counts: Sequence[int], tell: Tell) -> list[Stream]:
    """Label files of so many rows with the first contender; returns the peak memory of each."""
    contender, dataset = plan.contenders[0], plan.datasets[0]
    check([contender])
    prepared = data.prepare(dataset, plan.source, plan.work / dataset.name, plan.limit)
    order = training_order(contender, plan, prepared, plan.work)
    child(contender, order | {"action": "train"}, plan.work)
    made = []
    for count in counts:
        path = data.repeated(prepared, count, plan.work / "rows.csv")
        files = {"test": str(path), "part": str(plan.work / "part.csv")}
        figures = child(contender, order | files | {"action": "stream"}, plan.work)
        made.append(Stream(dataset=dataset.name, contender=contender.name, **figures))
        tell(f"{count:,} rows in {made[-1].seconds:.0f} s, {made[-1].peak_mib:,.0f} MiB at most")
    return made


def training_order(contender: Contender, plan: Plan, prepared: Prepared, folder: Path) -> dict[str, Any]:
    """Return what a process is told that trains; what it makes lies below `folder`."""
    return {
        "module": contender.module,
        "options": contender.order(),
        "cores": plan.cores[-contender.cores :],
        "train": str(prepared.train),
        "scratch": str(folder / "scratch"),
        "model": str(folder / "model"),
    }


def child(contender: Contender, order: dict[str, Any], work: Path) -> dict[str, Any]:
    """Return the figures of one process; raises BenchmarkError with the last that it said."""
    log = work / "log.txt"
    threads = dict.fromkeys(THREAD_SETTINGS, str(len(order["cores"])))
    root = checkout(contender.commit, work) if contender.commit else ROOT
    path = {"PYTHONPATH": os.pathsep.join([str(root), str(root / "functions")])}  # older commits need both
    try:
        with log.open("wb") as file:
            done = subprocess.run(
                [contender.python, "-m", "benchmarks.measure"],
                input=json.dumps(order).encode(),
                stdout=subprocess.PIPE,
                stderr=file,
                env=os.environ | threads | path,
                cwd=root,
                timeout=LONGEST_SECONDS,
                check=True,
            )
    except subprocess.SubprocessError as error:
        raise BenchmarkError(f"it could not {order['action']}: {last_line(log) or error}") from error
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def checkout(commit: str, work: Path) -> Path:
    """Return a folder with the project as it was at a commit; raises BenchmarkError if git lacks it."""
    folder = work / commit
    if not folder.exists():
        archive = work / f"{commit}.tar"
        try:
            subprocess.run(
                ["git", "archive", "-o", archive, commit], cwd=ROOT, check=True, capture_output=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise BenchmarkError(f"git does not have the commit {commit} ({error}).") from error
        shutil.unpack_archive(archive, folder)
    return folder


def last_line(log: Path) -> str:
    """Return the last line that a process wrote; of an error that is its sentence."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1][:LONGEST_SENTENCE] if lines else ""


def check(contenders: Sequence[Contender]) -> None:
    """Raise BenchmarkError when a configuration is wrong or an environment has not been made."""
    for contender in contenders:
        contender.order()
    if missing := [each for each in contenders if not each.python.exists()]:
        environment = missing[0].environment
        raise BenchmarkError(
            f"{missing[0].name} needs the environment .venv/{environment}; "
            f"run `make .venv/{environment}/.done`."
        )


def empty(plan: Plan, prepared: dict[str, Prepared]) -> Results:
    """Return the results of a run that has not begun."""
    wanted = set(Measured.model_fields)
    return Results(
        date=datetime.now(UTC).date().isoformat(),
        machine=machine.machine(),
        versions=machine.versions(),
        rounds=plan.rounds,
        limit=plan.limit,
        datasets={
            name: Measured(**{key: value for key, value in asdict(made).items() if key in wanted})
            for name, made in prepared.items()
        },
    )
