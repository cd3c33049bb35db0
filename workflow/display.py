"""How things look in the terminal. Everything that a command prints goes through here."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from rich import filesize
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from workflow import outcome
from workflow.account import Account
from workflow.errors import CommandError, told
from workflow.executions import DONE, FAILED, RUNNING, STOPPED, Step
from workflow.models import LIVE, Model
from workflow.records import Record
from workflow.runs import Run, now

SIGNS = {
    RUNNING: ("…", "yellow"),
    DONE: ("✓", "green"),
    FAILED: ("✗", "red"),
    STOPPED: ("■", "magenta"),
}
STATE_STYLE = {
    outcome.DONE: "green",
    outcome.FAILED: "red",
    outcome.REJECTED: "yellow",
    outcome.PARTLY: "yellow",
    outcome.WAITING: "yellow",
    outcome.RUNNING: "yellow",
    outcome.STOPPED: "magenta",
    LIVE: "bold green",
}
ENDINGS = {outcome.REJECTED: "model rejected", outcome.WAITING: "done, the model waits for approval"}
WIDEST = 1_000_000
NUMBERS = {"Version", "Rows", "Categories", "Model"}
BIG_FILE = 8 * 1024 * 1024  # from here on an upload shows a bar

console = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)


def say(text: str = "", style: str = "") -> None:
    """Print a line as it is; rich reads no markup in it."""
    console.print(Text(_writable(text), style=style), soft_wrap=True)


def complain(sentence: str, lines: Iterable[str] = ()) -> None:
    """Print an error's sentence to stderr, after the lines that it refers to."""
    for line in lines:
        stderr.print(Text(line, style="dim"), soft_wrap=True)
    stderr.print(Text(_writable(sentence), style="red"), soft_wrap=True)


