"""Ends what a server leaves behind: waits for the server's end, and kills the process groups that it started.

Run as a script: warden.py SERVER_PID PIDS, with a pipe as standard input that only the server can write to:
when the server ends, however that is, the pipe does. The kernel has ended the programs themselves by then
(`launch`); their own children, a shell's for example, end here.
"""

import contextlib
import os
import select
import signal
import sys
from pathlib import Path


def main() -> None:
    """Wait and kill."""
    server, pids = int(sys.argv[1]), Path(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _wait_for_end(server)
    for record in pids.glob(f"{server}-*.json"):
        _kill_group(int(record.stem.partition("-")[2]))
        record.unlink(missing_ok=True)
    _kill_group(server)  # the workers of Lambda functions are in the server's own group


def _wait_for_end(server: int) -> None:
    """Wait until the pipe has ended, and the kernel has then ended all that is tied to the server."""
    ended = os.pidfd_open(server) if sys.platform == "linux" else None
    sys.stdin.buffer.read()
    if ended is not None:
        select.select([ended], [], [])


def _kill_group(number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)


if __name__ == "__main__":
    main()
