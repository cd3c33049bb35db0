"""The log of a job: lines go to a CloudWatch Logs stream while the job runs."""

import contextlib
import queue
import threading
import time
from typing import Any

from local.clients import client

_GATHER_SECONDS = 0.2  # lines that come within this time travel together
_BATCH = 500


class LogStream:
    """One stream of a log group; both are made if they are not there."""

    def __init__(self, endpoint: str, group: str, stream: str) -> None:
        self._logs = client("logs", endpoint)
        self._group, self._stream = group, stream
        self._lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_all, daemon=True)
        self._writer.start()

    def write(self, line: str) -> None:
        """Add a line, stamped with this moment (an empty one as a space: AWS takes no empty events)."""
        self._lines.put({"timestamp": int(time.time() * 1000), "message": line or " "})

    def close(self) -> None:
        """Wait until every line has arrived."""
        self._lines.put(None)
        self._writer.join()

    def _write_all(self) -> None:
        self._create()
        while batch := self._next_batch():
            self._logs.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=batch)

    def _create(self) -> None:
        with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            self._logs.create_log_group(logGroupName=self._group)
        with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=self._stream)

    def _next_batch(self) -> list[dict[str, Any]]:
        """Wait for a line and gather those that follow soon; empty at the end."""
        line = self._lines.get()
        batch = []
        deadline = time.monotonic() + _GATHER_SECONDS
        while line is not None:
            batch.append(line)
            remaining = deadline - time.monotonic()
            if len(batch) == _BATCH or remaining <= 0:
                return batch
            try:
                line = self._lines.get(timeout=remaining)
            except queue.Empty:
                return batch
        self._lines.put(None)  # for the next call, which then ends
        return batch
