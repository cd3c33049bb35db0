"""The one sentence that a program ends with when it fails."""

import errno
import signal
import traceback
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass

from model.errors import ModelError

# What MXNet says of a full memory, on a processor and on a GPU.
_OUT_OF_MEMORY = ("out of memory", "Failed to allocate", "Cannot allocate memory", "bad_alloc")


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
    if any(map(_is_full_disk, _chain(error))):
        return wording.disk_full
    if any(map(_is_full_memory, _chain(error))):
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


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, the one that it came from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_full_disk(error: BaseException) -> bool:
    return getattr(error, "errno", None) == errno.ENOSPC or "No space left on device" in str(error)


def _is_full_memory(error: BaseException) -> bool:
    """Return whether an error says so; a worker process that is gone without a word was killed for it."""
    return (
        isinstance(error, MemoryError | BrokenExecutor)
        or getattr(error, "errno", None) == errno.ENOMEM
        or any(words in str(error) for words in _OUT_OF_MEMORY)
    )
