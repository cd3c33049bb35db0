"""The processor cores that this process may use."""

import collections
import itertools
import math
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from model.lifetime import end_with

Given = TypeVar("Given")
Made = TypeVar("Made")

_CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # "QUOTA PERIOD", microseconds, or "max PERIOD"


def available_cores() -> int:
    """Cores that the scheduler and the container's limit leave to this process, at least 1."""
    allowed = len(os.sched_getaffinity(0))
    quota, _, period = (_CGROUP_LIMIT.read_text() if _CGROUP_LIMIT.exists() else "max").partition(" ")
    return allowed if quota.strip() == "max" else max(1, min(allowed, math.ceil(int(quota) / int(period))))


def use_available_cores() -> None:
    """Let OpenMP use the available cores, unless the environment already says otherwise.

    MXNet's OpenMP reads it once, when MXNet is imported.
    Threads that wait must sleep: they spin by default, and beside another busy process an epoch on two cores
    then took 54 seconds instead of 5.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(available_cores()))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def on_all_cores(work: Callable[[Given], Made], pieces: Iterator[Given]) -> Iterator[Made]:
    """Yield `work` of each piece, in order, done by as many processes as there are cores.

    A single piece, or a single core, is worked on here. At most two pieces a process are held at a time.
    `work` reaches the processes by fork, so it may hold large tables, but nothing of MXNet.
    """
    cores = available_cores()
    first = list(itertools.islice(pieces, 2))
    if cores == 1 or len(first) < 2:
        yield from map(work, itertools.chain(first, pieces))
        return
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(cores, context, _begin, (work, os.getpid())) as processes:
        waiting: collections.deque[Future[Made]] = collections.deque()
        for piece in itertools.chain(first, pieces):
            waiting.append(processes.submit(_remembered, piece))
            if len(waiting) > 2 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_work: list[Callable[[Any], Any]] = []  # of this process, so that it is not sent with every piece


def _begin(work: Callable[[Any], Any], parent: int) -> None:
    end_with(parent)  # or these would wait for its next piece for ever
    _work[:] = [work]


def _remembered(piece: Any) -> Any:  # noqa: ANN401  whatever the work takes and gives
    return _work[0](piece)
