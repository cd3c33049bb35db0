"""Becomes a program that the kernel ends when the server ends, however that ends: `kill -9` included.

Run as a script: launch.py SERVER_PID PIDS PROGRAM [ARGUMENT...]. PIDS, unless it is empty, is the folder in
which a file tells of the process. The file is there before the program begins, so that none is ever missed.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to the server, write its record, and become the program."""
    server, pids, *command = sys.argv[1:]
    if sys.platform == "linux":  # elsewhere the warden alone ends what the server leaves behind
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(server):  # it was gone before the kernel knew
        sys.exit(1)
    if pids:
        _write(Path(pids) / f"{server}-{os.getpid()}.json")
    try:
        os.execvp(command[0], command)  # noqa: S606 - that no shell reads it is what is wanted
    except OSError as error:
        sys.exit(f"CannotStartContainerError: {error.strerror}: {command[0]}")


def _write(record: Path) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from local.identity import identify  # noqa: PLC0415 - Lambda workers, which start often, have no record

    identify(os.getpid()).save(record)


if __name__ == "__main__":
    main()
