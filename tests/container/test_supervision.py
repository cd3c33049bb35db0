"""What is left to say why a program was killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from container import failure
from container.failure import Wording
from model.errors import ModelError

from .conftest import ROOT, environment

PROGRAM = """
import os, signal, sys, time
from container.supervision import supervised
def work():
    print(os.getpid(), flush=True)
    {work}
sys.exit(supervised(work, lambda number: print("killed by", number.name, flush=True)))
"""
WORDING = Wording(disk_full="full disk", more_memory="take more.", unexpected="unexpected {}")


def start(work: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(work=work)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_that_of_the_work(code: int) -> None:
    with start(f"return {code}") as program:
        assert program.communicate()[0].count("\n") == 1
    assert program.returncode == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_process_is_told(number: signal.Signals) -> None:
    with start(f"os.kill(os.getpid(), {int(number)})") as program:
        assert program.communicate()[0].splitlines()[1:] == [f"killed by {number.name}"]
    assert program.returncode == 128 + number


def test_a_signal_reaches_the_work_which_may_end_in_its_own_time() -> None:
    work = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9)); print('ready', flush=True); time.sleep(60)"
    with start(work) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.stdout.readline()
        program.send_signal(signal.SIGTERM)
        assert program.communicate()[0] == ""
    assert program.returncode == 9


def test_the_work_does_not_outlive_the_one_who_watches_it() -> None:
    with start("time.sleep(60); print('outlived it', flush=True)") as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.kill()
        assert program.stdout.read() == "", "the pipe ends with the last process that holds it: the work"


def test_a_training_whose_work_is_killed_leaves_the_sentence(job: Callable[..., Path]) -> None:
    base = job(architecture="cnn", num_epoch=500, patience=500)
    with subprocess.Popen(
        [str(ROOT / "container" / "train")],
        env=environment(CLAIMFLOW_BASE_DIR=str(base)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pipesize=4096,  # a training that is not read stands still, long before its last epoch
    ) as program:
        assert program.stdout is not None
        assert any(line.startswith("epoch 1/500") for line in program.stdout)
        children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text(encoding="ascii")
        os.kill(int(children.split()[0]), signal.SIGKILL)
        said = program.stdout.read()
    assert program.returncode == 128 + signal.SIGKILL
    sentence = (base / "output" / "failure").read_text(encoding="utf-8")
    assert sentence.startswith("The process was killed, most likely because the memory was full: take a")
    assert sentence in said


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("cudaMalloc retry failed: out of memory"),
        BrokenProcessPool("a process ended"),
    ],
    ids=["python", "kernel", "gpu", "a process among many"],
)
def test_a_full_memory_is_told_from_other_faults(error: Exception) -> None:
    assert failure.sentence(error, WORDING) == "The memory is full: take more."
    wrapped = ModelError("The model cannot be read.")
    wrapped.__cause__ = error
    assert failure.sentence(wrapped, WORDING) == "The memory is full: take more."
    assert failure.sentence(ModelError("The model cannot be read."), WORDING) == "The model cannot be read."


def test_a_crash_is_named() -> None:
    assert "SIGSEGV" in failure.of_signal(signal.SIGSEGV, WORDING)
    assert "take more." not in failure.of_signal(signal.SIGSEGV, WORDING)
