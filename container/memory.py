"""Tells a full memory from other faults."""

import errno
from concurrent.futures import BrokenExecutor

from container.causes import causes

# What MXNet says, on a processor and on a GPU.
_SAYINGS = ("out of memory", "Failed to allocate", "Cannot allocate memory", "bad_alloc")


def is_full(error: BaseException | None) -> bool:
    """Return whether an error, or one that it came from, says that the memory is full.

    A process among those that share the work, gone without a word, was killed for its memory.
    """
    return any(
        isinstance(cause, MemoryError | BrokenExecutor)
        or getattr(cause, "errno", None) == errno.ENOMEM
        or any(saying in str(cause) for saying in _SAYINGS)
        for cause in causes(error)
    )
