"""Tells a full disk from other faults."""

import errno

from container.causes import causes

FULL = "The disk is full: free disk space, or enlarge it, and start again."


def is_full(error: BaseException | None) -> bool:
    """Return whether an error, or one that it came from, says that the disk is full."""
    return any(
        getattr(cause, "errno", None) == errno.ENOSPC or "No space left on device" in str(cause)
        for cause in causes(error)
    )
