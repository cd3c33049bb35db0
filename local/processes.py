"""Programs that the server starts, and that end with it however it ends.

Those that run as jobs have a process group of their own, and their output is passed on line by line.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from local.patches import Part

_LINE_LIMIT = 200_000  # an event of CloudWatch Logs may hold 256 KB
_PYTHON = (sys.executable, "-I", "-S")
_LAUNCHER, _WARDEN = (str(Path(__file__).with_name(f"{name}.py")) for name in ("launch", "warden"))
# The kernel ends a child when the thread that started it ends, so one thread that never ends starts all.
_starter = ThreadPoolExecutor(1, thread_name_prefix="starter")
_running: set["JobProcess"] = set()
_running_lock = threading.Lock()


def watch_over(pids: Path) -> subprocess.Popen[bytes]:
    """Start the warden of this process; keep the answer, which holds the pipe that tells of the end."""
    return subprocess.Popen(
        [*_PYTHON, _WARDEN, str(os.getpid()), str(pids)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def start_tied(command: Sequence[str], *, pids: Path | None = None, **options: Part) -> Part:
    """Start a program as `subprocess.Popen` does; it ends with this process, however that ends.

    Where `pids` names a folder, a file in it tells of the program from before its beginning.
    """
    tied = [*_PYTHON, _LAUNCHER, str(os.getpid()), str(pids or ""), *command]
    return _starter.submit(lambda: subprocess.Popen(tied, **options)).result()


class JobProcess:
    """A started program, its standard output and error going line by line to `on_line`.

    Raises:
        OSError: the program cannot be started.

    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        pids: Path,
        on_line: Callable[[str], None],
    ) -> None:
        self._process: subprocess.Popen[bytes] = start_tied(
            command,
            pids=pids,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._record = pids / f"{os.getpid()}-{self._process.pid}.json"
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout, on_line), daemon=True)
        self._reader.start()
        with _running_lock:
            _running.add(self)

    def wait(self) -> int:
        """Wait for the end and the last line; returns the exit code as a container has it (128 + signal)."""
        code = self._process.wait()
        # What the program left behind in its group ends with it, as in a container, and so does the pipe.
        self._signal(signal.SIGKILL)
        self._reader.join()
        self._record.unlink(missing_ok=True)
        with _running_lock:
            _running.discard(self)
        return 128 - code if code < 0 else code

    def stop(self, grace_seconds: float) -> None:
        """Ask the group to end (SIGTERM) and kill it after the grace; returns at once."""
        self._signal(signal.SIGTERM)
        killer = threading.Timer(grace_seconds, self.kill)
        killer.daemon = True
        killer.start()

    def kill(self) -> None:
        """Kill the group, unless the program has ended (its id may belong to another by then)."""
        if self._process.returncode is None:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    @staticmethod
    def _read(output: IO[bytes], on_line: Callable[[str], None]) -> None:
        for line in iter(lambda: output.readline(_LINE_LIMIT), b""):
            on_line(line.decode(errors="replace").rstrip("\r\n"))


def stop_all(grace_seconds: float) -> None:
    """Stop every job process: all get the same grace, then they are killed."""
    with _running_lock:
        left = list(_running)
    for process in left:
        process.stop(grace_seconds)
    deadline = time.monotonic() + grace_seconds
    for process in left:
        process._reader.join(max(0.0, deadline - time.monotonic()))
    for process in left:
        process.kill()
