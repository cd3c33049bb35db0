"""Deciding rows: one at a time by keyboard, or those of a list together.

Neither confidence nor reason of a row reach the browser before it is decided: an audit, which is a row that
the model had accepted, looks like all others, so that it is decided as carefully.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.queue import QueueRow
from desk.desk import NotFoundError
from desk.pages import API, Posted, desk_of, page, takes
from desk.similar import most_similar
from workflow.decisions import NOTE_CHARACTERS, Answer, NotYoursError
from workflow.errors import CommandError
from workflow.queue import Held, QueueReader, Wanted

SUSPECTS = "/suspects/"
COMMON = 9  # categories that have a number to press
LIST_ROWS = 50
MOST_TOGETHER = 500
SEARCHED = 20_000  # rows at most that a list looks through for a text
_DECIDED = re.compile(r"(.+?) \([+-][0-9.]+\)(?:, |$)")

Number = Annotated[int, Field(ge=0)]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,64}$")]
Note = Annotated[str, Field(max_length=NOTE_CHARACTERS)]


class Next(Posted):
    """Asks for the next row of a window."""

    window: str
    group: str | None = None
    category: str | None = None


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


class Together(Posted):
    """Decides several rows alike that nobody has decided."""

    window: str
    numbers: Annotated[list[Number], Field(min_length=1, max_length=MOST_TOGETHER)]
    category: str | None
    """None: each row's own prediction."""
    token: Token
    note: Note = ""


def show(request: Request) -> Response:
    """Answer with the page on which rows are decided one at a time."""
    reader = _reader(request)
    reader.refresh()
    return page(request, "review.html", **_about(request, reader))


def categories(request: Request) -> Response:
    """Answer with what a page needs of a queue: all categories, and the common ones that have a number."""
    index = _reader(request).index
    often = [name for name, _ in Counter(index["by_category"]).most_common(COMMON)]
    if len(index["categories"]) <= COMMON:  # each has its number, whatever the file has
        often = []
    common = list(dict.fromkeys([*often, *index["categories"]]))[:COMMON]
    return JSONResponse({"categories": index["categories"], "common": common})


def next_row(request: Request, sent: Next) -> Response:
    """Answer with the next row that is nobody's, which is this window's now."""
    desk, reader = desk_of(request), _reader(request)
    skipped = desk.skipped(_base(request), sent.window)
    wanted = _wanted(reader, sent.group, sent.category)
    held = reader.next(desk.person(sent.window), frozenset(skipped), wanted)
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
    desk, reader = desk_of(request), _reader(request)
    skipped = desk.skipped(_base(request), sent.window)
    if sent.number is None:
        skipped.clear()
    else:
        skipped.add(sent.number)
        reader.release(sent.number, desk.person(sent.window))
    return JSONResponse({"skipped": len(skipped)})


def decide(request: Request, sent: Decide) -> Response:
    """Store a decision; the answer comes when it is stored, and tells what the model had said."""
    reader = _reader(request)
    row = reader.find(sent.number)
    if row is None:
        raise NotFoundError("This row is not in the queue: load the page again.")
    _check_category(reader, sent.category)
    answer = Answer(sent.category, sent.token, sent.revision, sent.note)
    made = reader.decide(row, answer, desk_of(request).person(sent.window))
    return JSONResponse(
        {
            "number": row["number"],
            "line": row["line"],
            "category": made.category,
            "revision": made.revision,
            "said": row["prediction"],
            "confidence": row["confidence"],
            "left": reader.left,
        }
    )


def decide_together(request: Request, sent: Together) -> Response:
    """Store a decision of several rows; those that somebody else has are named and left."""
    reader, person = _reader(request), desk_of(request).person(sent.window)
    _check_category(reader, sent.category)
    decided, refused = [], []
    for number in sent.numbers:
        row = reader.find(number)
        if row is None:
            continue
        try:
            reader.decide(
                row,
                Answer(sent.category or row["prediction"], f"{sent.token}-{number}", 0, sent.note),
                person,
            )
            decided.append(number)
        except NotYoursError as error:
            refused.append({"line": row["line"], "why": str(error)})
    return JSONResponse({"decided": decided, "refused": refused, "left": reader.left})


