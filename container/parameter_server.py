"""MXNet's parameter server: a scheduler on the first host and a server on every host, as child processes.

`running` starts those of this host and makes its process a worker. Started as a program, this module is one
of them: it ends with its training, and with the pipe from the process that started it.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from container.driver import ensure_driver
from container.failure import ProgramError
from model.cores import use_available_cores
from model.errors import HostLostError, TrainingError
from model.hosts import Hosts

PORT = "8000"  # of the scheduler, if CLAIMFLOW_PARAMETER_SERVER_PORT does not say otherwise
LOOPBACK = "lo"
RESOLVING_SECONDS = 300
ENDING_SECONDS = 10


@contextlib.contextmanager
def running(hosts: Hosts, interface: str) -> Iterator[None]:
    """Run this host's part of the parameter server, and let MXNet find all of it."""
    variables = environment(hosts, interface)
    os.environ.update(variables | {"DMLC_ROLE": "worker"})
    roles = ["scheduler", "server"] if hosts.first else ["server"]
    children = [_start(role, variables) for role in roles]
    try:
        yield
    except HostLostError:
        raise
    except TrainingError:  # of all hosts alike, such as a training that was asked to stop
        _wait(children)
        raise
    else:
        _wait(children)
    finally:
        for child in children:
            child.kill()
            child.communicate()


def environment(hosts: Hosts, interface: str) -> dict[str, str]:
    """Return the variables by which the processes of all hosts find each other.

    Raises ProgramError when the first host has no address in time.
    """
    own_address = (
        {"DMLC_NODE_HOST": _address(hosts.current)}
        if interface == LOOPBACK
        else {"DMLC_INTERFACE": interface}
    )
    return own_address | {
        "DMLC_PS_ROOT_URI": _address(hosts.names[0]),
        "DMLC_PS_ROOT_PORT": os.environ.get("CLAIMFLOW_PARAMETER_SERVER_PORT", PORT),
        "DMLC_NUM_WORKER": str(len(hosts.names)),
        "DMLC_NUM_SERVER": str(len(hosts.names)),
    }


def _address(name: str) -> str:
    """Return the address of a host; its name may be known some time after the host has started."""
    end = time.monotonic() + RESOLVING_SECONDS
    while True:
        try:
            return socket.gethostbyname(name)
        except OSError as error:
            if time.monotonic() > end:
                raise ProgramError(
                    f"The host {name} had no address for {RESOLVING_SECONDS} seconds ({error}): "
                    "see whether it has started, and start the same request again."
                ) from error
            time.sleep(1)


def _start(role: str, variables: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "container.parameter_server"],
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, **variables, "DMLC_ROLE": role, "CUDA_VISIBLE_DEVICES": ""},
        stdin=subprocess.PIPE,
    )


def _wait(children: "list[subprocess.Popen[bytes]]") -> None:
    """Let the children end by themselves, as they do when every host has parted from the others.

    To end the scheduler before that would leave the other hosts without its answer.
    """
    end = time.monotonic() + ENDING_SECONDS
    with contextlib.suppress(subprocess.TimeoutExpired):
        for child in children:
            child.wait(max(end - time.monotonic(), 0))


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Be what DMLC_ROLE names."""
    # Who stops all processes of a host means the training, which still needs this one to stop in order.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    ensure_driver()
    use_available_cores()
    import mxnet  # noqa: F401, PLC0415  its import is the whole work of a scheduler or server


if __name__ == "__main__":
    main()
