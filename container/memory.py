"""Tells a full memory from other faults."""

import errno
from concurrent.futures import BrokenExecutor

# What MXNet says, on a processor and on a GPU.
_SAYINGS = ("out of memory", "Failed to allocate", "Cannot allocate memory", "bad_alloc")


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it came from, says that the memory is full.

    A process among those that share the work, gone without a word, was killed for its memory.
    """
    while error is not None:
        if isinstance(error, MemoryError | BrokenExecutor) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        if any(saying in str(error) for saying in _SAYINGS):
            return True
        error = error.__cause__ or error.__context__
    return False