def pairs(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and texts in two columns; a long text, an address say, stays in one line to be copied."""
    found = list(rows)
    width = max((len(name) for name, _ in found), default=0)
    for name, text in found:
        console.print(Text.assemble((f"  {name:<{width}}  ", "dim"), text), soft_wrap=True)


def duration(span: timedelta) -> str:
    """Give a duration as people say it: 0.4 s, 12 s, 3 min 05 s, 2 h 07 min."""
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def clock(when: datetime) -> str:
    """Give a moment in the time of this machine."""
    return f"{when.astimezone():%H:%M:%S}"


def watch(runs: Iterable[Run], log_line: Callable[[Run], str | None]) -> Run:
    """Show a run while it goes on; gives it as it ended.

    A terminal gets a live table, anything else a line a change.
    """
    return _watch_live(runs, log_line) if console.is_terminal else _watch_plainly(runs)


def steps_table(run: Run) -> Table:
    """Give the table of a run's states."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "State", "Status", "Started"):
        table.add_column(name, no_wrap=True)
    table.add_column("Took", justify="right", no_wrap=True)
    table.add_column("Attempt", justify="right", no_wrap=True)
    for step in run.steps:
        sign, style = SIGNS[step.status]
        table.add_row(
            Text(sign, style=style),
            step.name,
            Text(_status(step), style=style),
            clock(step.started),
            duration(step.duration(run.ended or now())),
            str(step.attempts) if step.attempts else "",
        )
    return table


def summary(run: Run, command: str) -> None:
    """Print what a run that ended came to; `command` is how to write `claimflow` for its account."""
    took = duration((run.ended or now()) - run.started)
    state = outcome.state_of(run)
    style = STATE_STYLE.get(state, "")
    say()
    say(f"{run.name}: {ENDINGS.get(state, state)} after {took}.", style)
    pairs([*outcome.figures(run), *outcome.addresses(run)])
    for warning in outcome.warnings(run):
        say(warning, "yellow")
    said = outcome.sentence(run)
    if run.status != "SUCCEEDED" or said != outcome.FINE:
        say(said, style)
    for hint in outcome.hints(run, command):
        say(hint, "yellow")


def whose(run: Run, which: str) -> None:
    """Say of which run what follows is and, unless it is done, what it came to."""
    state = outcome.state_of(run)
    say(f"{which} {run.name} ({state}):", STATE_STYLE.get(state, ""))
    if state != outcome.DONE:
        say(outcome.sentence(run), STATE_STYLE.get(state, ""))


def as_json(documents: Sequence[dict[str, Any]]) -> None:
    """Print a list of documents as JSON."""
    say(json.dumps(documents, indent=2, ensure_ascii=False))


def run(run: Run, command: str) -> None:
    """Print a run's table and, if it has ended, what it came to (see `summary`)."""
    say(run.name, "bold")
    console.print(steps_table(run))
    if not run.running:
        summary(run, command)


def runs_list(records: Sequence[Record]) -> None:
    """Print a line about each run: a table where it fits, two lines where not, tabs for programs."""
    heads = ("Run", "State", "Started", "File", "Action", "Rows", "Categories", "Model", "Figures", "By")
    _list(heads, [_run_cells(each) for each in records])


def models_list(models: Sequence[Model], live: Model | None) -> None:
    """Print a line about each model version, as `runs_list` does."""
    heads = ("Version", "State", "Created", "File", "Rows", "Categories", "Accuracy", "By", "Run")
    _list(heads, [_model_cells(each, each == live) for each in models])


def _run_cells(each: Record) -> list[str]:
    return [
        each.name,
        each.state,
        _moment(each.started),
        each.file or "",
        each.action or "",
        _count(each.rows),
        _count(each.categories),
        _count(each.model),
        each.figures,
        each.started_by or "",
    ]


def _model_cells(each: Model, live: bool) -> list[str]:
    return [
        str(each.version),
        each.state(live),
        _moment(each.created),
        each.file or "",
        _count(each.rows),
        _count(each.categories),
        each.figures,
        each.started_by or "",
        each.run or "",
    ]


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _list(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows so that nothing in them is ever cut, as names are there to be copied."""
    if not console.is_terminal:
        for row in (heads, *rows):
            typer.echo(_writable("\t".join(" ".join(cell.split()) for cell in row)))  # rich makes tabs blanks
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads:
        table.add_column(head, no_wrap=True, justify="right" if head in NUMBERS else "left")
    for row in rows:
        table.add_row(*(Text(cell, style=STATE_STYLE.get(cell, "")) for cell in row))
    if console.measure(table, options=console.options.update(width=WIDEST)).maximum <= console.width:
        console.print(table)
        return
    for row in rows:
        say(f"{row[0]}  {row[1]}", STATE_STYLE.get(row[1], ""))
        named = zip(heads[2:], row[2:], strict=True)
        say("  " + ", ".join(f"{head.lower()} {cell}" for head, cell in named if cell), "dim")


@contextmanager
def plain_errors(account: Callable[[], Account]) -> Iterator[None]:
    """Turn an error into one sentence and exit code 1; `account` gives the one that was asked."""
    try:
        yield
    except CommandError as error:
        complain(str(error), getattr(error, "lines", ()))
    except (BotoCoreError, ClientError, Boto3Error) as error:
        complain(_told(error, account()))
    except BrokenPipeError:
        raise  # whoever read the output has enough: typer ends quietly
    except OSError as error:
        if error.filename is None:
            give_up_output()
        complain(_told(error, account()))
    else:
        return
    raise typer.Exit(outcome.EXIT_FAILED)


def _told(error: Exception, account: Account) -> str:
    return str(told(error, account.deploy_command, account.local))


@contextmanager
def uploading(path: Path) -> Iterator[Callable[[int], None]]:
    """Show a file on its way; gives what to call with each number of bytes sent."""
    size = path.stat().st_size
    if size < BIG_FILE or not console.is_terminal:
        say(f"Uploading {path.name} ({filesize.decimal(size)})")
        yield lambda _: None
        return
    columns = (
        TextColumn("Uploading {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(path.name, total=size)
        yield lambda sent: progress.advance(task, sent)


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show that something takes its time; gives what to call with each line it writes, to show the last."""
    say(what, "bold")
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("", spinner="dots") as status:
        yield lambda line: status.update(Text(line.strip(), style="dim", overflow="ellipsis", no_wrap=True))


def _watch_live(runs: Iterable[Run], log_line: Callable[[Run], str | None]) -> Run:
    last: Run | None = None
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        for run in runs:
            last = run
            live.update(_live_view(run, log_line(run)), refresh=True)
    return _ended(last)


def _live_view(run: Run, line: str | None) -> RenderableType:
    parts: list[RenderableType] = [steps_table(run)]
    if line:
        parts.append(Text(f"  {line}", style="dim", overflow="ellipsis", no_wrap=True))
    return Group(*parts)


def _watch_plainly(runs: Iterable[Run]) -> Run:
    told: set[tuple[int, str, int]] = set()
    last: Run | None = None
    for run in runs:
        last = run
        for number, step in enumerate(run.steps):
            change = (number, step.status, step.attempts if step.status == RUNNING else 0)
            if change not in told:
                told.add(change)
                say(_plain_line(step, run))
    return _ended(last)


def _plain_line(step: Step, run: Run) -> str:
    when = clock(step.ended or step.started)
    took = f", {duration(step.duration(run.ended or now()))}" if step.ended else ""
    attempt = f", attempt {step.attempts}" if step.attempts > 1 else ""
    return f"{when} {step.name}: {_status(step)}{took}{attempt}"


def _status(step: Step) -> str:
    return f"{step.status} ({re.sub(r'^States[.]', '', step.error)})" if step.error else step.status


def _writable(text: str) -> str:
    """Replace what no terminal takes: the bytes of a file's name that are not UTF-8."""
    return text.encode(errors="replace").decode()


def give_up_output() -> None:
    """Let what stdout still holds go nowhere; Python would fail on it once more as it ends."""
    with suppress(OSError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _moment(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M}"


def _ended(last: Run | None) -> Run:
    if last is None:
        raise ValueError("nothing was watched")
    return last
