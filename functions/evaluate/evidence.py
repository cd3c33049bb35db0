"""What a model must have shown before it goes live without a person; knows nothing of AWS."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from contract.evaluation import Evaluation
from contract.state import EvaluateEvent, LiveModel
from contract.text import count, listed, percent
from evaluate.evaluation import Comparison, Figures

_Z = 1.96  # of a 95% interval


@dataclass(frozen=True)
class Needed:
    """The stack's settings: least held-out rows in all and of each category, and how the bar is met."""

    rows: int
    per_category: int
    lower_bound: bool  # the lower end of the interval must reach the bar


def missing(figures: Figures, document: Evaluation, state: EvaluateEvent, needed: Needed) -> Iterator[str]:
    """Yield what is missing, a sentence each that says what would help; nothing: the model may go live.

    Args:
        figures: the figures that the Gate compares
        document: what evaluation.json holds
        state: with `run` and `validation`
        needed: what the stack asks for

    """
    run, checked = state["run"], state["validation"]["train"]
    fraction = run["validation_fraction"]
    texts = checked["validation_texts"]
    if texts < needed.rows:
        more = math.ceil((needed.rows - texts) / fraction)
        yield (
            f"Only {count(texts, 'different held-out row')} judged it, and {needed.rows:,} are needed: that "
            f"takes about {count(more, 'more labelled row')}."
        )
    yield from _unjudged(document, fraction, needed.per_category)
    yield from figures.unjudged
    if needed.lower_bound and figures.low < figures.bar <= figures.accuracy:
        yield _low(figures, fraction)
    if live := run["live_model"]:
        yield from _uncompared(figures.compared, texts, needed.rows)
        if figures.compared and figures.compared.lost and not run["replace"]:
            yield _lost(figures.compared, live)


def _unjudged(document: Evaluation, fraction: float, least: int) -> Iterator[str]:
    few = [(each["label"], each["support"]) for each in document.get("per_class", ())]
    few = [(label, rows) for label, rows in few if rows < least]
    if not few:
        return
    lacking = least - min(rows for _, rows in few)
    more = lacking if least == 1 else math.ceil(lacking / fraction)
    names = listed((label for label, _ in few), 5)
    what, each = ("category", "it") if len(few) == 1 else ("categories", "each")
    yield (
        f"The {what} {names} had fewer than {count(least, 'held-out row')}: that takes about "
        f"{count(more, 'more row')} of {each} with other texts."
    )


def _low(figures: Figures, fraction: float) -> str:
    sentence = (
        f"The accuracy may be as low as {percent(figures.low)} (95% interval), and that end must reach "
        f"the bar of {percent(figures.bar)}"
    )
    margin = figures.accuracy - figures.bar
    if margin <= 0:
        return f"{sentence}: that takes more labelled rows, and a better model."
    rows = _Z**2 * figures.accuracy * (1 - figures.accuracy) / margin**2 + 1 / margin
    more = max(math.ceil((rows - figures.validation_rows) / fraction), math.ceil(1 / fraction))
    return f"{sentence}: if as many are right, that takes about {count(more, 'more labelled row')}."


def _uncompared(compared: Comparison | None, texts: int, needed: int) -> Iterator[str]:
    if compared is None or not compared.rows:
        yield "It could not be compared with the live model, as no held-out row is new to both."
    elif compared.rows < needed <= texts:
        yield (
            f"Only {count(compared.rows, 'held-out row')} new to both it and the live model could be "
            f"compared, and {needed:,} are needed: that takes labelled rows with new texts."
        )


def _lost(compared: Comparison, live: LiveModel) -> str:
    what = "category" if compared.lost == 1 else "categories"
    more = f" and {compared.lost - 5:,} more" if compared.lost > 5 else ""
    return (
        f"It does not know the {what} {listed(compared.lost_labels[:5])}{more} of the live model (version "
        f"{live['version']}): add rows of {'it' if compared.lost == 1 else 'them'}, or train with "
        '`claimflow train --replace` (in a request "replace": true) if that is meant.'
    )
