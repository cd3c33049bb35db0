"""The one sentence that a program ends with when it fails."""

import traceback

from container import disk
from model.errors import ModelError


class ProgramError(Exception):
    """A failure that was foreseen; its text is one sentence for a person."""


class UsageError(ProgramError):
    """What the program was given cannot be used."""


def sentence(error: Exception, disk_full: str, unexpected: str) -> str:
    """Give the sentence for an error; an unexpected one goes to the log with its traceback.

    Args:
        error: why the program ends
        disk_full: what is said when the disk is full
        unexpected: what is said about an error that nobody foresaw, with `{}` for its name and first line

    """
    if disk.is_full(error):
        return disk_full
    if isinstance(error, (ModelError, ProgramError)):
        return str(error)
    traceback.print_exception(error)
    first_line = next(iter(str(error).splitlines()), "no message")
    return unexpected.format(f"{type(error).__name__}: {first_line}")
