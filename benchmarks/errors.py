"""What can go wrong; each text is one sentence for a person."""


class BenchmarkError(Exception):
    """A benchmark cannot be run or shown."""


class FetchError(BenchmarkError):
    """A data set cannot be had, or is not the one that was measured."""
