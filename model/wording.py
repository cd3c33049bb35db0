"""Figures as words, the same in the log and in the report."""


def duration(seconds: float) -> str:
    """Return a time as `12 s` or `3 min 5 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
