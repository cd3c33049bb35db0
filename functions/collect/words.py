"""Puts the outcome of a prediction into words; knows nothing of AWS."""

from collect.missing import AGAIN, sentences
from collect.parts import Parts
from collect.report import About
from collect.tally import Tally
from contract import cost
from contract.state import Cost
from contract.text import count, percent
from shared.messages import file_address, message, subject


def words(
    tally: Tally, about: About, uris: dict[str, str], parts: Parts, spent: Cost | None
) -> tuple[str, str]:
    """Return the subject and the message for people.

    Args:
        tally: the counts
        about: the file and the model
        uris: those of `results`, `review` and `report`
        parts: of the prediction
        spent: what its jobs cost, if that is known

    """
    head = f"Claimflow: {about.file} is done, {count(tally.review_rows, 'row')} to review"
    if tally.missing:
        head = f"Claimflow: {about.file} is partly done, {count(tally.missing, 'row')} not labelled"
    lines = [
        f"{about.file}: {count(tally.predicted, 'row')} of {tally.rows:,} got a category from model version "
        f"{about.model}.",
        f"{count(tally.missing, 'row')} were not labelled; the results name the reason. "
        f"{sentences(parts, list(parts.missing))} {AGAIN}"
        if tally.missing
        else "",
        _accepted(tally, about),
        about.why_so_few(tally),
        f"{count(tally.review_rows, 'row')} should be looked at by a person; the reason stands beside each.",
        _agreement(tally),
        f"{len(parts.programs)} versions of the program labelled the rows, as it was changed in between."
        if len(parts.programs) > 1
        else "",
        f"Cost of the prediction: {cost.words(spent)}." if spent else "",
        "\n".join(f"Note: {warning}" for warning in about.warnings),
        f"Results: {file_address(uris['results'])}",
        f"To review: {file_address(uris['review'])}",
        f"Report: {file_address(uris['report'])}",
    ]
    return subject(head), message(lines)


def _accepted(tally: Tally, about: About) -> str:
    said = f"{count(tally.accepted, 'row')} ({percent(tally.accepted / tally.rows)}) can be taken as they are"
    if tally.wrong_share is None:
        return f"{said}."
    asked = "" if about.target is None else f"; at most {percent(1 - about.target)} is what was asked for"
    return f"{said}; about {percent(tally.wrong_share)} of them are likely to be wrong{asked}."


def _agreement(tally: Tally) -> str:
    if tally.accuracy is None:
        return ""
    return (
        f"Of the {count(tally.labelled, 'row')} that came with a category, {percent(tally.accuracy)} agree "
        "with the prediction."
    )
