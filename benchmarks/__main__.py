"""The command line: `python -m benchmarks run|memory|suspects|publish`; `make benchmark` does all."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import data, page, results, roster, run, suspects
from benchmarks.errors import BenchmarkError
from benchmarks.roster import ROOT

FOLDER = Path("out") / "benchmarks"
RESULTS = FOLDER / "results.json"
STREAM_ROWS = [10_000, 1_000_000]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
Output = Annotated[Path, typer.Option(metavar="FILE", help="The results file.")]
Limit = Annotated[int | None, typer.Option(min=100, help="Rows of each split: for a try only.")]


@app.command("run")
def run_command(  # noqa: PLR0913, PLR0917  the options of a command
    contenders: Annotated[str | None, typer.Option(help="Names with commas; all if none.")] = None,
    datasets: Annotated[
        str | None, typer.Option(help="Names with commas; all that the data folder has if none.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often everyone is measured.")] = 3,
    rows: Limit = None,
    add: Annotated[bool, typer.Option("--add", help="Keep what the results file has of others.")] = False,
    output: Output = RESULTS,
) -> None:
    """Measure the contenders in turn; an older results file stays beside the new one, as *.before.json."""
    before = results.read(output) if add else None
    with working_folder() as work:
        plan = run.Plan(
            contenders=roster.chosen(contenders),
            datasets=data.chosen(datasets),
            rounds=rounds,
            limit=rows,
            cores=used_cores(max(each.cores for each in roster.chosen(contenders))),
            source=data.data_folder(),
            work=work,
        )
        if output.exists():
            output.replace(output.with_suffix(".before.json"))
        made = run.run(
            plan, lambda so_far: results.write(output, results.together(before, so_far)), typer.echo
        )
    if made.failures:
        raise BenchmarkError(f"{len(made.failures)} measurement(s) failed; {output} says which and why.")


@app.command()
def memory(
    contender: Annotated[str, typer.Option(help="Whose memory.")] = "claimflow-ngram",
    dataset: Annotated[str, typer.Option(help="Whose rows.")] = "imdb",
    rows: Limit = None,
    output: Output = RESULTS,
) -> None:
    """Measure the memory of labelling 10,000 and 1,000,000 rows, and add it to the results file."""
    so_far = results.read(output)
    counts = [rows, 10 * rows] if rows else STREAM_ROWS
    with working_folder() as work:
        made = run.stream(one_round(contender, dataset, rows, work), counts, typer.echo)
    results.write(output, so_far.model_copy(update={"streams": made}))


@app.command("suspects")
def suspects_command(
    draws: Annotated[int, typer.Option(min=1, help="How often other labels are exchanged.")] = 3,
    rows: Limit = None,
    output: Output = RESULTS,
) -> None:
    """Exchange a tenth of Banking77's labels, see which are found, and add that to the results file."""
    so_far = results.read(output)
    made = []
    for draw in range(draws):
        with working_folder() as work:
            made.append(suspects.measure(one_round("claimflow-auto", roster.NOISY, rows, work), draw))
        typer.echo(f"{made[-1].first_wrong} of the first {made[-1].first} suspects have a wrong label")
    results.write(output, so_far.model_copy(update={"suspects": made}))


@app.command()
def publish(
    output: Output = RESULTS,
    folder: Annotated[Path, typer.Option(help="Where the page goes.")] = ROOT / "docs",
    note: Annotated[list[str] | None, typer.Option(help="A sentence on how it was measured.")] = None,
) -> None:
    """Write the page, its plot and the figures: docs/benchmarks.md, .svg and .json."""
    made = results.read(output)
    if note:
        made = made.model_copy(update={"notes": note})
    for path in page.publish(made, folder):
        typer.echo(f"Wrote {path}")


def one_round(contender: str, dataset: str, rows: int | None, work: Path) -> run.Plan:
    """Return the plan to measure one contender on one data set, once and on one core."""
    return run.Plan(
        contenders=roster.chosen(contender),
        datasets=data.chosen(dataset),
        rounds=1,
        limit=rows,
        cores=used_cores(1),
        source=data.data_folder(),
        work=work,
    )


def used_cores(count: int) -> list[int]:
    """Return the numbers of the cores that all are pinned to; raises BenchmarkError if they are too few."""
    available = sorted(os.sched_getaffinity(0))
    if count > len(available):
        raise BenchmarkError(f"This machine has {len(available)} core(s), not {count}.")
    return available[-count:]


@contextmanager
def working_folder() -> Iterator[Path]:
    """Yield an empty folder on the project's disk, which is gone afterwards."""
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=ROOT / FOLDER) as folder:
        yield Path(folder)


def main() -> int:
    """Run the command line; an error is one sentence."""
    try:
        app()
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