def show_list(request: Request) -> Response:
    """Answer with open rows as a list: of a group, of a category, with a text, or like another row."""
    reader, asked = _reader(request), request.query_params
    wanted = _wanted(reader, asked.get("group") or None, asked.get("category") or None)
    text = asked.get("text", "")
    like = reader.find(int(asked["like"])) if asked.get("like", "").isdecimal() else None
    rows = (reader.row(place) for place in islice(reader.open(wanted), SEARCHED))
    if like:
        found = most_similar(like, rows, reader.index["text"], LIST_ROWS)
    else:
        found = list(islice(_with_text(rows, reader, text), LIST_ROWS))
    return page(
        request,
        "list.html",
        rows=[_plain(reader, row) for row in found],
        like=like and _plain(reader, like),
        text=text,
        left=reader.left,
        **_about(request, reader),
    )


def _reader(request: Request) -> QueueReader:
    """Return the rows that the address means: those of a labelled file, or a training's suspects."""
    return desk_of(request).reader(request.path_params["run"], suspects=_base(request).startswith(SUSPECTS))


def _base(request: Request) -> str:
    """Return how the addresses of the queue's pages begin: `/runs/RUN` or `/suspects/RUN`."""
    parts = request.url.path.removeprefix(API).strip("/").split("/")
    return f"/{parts[0]}/{parts[1]}"


def _about(request: Request, reader: QueueReader) -> dict[str, Any]:
    """Return what the pages of a queue tell besides its rows."""
    chosen = {name: request.query_params.get(name, "") for name in ("group", "category")}
    return {
        "run": request.path_params["run"],
        "base": _base(request),
        "suspects": _base(request).startswith(SUSPECTS),
        "index": reader.index,
        "chosen": chosen,
    }


def _wanted(reader: QueueReader, group: str | None, category: str | None) -> Wanted:
    if group is not None and group not in reader.index["groups"]:
        raise CommandError("The queue has no rows of this kind: load the page again.")
    _check_category(reader, category)
    return Wanted(group, category)


def _check_category(reader: QueueReader, category: str | None) -> None:
    if category is not None and category not in reader.index["categories"]:
        raise CommandError("The model has no such category: choose one of the list.")


def _with_text(rows: Iterator[QueueRow], reader: QueueReader, text: str) -> Iterator[QueueRow]:
    wanted = text.casefold()
    return (row for row in rows if wanted in row["cells"][reader.index["text"]].casefold())


def _row(reader: QueueReader, held: Held) -> dict[str, Any]:
    """Return a row as the page gets it before it is decided."""
    row = held.row
    plain = _plain(reader, row)
    likely = dict.fromkeys((row["prediction"], row["second"], plain["given"]))
    candidates = [each for each in likely if each in reader.index["categories"]]
    words = _DECIDED.findall(row["decided"])
    return {**plain, "candidates": candidates, "words": words, "revision": held.revision}


def _plain(reader: QueueReader, row: QueueRow) -> dict[str, Any]:
    index = reader.index
    cells = list(zip(index["columns"], row["cells"], strict=False))
    shown = [
        cell for place, cell in enumerate(cells) if place not in (index["text"], index["label"]) and cell[1]
    ]
    return {
        "number": row["number"],
        "line": row["line"],
        "text": row["cells"][index["text"]],
        "cells": shown,
        "given": "" if index["label"] is None else row["cells"][index["label"]],
        "prediction": row["prediction"],
    }


def _routes(base: str) -> list[Route]:
    api = f"{API.rstrip('/')}{base}"
    return [
        Route(f"{base}/review", show),
        Route(f"{base}/list", show_list),
        Route(f"{api}/categories", categories),
        Route(f"{api}/next", takes(Next, next_row), methods=["POST"]),
        Route(f"{api}/skip", takes(Skip, skip), methods=["POST"]),
        Route(f"{api}/decide", takes(Decide, decide), methods=["POST"]),
        Route(f"{api}/decide-together", takes(Together, decide_together), methods=["POST"]),
    ]


ROUTES = [*_routes("/runs/{run}"), *_routes(f"{SUSPECTS}{{run}}")]
