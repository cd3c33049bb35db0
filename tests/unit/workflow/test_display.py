"""What is shown while something takes its time and the output is no terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from workflow import display
from workflow.executions import DONE, Step
from workflow.runs import Run

BEGIN = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0

    def __call__(self) -> datetime:
        return BEGIN + timedelta(seconds=self.seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(display, "now", made)
    monkeypatch.setattr(display.console, "_file", None)
    monkeypatch.setattr(display, "clock", lambda _: "12:00")
    return made


def going_on(clock: Clock, seconds: int, status: str = "RUNNING") -> Iterator[Run]:
    """A run that is looked at every five seconds while its training goes on, and then ends."""
    steps = [Step("Prepare", "Task", BEGIN, DONE, BEGIN), Step("Train", "Task", BEGIN)]
    for clock.seconds in range(0, seconds, 5):
        yield Run("arn:x", "x", status, BEGIN, None, None, None, steps)
    yield Run("arn:x", "x", "SUCCEEDED", BEGIN, clock(), None, None, steps)


def test_a_step_that_goes_on_is_told_every_half_minute_with_the_trainings_last_line(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    display.watch(going_on(clock, 100), lambda _: f"epoch 3 at {clock.seconds}")
    assert capsys.readouterr().out.splitlines() == [
        "12:00 Prepare: done, 0.0 s",
        "12:00 Train: running",
        "12:00 Train: running for 30 s: epoch 3 at 30",
        "12:00 Train: running for 1 min 00 s: epoch 3 at 60",
        "12:00 Train: running for 1 min 30 s: epoch 3 at 90",
    ]


def test_a_log_that_cannot_be_read_leaves_how_long_it_takes(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    display.watch(going_on(clock, 35), lambda _: None)
    assert capsys.readouterr().out.splitlines()[-1] == "12:00 Train: running for 30 s"


def test_an_upload_is_told_every_half_minute(
    clock: Clock, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "big.csv"
    with file.open("wb") as made:
        made.truncate(100_000_000)
    with display.uploading(file) as sent:
        for clock.seconds in range(0, 50, 10):
            sent(10_000_000)
    assert capsys.readouterr().out.splitlines() == [
        "Uploading big.csv (100.0 MB)",
        "12:00 Uploading big.csv: 40.0 MB of 100.0 MB",
    ]


def test_a_program_that_takes_its_time_is_told_every_half_minute_with_its_last_line(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with display.working("Building") as tell:
        for clock.seconds in range(0, 70, 10):
            tell(f"line at {clock.seconds}")
    assert capsys.readouterr().out.splitlines() == ["Building", "  line at 30", "  line at 60"]


def test_control_characters_of_a_file_do_not_command_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for console in (display.console, display.stderr):
        monkeypatch.setattr(console, "_file", None)
    display.say("the header has 'a\x1b[31mred\x07'")
    display.pairs([("Results", "s3://a/\x9b1m")])
    display.complain("the key x\x00", ["a line\r"])
    said = capsys.readouterr()
    assert said.out == "the header has 'a\\x1b[31mred\\x07'\n  Results  s3://a/\\x9b1m\n"
    assert said.err == "a line\\x0d\nthe key x\\x00\n"
