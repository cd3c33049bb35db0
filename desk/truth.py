"""Is it still true? What people found of accepted rows, against the promise, and how the files change."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract import keys
from contract.audit import ALL_WEEKS, Audited
from desk.desk import Desk
from desk.pages import desk_of, page
from desk.wording import for_page
from workflow import audit, models, records
from workflow.models import Model
from workflow.runs import Run

WEEKS = 26  # in the picture, the newest ones
WIDTH, HEIGHT, MARGIN = 640, 220, 44  # of the picture, in its own units
LEAST_SPAN = 0.1  # of the shares that the picture shows


@dataclass(frozen=True)
class Labelled:
    """A labelled file beside what its model was measured on; what is not known is None."""

    run: str
    file: str
    when: str
    version: int | None
    rows: int
    accepted: float
    promised: float | None
    """The share accepted when the model was measured."""
    unlike: float | None
    confidence: float | None
    """The mean confidence of its rows."""
    accuracy: float | None
    """The share right when the model was measured, which a calibrated mean confidence is like."""
    drift: float | None
    """Total variation distance between the categories of the file and of the training, 0 to 1."""


@dataclass(frozen=True)
class Bar:
    """A week in the picture."""

    x: float
    low: float
    high: float
    middle: float
    week: str
    said: str


def show(request: Request) -> Response:
    """Answer with the page."""
    desk = desk_of(request)
    versions = {each.version: each for each in models.list_models(desk.account, desk.stack)}
    found = audit.of_stack(desk.account, desk.stack, versions.values())
    live = models.live(list(versions.values()))
    shown = audit.headline(found, live)
    return page(
        request,
        "truth.html",
        found=found,
        all_weeks=ALL_WEEKS,
        shown=shown,
        sentence=for_page(audit.in_words(shown, live)) if shown else "",
        chart=_chart(found, shown) if shown else None,
        files=list(_labelled(desk, versions)),
    )


def _chart(found: list[Audited], shown: Audited) -> dict[str, Any]:
    """Return what the picture of a version's weeks draws: bars, the target's line, the scale."""
    weeks = [each for each in found if each.version == shown.version and each.week != ALL_WEEKS][-WEEKS:]
    target = shown.target
    lowest = min([each.interval[0] for each in weeks] + [target or 1.0])
    floor = max(0.0, min(1 - LEAST_SPAN, lowest - 0.02))

    def y(share: float) -> float:
        return round(MARGIN / 2 + (HEIGHT - 1.5 * MARGIN) * (1 - share) / (1 - floor), 1)

    step = (WIDTH - 2 * MARGIN) / max(len(weeks), 4)
    bars = [
        Bar(
            x=round(MARGIN + step * (place + 0.5), 1),
            low=y(each.interval[0]),
            high=y(each.interval[1]),
            middle=y(each.precision),
            week=each.week,
            said=f"{each.week}: {each.right} of {each.rows} right",
        )
        for place, each in enumerate(weeks)
    ]
    scale = [(share, y(share)) for share in (1.0, (1 + floor) / 2, floor)]
    return {
        "bars": bars,
        "scale": scale,
        "target": target and y(target),
        "promise": target,
        "width": WIDTH,
        "height": HEIGHT,
        "margin": MARGIN,
        "version": shown.version,
    }


def _labelled(desk: Desk, versions: dict[int, Model]) -> Iterable[Labelled]:
    """Yield the newest labelled files."""
    for run in desk.recent():
        results = run.data.get("results")
        if run.running or not results or not results["rows"]:
            continue
        record = records.record(run, desk.stack.results)
        version = versions.get(record.model or 0)
        yield Labelled(
            run=run.name,
            file=record.file or "",
            when=f"{run.started:%Y-%m-%d}",
            version=record.model,
            rows=results["rows"],
            accepted=results["accepted"] / results["rows"],
            promised=_promised(desk, version),
            unlike=_share(results.get("unlike_rows"), results["predicted"]),
            confidence=results.get("mean_confidence"),
            accuracy=version.accuracy if version else None,
            drift=_drift(desk, run, version),
        )


def _share(part: int | None, whole: int) -> float | None:
    return None if part is None or not whole else part / whole


def _promised(desk: Desk, version: Model | None) -> float | None:
    acceptance = desk.document(version.card).get("acceptance") if version and version.card else None
    return float(acceptance["coverage"]) if acceptance else None


def _drift(desk: Desk, run: Run, version: Model | None) -> float | None:
    """Return how far the categories of a file are from those of the training."""
    manifest = run.data["results"]["manifest"]
    labelled = desk.document(manifest).get("by_category")
    if not labelled or not version or not version.run or version.target_of:
        return None
    evaluation = desk.document(f"s3://{desk.stack.results}/{version.run}/{keys.EVALUATION}")
    trained = {each["label"]: each["support"] for each in evaluation.get("per_class", [])}
    return total_variation(labelled, trained) if trained else None


def total_variation(one: dict[str, int], other: dict[str, int]) -> float:
    """Return half the sum of the differences between the shares of each category (total variation distance).

    >>> total_variation({"a": 1, "b": 1}, {"a": 10})
    0.5
    """
    rows, others = sum(one.values()) or 1, sum(other.values()) or 1
    differences = (
        abs(one.get(key, 0) / rows - other.get(key, 0) / others) for key in one.keys() | other.keys()
    )
    return sum(differences) / 2


ROUTES = [Route("/truth", show)]
