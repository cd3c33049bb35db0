"""Says what is missing of a prediction, and when that is too much to deliver the rest."""

from collect.parts import Parts
from contract.errors import PredictionFailed
from contract.state import Run
from contract.text import count, percent
from shared import shards

AGAIN = "Start the same request again: it labels only what is missing."


def refuse_too_many(parts: Parts, numbers: list[int], run: Run) -> None:
    """Raise PredictionFailed if the shards with these numbers are too many to go without them."""
    if not numbers:
        return
    rows, missing = parts.rows(range(parts.count)), parts.rows(numbers)
    allowed = run["max_missing_share"]
    if not run["allow_partial"]:
        bound = ", and allow_partial in the configuration is false"
    elif missing == rows:
        bound = ""
    elif missing / rows > allowed:
        bound = f"; max_missing_share in the configuration allows {percent(allowed)}"
    else:
        return
    raise PredictionFailed(
        f"{count(missing, 'row')} of {rows:,} were not labelled ({percent(missing / rows)}){bound}. "
        f"{sentences(parts, numbers)} {AGAIN}"
    )


def partly_done(parts: Parts, name: str) -> str:
    """Return the sentence with which a run ends of which some shards failed."""
    rows, missing = parts.rows(range(parts.count)), parts.rows(parts.missing)
    return (
        f"{count(missing, 'row')} of {rows:,} of {name} were not labelled. "
        f"{sentences(parts, list(parts.missing))} The others are delivered. {AGAIN}"
    )


def sentences(parts: Parts, numbers: list[int]) -> str:
    """Return what the first of these shards said, those together that said the same, and how many more."""
    looked_at = numbers[: shards.LOOKED_AT]
    said = {number: parts.missing.get(number) or parts.sentence(number) for number in looked_at}
    return shards.told(said, more=len(numbers) - len(said))
