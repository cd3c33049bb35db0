"""How things look in the terminal. Everything that a command prints goes through here."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

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
from workflow.errors import CommandError, told
from workflow.executions import DONE, FAILED, RUNNING, STOPPED, Step
from workflow.models import Model
from workflow.runs import Run, now

SIGNS = {
    RUNNING: ("…", "yellow"),
    DONE: ("✓", "green"),
    FAILED: ("✗", "red"),
    STOPPED: ("■", "magenta"),
}
STATUS_STYLE = {
    "SUCCEEDED": "green",
    "FAILED": "red",
    "RUNNING": "yellow",
    "Approved": "green",
    "Rejected": "red",
}
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
    style = STATUS_STYLE.get(run.status, "")
    say()
    ended = "model rejected" if run.rejected else run.status.lower().replace("_", " ")
    say(f"{run.name}: {ended} after {took}.", "yellow" if run.rejected else style)
    pairs([*outcome.figures(run), *outcome.addresses(run)])
    if run.status != "SUCCEEDED":
        say(outcome.sentence(run), "yellow" if run.rejected else "red")
    for hint in outcome.hints(run, command):
        say(hint, "yellow")


def run(run: Run, command: str) -> None:
    """Print a run's table and, if it has ended, what it came to (see `summary`)."""
    say(run.name, "bold")
    console.print(steps_table(run))
    if not run.running:
        summary(run, command)


def runs_table(rows: Sequence[tuple[str, str, datetime, datetime | None]]) -> None:
    """Print a table of runs: name, status, began, ended."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Run", overflow="fold")
    for name in ("Status", "Started"):
        table.add_column(name, no_wrap=True)
    table.add_column("Took", justify="right", no_wrap=True)
    for name, status, began, ended in rows:
        shown = Text(status.lower().replace("_", " "), style=STATUS_STYLE.get(status, ""))
        table.add_row(name, shown, _moment(began), duration((ended or now()) - began))
    console.print(table)


def models_table(models: Sequence[Model], live: Model | None) -> None:
    """Print a table of model versions, the live one marked."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Version", "Accuracy"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("Status", "Created", ""):
        table.add_column(name, no_wrap=True)
    for model in models:
        table.add_row(
            str(model.version),
            "" if model.accuracy is None else outcome.percent(model.accuracy),
            Text(model.status, style=STATUS_STYLE.get(model.status, "yellow")),
            _moment(model.created),
            Text("live", style="bold green") if model == live else "",
        )
    console.print(table)


@contextmanager
def plain_errors(local: Callable[[], bool]) -> Iterator[None]:
    """Turn an error into one sentence and exit code 1; `local` tells whether the local AWS was asked."""
    try:
        yield
    except CommandError as error:
        complain(str(error), getattr(error, "lines", ()))
    except (BotoCoreError, ClientError, Boto3Error) as error:
        complain(str(told(error, local())))
    except BrokenPipeError:
        raise  # whoever read the output has enough: typer ends quietly
    except OSError as error:
        if error.filename is None:
            give_up_output()
        complain(str(told(error, local())))
    else:
        return
    raise typer.Exit(outcome.EXIT_FAILED)


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
