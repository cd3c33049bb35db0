"""Understands evaluation.json, and puts it into words; knows nothing of AWS."""

import json
from dataclasses import dataclass
from typing import Any

from shared.errors import TrainingFailed
from shared.messages import count, file_address, message, percent, subject

SCHEMAS = (1, 2)  # a training image may be older than the functions


@dataclass(frozen=True)
class Figures:
    """What the Gate compares. `live_accuracy` is None when no model is live."""

    accuracy: float
    bar: float
    validation_rows: int
    live_accuracy: float | None

    @property
    def beats_bar(self) -> bool:
        """Whether the model reaches the bar."""
        return self.accuracy >= self.bar

    @property
    def beats_live(self) -> bool:
        """Whether the model is at least as good as the live one, if there is one."""
        return self.live_accuracy is None or self.accuracy >= self.live_accuracy


def parse(text: bytes) -> dict[str, Any]:
    """Read evaluation.json. Raises TrainingFailed when it is not what it should be."""
    try:
        document = json.loads(text)
        usable = (
            document["schema"] in SCHEMAS
            and 0 <= document["accuracy"] <= 1
            and document["validation_rows"] > 0
            and bool(document["labels"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingFailed(f"The training's evaluation.json cannot be read: {error!r}.") from error
    if not usable:
        raise TrainingFailed("The training's evaluation.json has another schema or impossible figures.")
    return dict(document)


def figures(document: dict[str, Any], run: dict[str, Any]) -> Figures:
    """Give the figures. The live model's are those on the same validation rows, which the training measured.

    A live model that the training could not load (another schema) stands with the accuracy of its
    registration.
    """
    champion = document.get("champion") or run["live_model"] or {}
    live = champion.get("accuracy") if run["has_live_model"] else None
    return Figures(document["accuracy"], run["accuracy_bar"], document["validation_rows"], live)


def words(found: Figures, run: dict[str, Any], report: str) -> tuple[str, str]:
    """Give the subject and the message for people."""
    passed = found.beats_bar and found.beats_live
    name = run["data"]["uri"].rsplit("/", 1)[-1]
    verdict = "is good enough to go on" if passed else "was not good enough"
    head = f"Claimflow: the model from {name} {verdict} ({percent(found.accuracy)})"
    lines = [
        f"A model was trained from {run['data']['uri']}.",
        f"It gives the right category for {percent(found.accuracy)} of "
        f"{count(found.validation_rows, 'row')} that it "
        "had not seen.",
        _against_bar(found),
        _against_live(found),
        "" if passed else _not_registered(run),
        f"Report: {file_address(report)}",
    ]
    return subject(head), message(lines)


def _not_registered(run: dict[str, Any]) -> str:
    live = run["has_live_model"]
    said = "It was not registered. " + ("The live model stays as it is." if live else "No model is live yet.")
    if run["predict"]:
        said += f" {run['predict']['uri']} was not labelled" + (
            ": predict it by itself to label it with the live model." if live else "."
        )
    return said


def _against_bar(found: Figures) -> str:
    return f"The bar is {percent(found.bar)}: {'reached' if found.beats_bar else 'not reached'}."


def _against_live(found: Figures) -> str:
    if found.live_accuracy is None:
        return "No model was live to compare it with."
    verdict = "the new one is at least as good" if found.beats_live else "the live one is better"
    return f"The live model gives the right category for {percent(found.live_accuracy)}: {verdict}."
