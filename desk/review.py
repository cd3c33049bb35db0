"""Deciding rows one at a time, by keyboard.

Neither confidence nor reason of a row reach the browser before it is decided: an audit, which is a row that
the model had accepted, looks like all others, so that it is decided as carefully.
"""

import re
from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from desk.desk import NotFoundError
from desk.pages import API, Posted, desk_of, page, takes
from desk.queues import (
    BASES,
    Note,
    Number,
    Token,
    about,
    base_of,
    check_answer,
    plain,
    reader_of,
    wanted,
)
from workflow.decisions import Answer
from workflow.queue import Held, QueueReader

COMMON = 9  # categories that have a number to press
_DECIDED = re.compile(r"(.+?) \([+-][0-9.]+\)(?:, |$)")


class Next(Posted):
    """Asks for the next row of a window."""

    window: str
    group: str | None = None
    category: str | None = None
    number: Number | None = None
    """Of a row that is wanted before all others."""


class Skip(Posted):
    """Leaves a row for later; without a number, takes up again all that were left."""

    window: str
    number: Number | None = None


class Decide(Posted):
    """Decides a row; without a category, takes the decision back."""

    window: str
    number: Number
    category: str | None
    revision: Number = 0
    token: Token
    note: Note = ""
    before: Number | None = None
    """The row that was decided before, of which it is told now how sure the model was."""


def show(request: Request) -> Response:
    """Answer with the page on which rows are decided one at a time."""
    reader = reader_of(request)
    reader.look_around()
    return page(request, "review.html", **about(request, reader))


def categories(request: Request) -> Response:
    """Answer with what a page needs of a queue: all categories, and the common ones that have a number."""
    index = reader_of(request).index
    often = [name for name, _ in Counter(index["by_category"]).most_common(COMMON)]
    if len(index["categories"]) <= COMMON:  # each has its number, whatever the file has
        often = []
    common = list(dict.fromkeys([*often, *index["categories"]]))[:COMMON]
    return JSONResponse({"categories": index["categories"], "common": common})


def recent(request: Request) -> Response:
    """Answer with what this person decided last, which a page that is opened anew can take back."""
    reader, name = reader_of(request), desk_of(request).name
    return JSONResponse(
        [
            {
                "number": each.number,
                "line": row["line"],
                "category": each.category,
                "revision": each.revision,
            }
            for each in reader.recent(name)
            if (row := reader.find(each.number))
        ]
    )


def next_row(request: Request, sent: Next) -> Response:
    """Answer with the next row that is nobody's, which is this window's now."""
    desk, reader = desk_of(request), reader_of(request)
    skipped = desk.skipped(base_of(request), sent.window)
    kind = wanted(reader, sent.group, sent.category)
    person = desk.person(sent.window)
    held = None if sent.number is None else reader.take(sent.number, person)
    held = held or reader.next(person, frozenset(skipped), kind)
    return JSONResponse(
        {
            "row": held and _row(reader, held),
            "left": reader.left,
            "rows": reader.rows,
            "skipped": len(skipped),
        }
    )


def skip(request: Request, sent: Skip) -> Response:
    """Leave a row for later, or take all up again."""
    desk, reader = desk_of(request), reader_of(request)
    skipped = desk.skipped(base_of(request), sent.window)
    if sent.number is None:
        skipped.clear()
    else:
        skipped.add(sent.number)
        reader.release(sent.number, desk.person(sent.window))
    return JSONResponse({"skipped": len(skipped)})


def decide(request: Request, sent: Decide) -> Response:
    """Store a decision; the answer comes when it is stored.

    It tells what the model had said of the row before, and not of this one: so who has pressed the wrong key
    can still correct it blindly.
    """
    reader = reader_of(request)
    row = reader.find(sent.number)
    if row is None:
        raise NotFoundError("This row is not in the queue: load the page again.")
    check_answer(reader, sent.category)
    answer = Answer(sent.category, sent.token, sent.revision, sent.note)
    made = reader.decide(row, answer, desk_of(request).person(sent.window))
    return JSONResponse(
        {
            "number": row["number"],
            "line": row["line"],
            "category": made.category,
            "revision": made.revision,
            "left": reader.left,
            "before": None if sent.before in {None, sent.number} else _told(reader, sent.before),
        }
    )


def _told(reader: QueueReader, number: int | None) -> dict[str, Any] | None:
    """Return what the model had said of a row that is decided, and keep that it was told."""
    row = None if number is None else reader.find(number)
    if row is None or row["number"] not in reader.decided:
        return None
    if row["audit"] and (decision := reader.decisions.one(row["number"])):
        reader.tell(decision)
    return {"number": row["number"], "said": row["prediction"], "confidence": row["confidence"]}


def _row(reader: QueueReader, held: Held) -> dict[str, Any]:
    """Return a row as the page gets it before it is decided."""
    row = held.row
    shown = plain(reader, row)
    likely = dict.fromkeys((row["prediction"], row["second"], shown["given"]))
    candidates = [each for each in likely if each in reader.index["categories"]]
    words = _DECIDED.findall(row["decided"])
    return {**shown, "candidates": candidates, "words": words, "revision": held.revision}


ROUTES = [
    route
    for base in BASES
    for api in [f"{API.rstrip('/')}{base}"]
    for route in (
        Route(f"{base}/review", show),
        Route(f"{api}/categories", categories),
        Route(f"{api}/recent", recent),
        Route(f"{api}/next", takes(Next, next_row), methods=["POST"]),
        Route(f"{api}/skip", takes(Skip, skip), methods=["POST"]),
        Route(f"{api}/decide", takes(Decide, decide), methods=["POST"]),
    )
]
