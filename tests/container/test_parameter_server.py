"""The processes beside a worker: where they find each other, and that none of them is left over."""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from container import parameter_server
from container.failure import ProgramError
from container.parameter_server import environment
from model.hosts import Hosts

from .conftest import HANGING_SECONDS, ROOT
from .conftest import environment as environment_of_a_job

NAMES = ("algo-1", "algo-2", "algo-3")
WAITING = """
from container.parameter_server import running
from model.hosts import Hosts
with running(Hosts(("127.0.0.1", "127.0.0.2"), "127.0.0.1"), "lo"):
    print("running", flush=True)
    input()
    raise ValueError
"""


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Lets the names of hosts be resolved to these addresses; an unknown name is known at the second try."""

    def use(addresses: dict[str, str]) -> None:
        asked: list[str] = []

        def resolve(name: str) -> str:
            asked.append(name)
            if name not in addresses or asked.count(name) < 2:
                raise OSError("Name or service not known")
            return addresses[name]

        monkeypatch.setattr("socket.gethostbyname", resolve)
        monkeypatch.setattr("time.sleep", lambda _: None)

    return use


def test_every_host_looks_for_the_scheduler_on_the_first(
    resolver: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLAIMFLOW_PARAMETER_SERVER_PORT", raising=False)
    resolver({"algo-1": "10.0.0.7"})
    for name in NAMES:
        assert environment(Hosts(NAMES, name), "eth0") == {
            "DMLC_INTERFACE": "eth0",
            "DMLC_PS_ROOT_URI": "10.0.0.7",
            "DMLC_PS_ROOT_PORT": "8000",
            "DMLC_NUM_WORKER": "3",
            "DMLC_NUM_SERVER": "3",
        }


def test_a_host_on_the_loopback_interface_tells_its_own_address(
    resolver: Callable[[dict[str, str]], None],
) -> None:
    resolver({"algo-1": "127.0.0.1", "algo-2": "127.0.0.2"})
    assert environment(Hosts(NAMES, "algo-2"), "lo")["DMLC_NODE_HOST"] == "127.0.0.2"


def test_a_first_host_without_an_address_is_told(
    resolver: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver({})
    monkeypatch.setattr(parameter_server, "RESOLVING_SECONDS", 0)
    with pytest.raises(ProgramError, match="The host algo-1 had no address for 0 seconds"):
        environment(Hosts(NAMES, "algo-2"), "eth0")


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def ends(process: int) -> bool:
    """Wait for the end of a process, which is no child of this one; `process` is its descriptor."""
    return bool(select.select([process], [], [], HANGING_SECONDS)[0])


def is_running(process: int) -> bool:
    return not select.select([process], [], [], 0)[0]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize("end", ["killed", "failed"])
def test_no_process_is_left_over(end: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with subprocess.Popen(
        [sys.executable, "-c", WAITING],
        cwd=ROOT,
        env=environment_of_a_job(CLAIMFLOW_PARAMETER_SERVER_PORT=port),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        assert started.stdout.readline() == "running\n"
        left = [os.pidfd_open(child) for child in children(started.pid)]
        assert [is_running(child) for child in left] == [True, True]
        if end == "killed":
            started.kill()
        else:
            started.stdin.write("\n")
    assert all(ends(child) for child in left)
    for child in left:
        os.close(child)
