"""Runs a program's work in a child process, so that something is left to say why it was killed.

The kernel ends a process that uses too much memory with SIGKILL, and a fault in native code ends it with
SIGSEGV or the like: nothing in that process can tell. The supervisor passes signals on, and when the child
was killed it leaves the sentence. It imports little, so that the kernel finds the child the larger one.
"""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from model.lifetime import end_with

PASSED_ON = (signal.SIGTERM, signal.SIGINT)


def supervised(work: Callable[[], int], killed: Callable[[signal.Signals], None]) -> int:
    """Return the exit code of `work`, done in a child process.

    When a signal ended the child, `killed` is told which, and the exit code is 128 + the signal, as a shell
    gives it. The child does not outlive this process.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        end_with(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        _end(work())

    def pass_on(number: int, _: FrameType | None) -> None:
        os.kill(child, number)

    for number in PASSED_ON:
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    killed(signal.Signals(-code))
    return 128 - code


def _end(code: int) -> NoReturn:
    """End at once: at the usual exit MXNet waits, without end, for hosts that are lost."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
