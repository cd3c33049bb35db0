"""Whether a small file is labelled by the function, in seconds, or by jobs of Batch; knows nothing of AWS."""

from dataclasses import dataclass

from contract.state import Run
from contract.text import count

AT_ONCE = 20  # shards, of which the function labels some at the same time


@dataclass(frozen=True)
class Way:
    """By the function or not, and why."""

    by_function: bool
    why: str


def choose(run: Run, rows: int, shards: int) -> Way:
    """Return who labels so many usable rows in so many shards."""
    small = run.get("small")
    if small is None:
        return Way(False, "The stack has no function for small files: SmallRows is 0, or Accelerator is gpu.")
    if rows > small["rows"]:
        return Way(
            False, f"The file has {count(rows, 'usable row')}, more than SmallRows, {small['rows']:,}."
        )
    if shards > AT_ONCE:
        return Way(False, f"The file has {shards:,} shards; the function takes at most {AT_ONCE}.")
    return Way(True, f"The file has {count(rows, 'usable row')}, at most SmallRows, {small['rows']:,}.")
