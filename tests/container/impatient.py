"""Runs `train`, where waiting for other hosts ends with the standard input, not after some seconds.

So a test says when the time is up, which it knows, instead of guessing how long a busy machine takes.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from container import training
from container.driver import ensure_driver
from container.supervision import supervised

TIME_IS_UP: Future[None] = Future()


class Waiting:
    """Work that is done in a thread."""

    def __init__(self, future: Future[Any]) -> None:
        self.future = future

    def result(self, timeout: float) -> Any:
        """Return what the work returns. Raises TimeoutError when the test says that the time is up."""
        assert timeout > 0
        wait([self.future, TIME_IS_UP], return_when=FIRST_COMPLETED)
        if self.future.done():
            return self.future.result()
        raise TimeoutError


class Executor(ThreadPoolExecutor):
    """An executor whose work is waited for until the test says that the time is up."""

    def submit(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Do the work in the thread."""
        return Waiting(super().submit(work, *arguments, **named))


def end_of_input() -> None:
    while os.read(0, 1024):  # not by sys.stdin, whose lock a forked process would find taken for ever
        pass
    TIME_IS_UP.set_result(None)


def work() -> int:
    """Train a model."""
    ensure_driver()
    from model import parallel  # noqa: PLC0415  it imports MXNet, which needs the driver library first

    parallel.ThreadPoolExecutor = Executor  # type: ignore[misc]
    threading.Thread(target=end_of_input, daemon=True).start()
    return training.main()


sys.exit(supervised(work, training.killed))
