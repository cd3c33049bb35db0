"""Runs `train` or `predict`, and sends a signal at a named point: `at.py PROGRAM MODULE:NAME COUNT SIGNAL`.

The signal comes before the COUNT-th call of the function, from inside the program, so the point is exact.
SIGTERM and SIGKILL go to the process that works; HOST takes the one that watches it away too, as a lost
machine does. DISK is no signal: there the disk is full.
"""

import errno
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from container.driver import ensure_driver
from container.supervision import supervised

PROGRAMS = {"train": "container.training", "predict": "container.prediction"}


def interrupted(module: str, name: str, count: int, send: Callable[[], None]) -> None:
    """Let `send` be called before the `count`-th call of a function."""
    owner: Any = importlib.import_module(module)
    *outer, last = name.split(".")
    for part in outer:
        owner = getattr(owner, part)
    original, calls = getattr(owner, last), iter(range(count))

    def function(*arguments: Any, **named: Any) -> Any:
        if next(calls, -1) == count - 1:
            send()
        return original(*arguments, **named)

    setattr(owner, last, function)


def sender(name: str) -> Callable[[], None]:
    """Return what sends the signal to this process, and for HOST to its parent before."""

    def send() -> None:
        print(f"{name} now", flush=True)
        if name == "DISK":
            raise OSError(errno.ENOSPC, "No space left on device")
        if name == "HOST":
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGTERM if name == "TERM" else signal.SIGKILL)

    return send


def main(program: str, point: str, count: str, name: str) -> int:
    """Run the program to its end, or to the point; returns the exit code."""
    entry = importlib.import_module(PROGRAMS[program])
    module, _, function = point.partition(":")

    def work() -> int:
        ensure_driver()
        interrupted(module, function, int(count), sender(name))
        return int(entry.main())

    return supervised(work, entry.killed)


sys.exit(main(*sys.argv[1:]))
