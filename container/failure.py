"""The one sentence that a program ends with when it fails."""

import signal
import traceback
from dataclasses import dataclass

from container import disk, memory
from model.errors import ModelError


class ProgramError(Exception):
    """A failure that was foreseen; its text is one sentence for a person."""


class UsageError(ProgramError):
    """What the program was given cannot be used."""


@dataclass(frozen=True)
class Wording:
    """What a program says about faults that are not its own."""

    disk_full: str
    more_memory: str  # what to do when the memory is full
    unexpected: str  # with `{}` for the error's name and first line


def sentence(error: Exception, wording: Wording) -> str:
    """Return the sentence for an error; an unexpected one goes to the log with its traceback."""
    if disk.is_full(error):
        return wording.disk_full
    if memory.is_full(error):
        return f"The memory is full: {wording.more_memory}"
    if isinstance(error, (ModelError, ProgramError)):
        return str(error)
    traceback.print_exception(error)
    first_line = next(iter(str(error).splitlines()), "no message")
    return wording.unexpected.format(f"{type(error).__name__}: {first_line}")


def of_signal(number: signal.Signals, wording: Wording) -> str:
    """Return the sentence for a process that a signal ended."""
    if number == signal.SIGKILL:
        return f"The process was killed, most likely because the memory was full: {wording.more_memory}"
    if number in (signal.SIGTERM, signal.SIGINT):
        return "The process was asked to stop before it was done."
    return f"The process crashed ({number.name}); the end of its log may say why."
