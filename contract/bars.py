"""The bars beside that of the accuracy, as a configuration sets them; knows nothing of AWS.

Their figures are from the rows of `measured` in evaluation.json, each labelled by a model that has not
learned from it.
"""

from collections.abc import Iterator

from contract.binomial import at_most
from contract.evaluation import Evaluation, LabelFigures
from contract.state import Gate
from contract.text import count, percent, shorten

RISK = 0.05  # of rejecting a category for chance alone
SHOWN = 5  # categories, the lowest recall first


def below(document: Evaluation, gate: Gate) -> Iterator[str]:
    """Yield a sentence for each bar that the model does not reach."""
    bar, macro_f1 = gate["macro_f1_bar"], document.get("macro_f1")
    if bar is not None and macro_f1 is not None and macro_f1 < bar:
        yield f"The macro F1 is {percent(macro_f1)}, below macro_f1_bar, {percent(bar)}."
    floor = gate["recall_floor"]
    if floor and (low := [each for each in _floored(document, gate) if _shown_below(each, floor)]):
        yield (
            f"The recall of {_categories(low)} is below recall_floor, {percent(floor)}, beyond chance: "
            f"{_recalls(low)}."
        )


def unjudged(document: Evaluation, gate: Gate) -> Iterator[str]:
    """Yield a sentence for each bar that the rows cannot judge, so that a person has to."""
    if gate["macro_f1_bar"] is not None and document.get("macro_f1") is None:
        yield "Its training image is an older one, which tells no macro F1 to hold against macro_f1_bar."
    if not (floor := gate["recall_floor"]):
        return
    if "per_class" not in document:
        yield "Its training image is an older one, which tells no recall to hold against recall_floor."
    few = [each for each in _floored(document, gate) if _undecided(each, floor)]
    if few:
        yield (
            f"The rows are too few to hold the recall of {_categories(few)} against recall_floor, "
            f"{percent(floor)}, as chance may explain it: {_recalls(few)}. More labelled rows of "
            f"{'it' if len(few) == 1 else 'them'} decide it."
        )


def _floored(document: Evaluation, gate: Gate) -> list[LabelFigures]:
    """Return the categories that have a floor, the lowest recall first."""
    named = set(gate["recall_floor_categories"])
    found = [each for each in document.get("per_class", ()) if not named or each["label"] in named]
    return sorted(found, key=lambda each: (each["recall"], each["label"]))


def _right(each: LabelFigures) -> int:
    return round(each["recall"] * each["support"])


def _shown_below(each: LabelFigures, floor: float) -> bool:
    """Return whether the recall is below the floor, and chance hardly explains it (exact binomial test)."""
    rows = each["support"]
    return each["recall"] < floor and at_most(_right(each), rows, floor) < RISK


def _undecided(each: LabelFigures, floor: float) -> bool:
    """Return whether the rows leave it open: a lower recall by chance, or too few to show even the worst."""
    too_few = at_most(0, each["support"], floor) >= RISK
    return not _shown_below(each, floor) and (too_few or each["recall"] < floor)


def _categories(categories: list[LabelFigures]) -> str:
    return count(len(categories), "category", "categories")


def _recalls(categories: list[LabelFigures]) -> str:
    shown = [
        f"'{shorten(each['label'])}' {percent(each['recall'])} ({_right(each):,} of "
        f"{count(each['support'], 'row')})"
        for each in categories[:SHOWN]
    ]
    more = [f"and {len(categories) - SHOWN:,} more"] if len(categories) > SHOWN else []
    return ", ".join([*shown, *more])
