"""Tells a full disk from other faults."""

import errno

FULL = "The disk is full: free disk space, or enlarge it, and start again."


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it came from, says that the disk is full."""
    while error is not None:
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left on device" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
