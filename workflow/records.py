"""A run or a model version as one line of a list, to find it by."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from contract.text import percent
from workflow import outcome
from workflow.models import Model
from workflow.runs import Run


@dataclass(frozen=True)
class Record:
    """A run as `claimflow runs` lists it; what it did not come to is None."""

    name: str
    state: str
    started: datetime
    ended: datetime | None
    file: str | None
    action: str | None
    rows: int | None
    categories: int | None
    model: int | None
    accuracy: float | None
    accepted: float | None
    started_by: str | None
    error: str | None
    cause: str | None
    results: str | None

    @property
    def figures(self) -> str:
        """The figure that counts: a training's accuracy, a prediction's accepted share; both for both."""
        shares = [("right", self.accuracy), ("accepted", self.accepted)]
        return ", ".join(f"{percent(share)} {what}" for what, share in shares if share is not None)


def record(run: Run) -> Record:
    """Return the line of a run, from its data."""
    data = run.data
    asked, about, validation = _part(data, "request") or data, _part(data, "run"), _part(data, "validation")
    trained, labelled = _part(validation, "train"), _part(data, "results")
    read = trained or labelled or _part(validation, "predict")
    uri = _text(asked.get("data"))
    return Record(
        name=run.name,
        state=outcome.state_of(run),
        started=run.started,
        ended=run.ended,
        file=uri.rsplit("/", 1)[-1] if uri else None,
        action=_text(asked.get("action")),
        rows=read.get("rows"),
        categories=trained.get("classes") or labelled.get("categories"),
        model=_version(data),
        accuracy=_part(data, "evaluation").get("accuracy"),
        accepted=labelled["accepted"] / labelled["rows"] if labelled.get("rows") else None,
        started_by=_text(asked.get("started_by")),
        error=run.error,
        cause=run.cause,
        results=about.get("results"),
    )


def document(made: Record | Model) -> dict[str, Any]:
    """Return a line as JSON takes it."""
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in asdict(made).items()
    }


def _version(data: dict[str, Any]) -> int | None:
    """Return the version that a training made, or that labelled the file."""
    if version := _part(data, "registration").get("version"):
        return int(version)
    number = str(_part(data, "model").get("arn", "")).rsplit("/", 1)[-1]
    return int(number) if number.isdecimal() else None


def _text(value: object) -> str | None:
    """Return what a request says as one line of text; anybody may have written it."""
    if not isinstance(value, str):
        return None
    return "".join(letter if letter.isprintable() else " " for letter in value)


def _part(data: dict[str, Any], key: str) -> dict[str, Any]:
    part = data.get(key)
    return part if isinstance(part, dict) else {}
