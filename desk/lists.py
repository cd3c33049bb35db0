"""Deciding rows of a list together: those of one reason or category, with a text, or like another one."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.queue import QueueRow
from desk.pages import API, Posted, desk_of, page, takes
from desk.queues import (
    BASES,
    SEARCHED,
    SHOWN,
    Found,
    Note,
    Number,
    Token,
    about,
    check_answer,
    has_text,
    look,
    place_of,
    plain,
    reader_of,
    wanted,
)
from desk.similar import most_similar
from workflow.decisions import Answer, NotYoursError
from workflow.queue import QueueReader

MOST_TOGETHER = 500


class Together(Posted):
    """Decides several rows alike that nobody has decided."""

    window: str
    numbers: Annotated[list[Number], Field(min_length=1, max_length=MOST_TOGETHER)]
    category: str | None
    """None: each row's own prediction."""
    token: Token
    note: Note = ""


class Back(Posted):
    """Takes back what was decided together, of the rows that nobody has changed since."""

    window: str
    numbers: Annotated[list[Number], Field(min_length=1, max_length=MOST_TOGETHER)]
    batch: Token
    """The token with which they were decided."""
    token: Token


def show(request: Request) -> Response:
    """Answer with open rows as a list: of a group, of a category, with a text, or like another row."""
    reader, asked = reader_of(request), request.query_params
    kind = wanted(reader, asked.get("group") or None, asked.get("category") or None)
    text, begin, number = asked.get("text", ""), place_of(request, "from") or 0, place_of(request, "like")
    like = None if number is None else reader.find(number)
    places = (place for place in reader.open(kind) if place >= begin)
    if like:
        found = _similar(reader, like, places)
    else:
        found = look(places, lambda place: _with_text(reader, reader.row(place), text))
    rows = [{**plain(reader, row), "alone": reader.is_read_alone(row)} for row in found.rows]
    return page(
        request,
        "list.html",
        rows=rows,
        found=found,
        begin=begin,
        searched=SEARCHED,
        like=like and plain(reader, like),
        left=reader.left,
        **about(request, reader),
    )


def decide_together(request: Request, sent: Together) -> Response:
    """Store a decision of several rows; those that somebody has, or that are to be read alone, are named."""
    reader, person = reader_of(request), desk_of(request).person(sent.window)
    check_answer(reader, sent.category)
    decided, refused = [], []
    for row in filter(None, map(reader.find, sent.numbers)):
        token = f"{sent.token}-{row['number']}"
        revision = reader.revision(row["number"])
        answer = Answer(sent.category or row["prediction"], token, revision, sent.note, sent.token)
        try:
            reader.decide(row, answer, person)
            decided.append(row["number"])
        except NotYoursError as error:
            refused.append({"line": row["line"], "why": str(error)})
    return JSONResponse({"decided": decided, "refused": refused, "left": reader.left})


def take_back_together(request: Request, sent: Back) -> Response:
    """Open rows again that were decided together; those that were changed since are named and left."""
    reader, person = reader_of(request), desk_of(request).person(sent.window)
    opened, refused = [], []
    for row in filter(None, map(reader.find, sent.numbers)):
        try:
            reader.take_back(row, sent.batch, f"{sent.token}-{row['number']}", person)
            opened.append(row["number"])
        except NotYoursError as error:
            refused.append({"line": row["line"], "why": str(error)})
    return JSONResponse({"opened": opened, "refused": refused, "left": reader.left})


def _with_text(reader: QueueReader, row: QueueRow, text: str) -> QueueRow | None:
    return row if has_text(reader, row, text) else None


def _similar(reader: QueueReader, like: QueueRow, places: Iterator[int]) -> Found[QueueRow]:
    """Return the most similar of the first SEARCHED rows."""
    rows = (reader.row(place) for place in islice(places, SEARCHED))
    found = most_similar(like, rows, reader.index["text"], SHOWN)
    further = next(places, None)
    return Found(found, further, looked_at_all=further is None)


ROUTES = [
    route
    for base in BASES
    for api in [f"{API.rstrip('/')}{base}"]
    for route in (
        Route(f"{base}/list", show),
        Route(f"{api}/decide-together", takes(Together, decide_together), methods=["POST"]),
        Route(f"{api}/take-back", takes(Back, take_back_together), methods=["POST"]),
    )
]
