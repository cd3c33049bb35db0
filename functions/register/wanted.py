"""Checks a request for another target; knows nothing of AWS."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract import state
from contract.errors import InvalidRequest
from contract.evaluation import LEAST_TARGET
from contract.text import shorten
from shared import given

KEYS = tuple(state.ThresholdRequest.__annotations__)
NUMBER = "it must be a number such as 0.95"


@dataclass(frozen=True)
class Wanted:
    """A checked request."""

    target_precision: float
    started_by: str | None


def parse(document: Any) -> Wanted:  # noqa: ANN401 - any JSON object
    """Check the execution's input. Raises InvalidRequest with every problem at once."""
    if problems := list(filter(None, _problems(document))):
        raise InvalidRequest("The request cannot be used: " + "; ".join(problems) + ".")
    return Wanted(float(document["target_precision"]), document.get("started_by"))


def _problems(document: dict[str, Any]) -> Iterator[str]:
    if unknown := [key for key in document if key not in KEYS]:
        yield given.unknown(unknown, KEYS)
    yield _target_problem(document)
    yield given.not_a_person(document.get("started_by"))


def _target_problem(document: dict[str, Any]) -> str:
    if "target_precision" not in document:
        return f"'target_precision' is missing; {NUMBER}"
    target = document["target_precision"]
    if isinstance(target, bool) or not isinstance(target, int | float):
        return f"'target_precision' is {given.kind(target)}; {NUMBER}"
    if not LEAST_TARGET <= target < 1:
        shown = shorten(repr(target), 40)
        return f"'target_precision' is {shown}; it must be at least {LEAST_TARGET} and below 1, such as 0.95"
    return ""
