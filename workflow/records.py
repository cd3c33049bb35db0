"""A run or a model version as one line of a list, to find it by."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from contract.state import LabelledFile, Results, State
from contract.text import and_more, percent
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
    target: float | None
    started_by: str | None
    error: str | None
    cause: str | None
    results: str | None

    @property
    def figures(self) -> str:
        """The figure that counts: a training's accuracy, a prediction's accepted share, a new target."""
        shares = [("right", self.accuracy), ("accepted", self.accepted), ("target", self.target)]
        return ", ".join(f"{percent(share)} {what}" for what, share in shares if share is not None)


def record(run: Run, bucket: str) -> Record:
    """Return the line of a run, from its data; `bucket` is that of the results."""
    data = run.data
    request = dict(data["request"]) if "request" in data else {}
    validation = data.get("validation", {})
    trained, labelled = validation.get("train"), data.get("results")
    read = trained or labelled or validation.get("predict")
    return Record(
        name=run.name,
        state=outcome.state_of(run),
        started=run.started,
        ended=run.ended,
        file=_file(request.get("data")),
        action=_text(request.get("action")),
        rows=read["rows"] if read else None,
        categories=_categories(trained, labelled),
        model=_version(data),
        accuracy=data.get("evaluation", {}).get("accuracy"),
        accepted=labelled["accepted"] / labelled["rows"] if labelled and labelled["rows"] else None,
        target=data.get("registration", {}).get("target", {}).get("target_precision"),
        started_by=_text(request.get("started_by")),
        error=run.error,
        cause=run.cause,
        results=f"s3://{bucket}/{run.folder}" if "run" in data else None,
    )


def document(made: Record | Model) -> dict[str, Any]:
    """Return a line as JSON takes it."""
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in asdict(made).items()
    }


def _categories(trained: LabelledFile | None, labelled: Results | None) -> int | None:
    if trained:
        return trained["classes"]
    return labelled.get("categories") if labelled else None


def _version(data: State) -> int | None:
    """Return the version that a training made, or that labelled the file."""
    if version := data.get("registration", {}).get("version"):
        return version
    number = data["model"]["arn"].rsplit("/", 1)[-1] if "model" in data else ""
    return int(number) if number.isdecimal() else None


def _file(data: object) -> str | None:
    """Return the name of a request's file, of several the first with how many there are beside it."""
    first, *more = data if isinstance(data, list) and data else [data]
    uri = _text(first)
    return and_more(uri.rsplit("/", 1)[-1], len(more)) if uri else None


def _text(value: object) -> str | None:
    """Return what a request says as one line of text; anybody may have written it."""
    if not isinstance(value, str):
        return None
    return "".join(letter if letter.isprintable() else " " for letter in value)
