"""The rows that were decided, newest first, to be looked at, changed or taken back.

The page tells how sure the model was. That is kept for an audit (`QueueReader.tell`), so that what is changed
afterwards is not taken for a blind answer.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk.pages import page
from desk.queues import BASES, SEARCHED, about, has_text, look, place_of, plain, reader_of
from workflow.decisions import Decision
from workflow.queue import QueueReader


def show(request: Request) -> Response:
    """Answer with the decided rows: those of a person, of a category, of a list, or with a text."""
    reader = reader_of(request)
    decisions = reader.refresh()
    asked = {name: request.query_params.get(name, "") for name in ("by", "decided", "batch", "text")}
    wanted = [each for each in _newest_first(decisions) if _fits(each, asked)]
    begin = place_of(request, "from") or 0
    found = look(range(begin, len(wanted)), lambda place: _read(reader, wanted[place], asked["text"]))
    return page(
        request,
        "decided.html",
        rows=found.rows,
        found=found,
        asked=asked,
        begin=begin,
        searched=SEARCHED,
        people=sorted({each.changes[-1].by for each in decisions}),
        categories=sorted({each.category for each in decisions if each.category is not None}),
        together=[each.number for each in wanted if each.category is not None] if asked["batch"] else [],
        left=reader.left,
        **about(request, reader),
    )


def _newest_first(decisions: Iterable[Decision]) -> list[Decision]:
    return sorted(decisions, key=lambda each: (each.changes[-1].at, each.number), reverse=True)


def _fits(decision: Decision, asked: dict[str, str]) -> bool:
    last = decision.changes[-1]
    return (
        asked["by"] in {"", last.by}
        and asked["decided"] in {"", last.category}
        and asked["batch"] in {"", last.batch}
    )


def _read(reader: QueueReader, decision: Decision, text: str) -> dict[str, Any] | None:
    """Return a row with what was decided of it; None where it is not wanted."""
    row = reader.find(decision.number)
    if row is None or not has_text(reader, row, text):
        return None
    last = decision.changes[-1]
    sure = row["confidence"] if decision.category is not None else 0.0  # an open row's is not told
    if sure:
        reader.tell(decision)
    return {
        **plain(reader, row),
        "category": decision.category,
        "revision": decision.revision,
        "by": last.by,
        "at": datetime.fromisoformat(last.at),
        "note": last.note,
        "batch": last.batch,
        "sure": sure,
        "counts": _counts(decision),
        "changes": [(each, datetime.fromisoformat(each.at)) for each in decision.changes],
    }


def _counts(decision: Decision) -> str | None:
    """Return the answer by which the promise is checked, where it is another than what is decided now."""
    if not decision.audit or decision.category is None or decision.blind == decision.category:
        return None
    return decision.blind


ROUTES = [Route(f"{base}/decided", show) for base in BASES]
