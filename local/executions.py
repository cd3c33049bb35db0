"""What runs in a state machine execution right now, so that stopping or timing out ends it at once.

ministack walks an execution in a thread and does not interrupt it: a stopped execution would leave its
training job running. Here each execution has a `Run`, each attempt of a task an `Attempt` that can cancel
what it started. Both travel in context variables, which ministack copies into the threads of branches and of
timed tasks.
"""

import contextvars
import threading
from collections.abc import Callable
from typing import Any

Execution = dict[str, Any]


class Run:
    """One running execution.

    `ended` is set when it is stopped or has timed out, or is simply over; `closed` when nothing runs for it.
    """

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.ended = threading.Event()
        self.closed = threading.Event()
        self._lock = threading.Lock()
        self._attempts: set[Attempt] = set()

    def begin(self) -> "Attempt":
        """Begin an attempt of a task."""
        attempt = Attempt(self)
        with self._lock:
            self._attempts.add(attempt)
        return attempt

    def finish(self, attempt: "Attempt") -> None:
        """Forget an attempt that is over, whatever came of it."""
        with self._lock:
            self._attempts.discard(attempt)

    def end(self) -> None:
        """Wake what waits and cancel what runs."""
        self.ended.set()
        with self._lock:
            attempts = list(self._attempts)
        for attempt in attempts:
            attempt.cancel()


class Attempt:
    """One attempt of a task, and how to cancel the job that it waits for."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock = threading.Lock()
        self._cancelled = False
        self._callbacks: list[Callable[[], object]] = []

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Call this if the attempt is cancelled, or now if it already is."""
        with self._lock:
            cancelled = self._cancelled
            self._callbacks.append(callback)
        if cancelled or self.run.ended.is_set():
            callback()

    def cancel(self) -> None:
        """Cancel it."""
        with self._lock:
            self._cancelled = True
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()


_runs: dict[str, Run] = {}
_runs_lock = threading.Lock()
current_run: contextvars.ContextVar[Run | None] = contextvars.ContextVar("current_run", default=None)
current_attempt: contextvars.ContextVar[Attempt | None] = contextvars.ContextVar(
    "current_attempt", default=None
)


def open_run(execution: Execution) -> Run:
    """Begin to keep track of an execution."""
    run = Run(execution)
    with _runs_lock:
        _runs[execution["executionArn"]] = run
    return run


def close_run(run: Run) -> None:
    """Forget an execution that is over."""
    run.ended.set()
    with _runs_lock:
        _runs.pop(run.execution["executionArn"], None)
    run.closed.set()


def find_run(arn: str) -> Run | None:
    """Find the run of an execution, while it runs."""
    with _runs_lock:
        return _runs.get(arn)
