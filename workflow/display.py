"""How things look in the terminal. Everything that a command prints goes through here."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
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

from contract.text import duration
from workflow import outcome
from workflow.account import Account
from workflow.errors import CommandError, told
from workflow.executions import DONE, FAILED, RUNNING, STOPPED, Step
from workflow.models import LIVE
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
HALF_MINUTE = timedelta(seconds=30)
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
BIG_FILE = 8 * 1024 * 1024  # from here on an upload shows a bar

console = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)


def say(text: str = "", style: str = "") -> None:
    """Print a line as it is; rich reads no markup in it."""
    console.print(Text(writable(text), style=style), soft_wrap=True)


def note(sentence: str) -> None:
    """Print to stderr what a person may want to know while results go to stdout."""
    stderr.print(Text(writable(sentence), style="dim"), soft_wrap=True)


def complain(sentence: str, lines: Iterable[str] = ()) -> None:
    """Print an error's sentence to stderr, after the lines that it refers to."""
    for line in lines:
        stderr.print(Text(writable(line), style="dim"), soft_wrap=True)
    stderr.print(Text(writable(sentence), style="red"), soft_wrap=True)


def pairs(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and texts in two columns; a long text, an address say, stays in one line to be copied."""
    lines = list(rows)
    width = max((len(name) for name, _ in lines), default=0)
    for name, text in lines:
        console.print(Text.assemble((f"  {name:<{width}}  ", "dim"), writable(text)), soft_wrap=True)


def clock(when: datetime) -> str:
    """Return a moment in the time of this machine."""
    return f"{when.astimezone():%H:%M:%S}"


def watch(runs: Iterable[Run], log_line: Callable[[Run], str | None]) -> Run:
    """Show a run while it goes on; returns it as it ended.

    A terminal gets a live table, anything else a line a change and, while there is none, every half minute.
    """
    return (_watch_live if console.is_terminal else _watch_plainly)(runs, log_line)


def steps_table(run: Run) -> Table:
    """Return the table of a run's states."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "State", "Status", "Started"):
        table.add_column(name, overflow="fold")
    table.add_column("Took", justify="right", no_wrap=True)
    table.add_column("Attempt", justify="right", no_wrap=True)
    for step in run.steps:
        sign, style = SIGNS[step.status]
        table.add_row(
            Text(sign, style=style),
            step.name,
            Text(_status(step), style=style),
            clock(step.started),
            duration(step.duration(run.ended or now()).total_seconds()),
            str(step.attempts) if step.attempts else "",
        )
    return table


def summary(run: Run, account: Account) -> None:
    """Print what a run of the account that ended came to."""
    took = duration(((run.ended or now()) - run.started).total_seconds())
    state = outcome.state_of(run)
    style = STATE_STYLE.get(state, "")
    say()
    say(f"{run.name}: {ENDINGS.get(state, state)} after {took}.", style)
    pairs([*outcome.figures(run, local=account.local), *outcome.addresses(run, links=not account.local)])
    for warning in outcome.warnings(run):
        say(warning, "yellow")
    sentence = outcome.sentence(run)
    if run.status != "SUCCEEDED" or sentence != outcome.FINE:
        say(sentence, style)
    for hint in outcome.hints(run, account.command):
        say(hint, "yellow")


def whose(run: Run, which: str) -> None:
    """Say of which run what follows is and, unless it is done, what it came to."""
    state = outcome.state_of(run)
    say(f"{which} {run.name} ({state}):", STATE_STYLE.get(state, ""))
    if state != outcome.DONE:
        say(outcome.sentence(run), STATE_STYLE.get(state, ""))


def run(run: Run, account: Account) -> None:
    """Print a run's table and, if it has ended, what it came to (see `summary`)."""
    say(run.name, "bold")
    console.print(steps_table(run))
    if not run.running:
        summary(run, account)


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
    """Show a file on its way; returns what to call with each number of bytes sent."""
    size = path.stat().st_size
    if size < BIG_FILE or not console.is_terminal:
        say(f"Uploading {path.name} ({filesize.decimal(size)})")
        yield _sent(path.name, size)
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
    """Show that something takes its time; returns what to call with each line it writes, to show the last."""
    say(what, "bold")
    if not console.is_terminal:
        pace = _Pace()
        yield lambda line: say(f"  {line.strip()}") if pace.due() else None
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


class _Pace:
    """Lets something through every half minute, for outputs in which nothing is written over."""

    def __init__(self) -> None:
        self._last = now()

    def reset(self) -> None:
        """Wait for another half minute."""
        self._last = now()

    def due(self) -> bool:
        """Return whether the half minute is over; another one begins then."""
        over = now() - self._last >= HALF_MINUTE
        if over:
            self.reset()
        return over


def _sent(name: str, size: int) -> Callable[[int], None]:
    pace, done = _Pace(), 0

    def tell(sent: int) -> None:
        nonlocal done
        done += sent
        if pace.due():
            say(f"{clock(now())} Uploading {name}: {filesize.decimal(done)} of {filesize.decimal(size)}")

    return tell


def _watch_plainly(runs: Iterable[Run], log_line: Callable[[Run], str | None]) -> Run:
    told: set[tuple[int, str, int]] = set()
    last: Run | None = None
    pace = _Pace()
    for run in runs:
        last = run
        for number, step in enumerate(run.steps):
            change = (number, step.status, step.attempts if step.status == RUNNING else 0)
            if change not in told:
                told.add(change)
                pace.reset()
                say(_plain_line(step, run))
        if run.running and run.steps and pace.due():
            say(_going_on(run, log_line(run)))
    return _ended(last)


def _going_on(run: Run, log_line: str | None) -> str:
    step = run.steps[-1]
    took = duration(step.duration(now()).total_seconds())
    return f"{clock(now())} {step.name}: {step.status} for {took}" + (f": {log_line}" if log_line else "")


def _plain_line(step: Step, run: Run) -> str:
    when = clock(step.ended or step.started)
    took = f", {duration(step.duration(run.ended or now()).total_seconds())}" if step.ended else ""
    attempt = f", attempt {step.attempts}" if step.attempts > 1 else ""
    return f"{when} {step.name}: {_status(step)}{took}{attempt}"


def _status(step: Step) -> str:
    if step.waits and step.status == RUNNING:
        return step.waits
    return f"{step.status} ({re.sub(r'^States[.]', '', step.error)})" if step.error else step.status


def writable(text: str) -> str:
    r"""Replace what no terminal takes, and what would command it.

    That is the bytes of a file's name that are not UTF-8, and the control characters that a header or a key
    may hold, which are written as `\x1b`.
    """
    return _COMMANDS.sub(lambda one: f"\\x{ord(one[0]):02x}", text.encode(errors="replace").decode())


def give_up_output() -> None:
    """Let what stdout still holds go nowhere; Python would fail on it once more as it ends."""
    with suppress(OSError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def moment(when: datetime) -> str:
    """Return a day and time in the time of this machine."""
    return f"{when.astimezone():%Y-%m-%d %H:%M}"


def _ended(last: Run | None) -> Run:
    if last is None:
        raise ValueError("nothing was watched")
    return last
