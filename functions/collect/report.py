"""Makes the report of a prediction: one page of HTML that needs nothing else; knows nothing of AWS."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from collect.queue import DISAGREES
from collect.tally import Example, Tally
from contract.evaluation import Acceptance
from contract.text import count, percent

CATEGORY_LIMIT = 100
PAIR_LIMIT = 20
EXAMPLE_LIMIT = 6
PHONE_CHARACTERS = 20  # of a heading that fit on a phone
COMMAND = "`claimflow models threshold`"
ASKED = "whoever looks after the model can set it"  # of who reads the report, and may have no command line
LITTLE = 0.25  # of the rows: of fewer accepted ones it is told why


@dataclass(frozen=True)
class About:
    """What report and message tell besides the counts.

    Attributes:
        file: the input's name
        date: when it was checked
        run: the run's id
        model: the version of the model
        names: of the files beside the report, by kind
        read_as: how the file was read, where that is worth a word
        warnings: what was found odd
        acceptance: what the model's evaluation says of the rows that need no person; None: not known

    """

    file: str
    date: str
    run: str
    model: str
    names: dict[str, str]
    read_as: str = ""
    warnings: list[str] = field(default_factory=list)
    acceptance: Acceptance | None = None

    @property
    def target(self) -> float | None:
        """The least share of right rows among the accepted ones that was asked for; None: not known."""
        return self.acceptance["target_precision"] if self.acceptance else None

    def why_so_few(self, tally: Tally, lower: str = COMMAND) -> str:
        """Return why little is accepted and what would help, or an empty text where enough is.

        `lower` says how a lower target is set: by whoever reads the sentence, or whom they ask.
        """
        if not tally.predicted or tally.accepted >= LITTLE * tally.predicted:
            return ""
        if not self.acceptance:
            return "More labelled rows, or a lower target, would let more rows be accepted."
        if self.acceptance["advice"]:
            return self.acceptance["advice"]
        if self.acceptance["coverage"] < LITTLE:
            return (
                f"At its target of {percent(self.acceptance['target_precision'])} the model accepts "
                f"{percent(self.acceptance['coverage'])} of the rows that it was measured on: a lower target "
                f"({lower}) accepts more."
            )
        return _unlike_the_trial(self.acceptance["coverage"], tally)


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


def render(tally: Tally, about: About) -> str:
    """Return the page."""
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent,
        rows=lambda number: count(number, "row"),
        number="{:,}".format,
        link=quote,
        sure=_sure,
        breakable=_breakable,
    )
    return environment.get_template("report.html.j2").render(
        tally=tally,
        about=about,
        why_so_few=about.why_so_few(tally, ASKED),
        categories=_bars(tally.categories, CATEGORY_LIMIT, tally.review_by_category),
        more_categories=max(0, len(tally.categories) - CATEGORY_LIMIT),
        reasons=_bars(tally.reasons, CATEGORY_LIMIT),
        rejected=_bars(tally.rejected, CATEGORY_LIMIT),
        examples=_examples(tally),
        pairs=[
            Pair(given, predicted, number)
            for (given, predicted), number in _ordered(tally.disagreements)[:PAIR_LIMIT]
        ],
        more_pairs=max(0, len(tally.disagreements) - PAIR_LIMIT),
    )


def _breakable(name: str) -> Markup:
    """Let a long file name go on in the next line behind its marks, and not within a word."""
    if len(name) <= PHONE_CHARACTERS:
        return escape(name)
    return Markup(re.sub(r"([_.-])", r"\1<wbr>", str(escape(name))))  # noqa: S704 - escaped here


def _sure(confidence: float) -> str:
    """Return 0.9345 as `93%`; 100% is only what is certain."""
    return "100%" if confidence == 1 else f"{min(round(100 * confidence), 99)}%"


def _examples(tally: Tally) -> list[Example]:
    """Return rows to review, some of each reason."""
    each = max(1, EXAMPLE_LIMIT // max(1, len(tally.review_examples)))
    return [example for kind in tally.review_examples.values() for example in kind[:each]][:EXAMPLE_LIMIT]


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
    """Return the largest first, and equal ones by name, so that the same counts always make the same page."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _unlike_the_trial(coverage: float, tally: Tally) -> str:
    """Return why, where the model accepts enough of texts like those that it learned from."""
    if not coverage:
        return ""
    first = (
        f"Of the rows held out in training the model accepts {percent(coverage)}, and of this file "
        f"{percent(tally.accepted / tally.predicted)}"
    )
    if tally.reasons[DISAGREES] > tally.predicted / 2:
        return f"{first}, as the given category often disagrees: check that its column is the right one."
    return (
        f"{first}, so these texts seem to be of another kind than those that it learned from: check that "
        "the right column was read; if it was, label some of them and train with them too."
    )
