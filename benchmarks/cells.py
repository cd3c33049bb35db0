"""Tables of the page docs/benchmarks.md, and what stands in their cells."""

from collections.abc import Iterable, Sequence

from benchmarks.results import Results, Spread
from benchmarks.roster import ROSTER, Contender

COMMAND = "python -m benchmarks"
NOTHING = "-"


def present(made: Results, dataset: str) -> list[Contender]:
    """Return who was measured on a data set, in the order of the roster."""
    names = {each.contender for each in made.measurements if each.dataset == dataset}
    return [contender for contender in ROSTER if contender.name in names]


def shown(spread: Spread | None, form: str) -> str:
    """Return a figure with its range, if it has one at this precision."""
    if spread is None:
        return NOTHING
    median, low, high = (form.format(value) for value in (spread.median, spread.low, spread.high))
    return median if low == high else f"{median} ({low} to {high})"


def table(header: Sequence[str], lines: Iterable[Sequence[str]], figures: int = 0, first: int = 1) -> str:
    """Return a markdown table, `figures` of its columns from `first` on aligned to the right."""
    marks = ["---:" if first <= place < first + figures else "---" for place in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, marks, *lines))


def again(arguments: str) -> str:
    """Return the command that makes a figure again."""
    return f"`{COMMAND} {arguments}`"


def title(contender: Contender) -> str:
    """Return what a contender is called; Claimflow's are bold."""
    return f"**{contender.title}**" if contender.ours else contender.title
