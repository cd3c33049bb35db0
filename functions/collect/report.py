"""Makes the report of a prediction: one page of HTML that needs nothing else; knows nothing of AWS."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from collect.results import Tally
from shared.messages import count, percent

CATEGORY_LIMIT = 100
PAIR_LIMIT = 20


class Bar(NamedTuple):
    """A row of a table with a bar: `share` of the largest one, in percent of the width."""

    name: str
    rows: int
    share: float
    part: str
    review: int = 0
    review_share: float = 0.0


class Pair(NamedTuple):
    """How often one category was given and another predicted."""

    given: str
    predicted: str
    rows: int


def render(tally: Tally, about: dict[str, Any]) -> str:
    """Give the page.

    Args:
        tally: the counts
        about: `file` (its name), `run`, `model` (its registry version or ARN), `source` (the file's address),
            `names` (of the files beside the page, by kind)

    """
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters.update(
        percent=percent, rows=lambda number: count(number, "row"), number="{:,}".format
    )
    return environment.get_template("report.html.j2").render(
        tally=tally,
        about=about,
        categories=_bars(tally.categories, CATEGORY_LIMIT, tally.review_by_category),
        more_categories=max(0, len(tally.categories) - CATEGORY_LIMIT),
        reasons=_bars(tally.reasons, CATEGORY_LIMIT),
        rejected=_bars(tally.rejected, CATEGORY_LIMIT),
        pairs=[
            Pair(given, predicted, number)
            for (given, predicted), number in _ordered(tally.disagreements)[:PAIR_LIMIT]
        ],
        more_pairs=max(0, len(tally.disagreements) - PAIR_LIMIT),
    )


def _bars(counts: Counter[str], limit: int, review: Counter[str] | None = None) -> list[Bar]:
    ordered = _ordered(counts)
    largest, total = max(counts.values(), default=0) or 1, counts.total() or 1
    return [
        Bar(
            name,
            number,
            round(100 * number / largest, 2),
            percent(number / total),
            (review or {}).get(name, 0),
            round(100 * (review or {}).get(name, 0) / largest, 2),
        )
        for name, number in ordered[:limit]
    ]


def _ordered(counts: Counter[Any]) -> list[tuple[Any, int]]:
    """Give the largest first, and equal ones by name, so that the same counts always make the same page."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
