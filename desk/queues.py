"""What the pages of one queue share: which queue an address means, and how its rows reach the browser."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field
from starlette.requests import Request

from contract.queue import NONE_OF_THESE, QueueRow
from desk.pages import API, desk_of
from workflow.decisions import NOTE_CHARACTERS
from workflow.errors import CommandError
from workflow.queue import QueueReader, Wanted

SUSPECTS = "/suspects/"
BASES = ("/runs/{run}", f"{SUSPECTS}{{run}}")
SHOWN = 50  # rows on a page
SEARCHED = 20_000  # rows at most that a page looks at; it says where it stopped, and goes on from there
TEXT_SHOWN = 300  # characters of a text in a list; the rest opens

Number = Annotated[int, Field(ge=0)]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,64}$")]
Note = Annotated[str, Field(max_length=NOTE_CHARACTERS)]

Row = TypeVar("Row")


@dataclass(frozen=True)
class Found(Generic[Row]):
    """A page of rows."""

    rows: list[Row]
    further: int | None
    """The place at which the next page begins; None: there is no more."""
    looked_at_all: bool
    """False: the page is not full, and there may be more among the rows that were not looked at."""


def look(places: Iterable[int], read: Callable[[int], Row | None]) -> Found[Row]:
    """Return a page of the rows that `read` gives for places; it gives None for what is not wanted."""
    found: list[Row] = []
    for looked, place in enumerate(places):
        if len(found) == SHOWN or looked == SEARCHED:
            return Found(found, place, looked_at_all=len(found) == SHOWN)
        if (row := read(place)) is not None:
            found.append(row)
    return Found(found, None, looked_at_all=True)


def reader_of(request: Request) -> QueueReader:
    """Return the rows that the address means: those of a labelled file, or a training's suspects."""
    suspects = base_of(request).startswith(SUSPECTS)
    return desk_of(request).reader(request.path_params["run"], suspects=suspects)


def base_of(request: Request) -> str:
    """Return how the addresses of the queue's pages begin: `/runs/RUN` or `/suspects/RUN`."""
    parts = request.url.path.removeprefix(API).strip("/").split("/")
    return f"/{parts[0]}/{parts[1]}"


def place_of(request: Request, name: str) -> int | None:
    """Return a number of the address, from 0; None where there is none."""
    asked = request.query_params.get(name, "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 16 else None


def about(request: Request, reader: QueueReader) -> dict[str, Any]:
    """Return what the pages of a queue tell besides its rows."""
    chosen = {name: request.query_params.get(name, "") for name in ("group", "category", "text")}
    base = base_of(request)
    return {
        "run": request.path_params["run"],
        "base": base,
        "suspects": base.startswith(SUSPECTS),
        "index": reader.index,
        "chosen": chosen,
        "decided_rows": reader.rows - reader.left,
        "shown": SHOWN,
        "text_shown": TEXT_SHOWN,
        "none_of_these": NONE_OF_THESE,
    }


def wanted(reader: QueueReader, group: str | None, category: str | None) -> Wanted:
    """Return which rows are wanted; raises CommandError for what the queue does not have."""
    if group is not None and group not in reader.index["groups"]:
        raise CommandError("The queue has no rows of this kind: load the page again.")
    if category is not None and category not in reader.index["categories"]:
        raise CommandError("The model has no such category: choose one of the list.")
    return Wanted(group, category)


def check_answer(reader: QueueReader, category: str | None) -> None:
    """Raise CommandError for what is neither a category of the model nor NONE_OF_THESE."""
    if category not in {None, NONE_OF_THESE, *reader.index["categories"]}:
        raise CommandError(
            f"The model has no such category: choose one of the list, or {NONE_OF_THESE}; "
            "the note can name a new one."
        )


def has_text(reader: QueueReader, row: QueueRow, text: str) -> bool:
    """Return whether the text of a row has another one in it, in whatever case."""
    return text.casefold() in row["cells"][reader.index["text"]].casefold()


def plain(reader: QueueReader, row: QueueRow) -> dict[str, Any]:
    """Return a row as every page may show it: without confidence and reason."""
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
