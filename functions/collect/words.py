"""Puts the outcome of a prediction into words; knows nothing of AWS."""

from collect.missing import AGAIN, sentences
from collect.parts import Parts
from collect.results import Tally
from shared.messages import count, file_address, message, percent, subject


def words(tally: Tally, name: str, uris: dict[str, str], parts: Parts) -> tuple[str, str]:
    """Give the subject and the message for people. `uris` are those of `results`, `review` and `report`."""
    head = f"Claimflow: {name} is done, {count(tally.review_rows, 'row')} to review"
    if tally.missing:
        head = f"Claimflow: {name} is partly done, {count(tally.missing, 'row')} not labelled"
    rejected = tally.rejected.total()
    accuracy = (
        ""
        if tally.accuracy is None
        else (
            f"Of the {count(tally.labelled, 'row')} that came with a category, "
            f"{percent(tally.accuracy)} agree with the "
            "prediction."
        )
    )
    lines = [
        f"{name}: {count(tally.predicted, 'row')} of {tally.rows:,} got a category.",
        f"{count(tally.missing, 'row')} were not labelled; the results name the reason. "
        f"{sentences(parts, list(parts.missing))} {AGAIN}"
        if tally.missing
        else "",
        f"{count(tally.accepted, 'row')} ({percent(tally.accepted / tally.rows)}) can be taken as they are.",
        f"{count(tally.review_rows, 'row')} should be looked at by a person; the reason stands beside each.",
        f"{count(rejected, 'row')} could not be read; the results name the reason." if rejected else "",
        accuracy,
        f"{len(parts.programs)} versions of the program labelled the rows, as it was changed in between."
        if len(parts.programs) > 1
        else "",
        f"Results: {file_address(uris['results'])}",
        f"To review: {file_address(uris['review'])}",
        f"Report: {file_address(uris['report'])}",
    ]
    return subject(head), message(lines)
