"""The first page: a file is dropped to be labelled or to train, and what ran before."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.state import Action
from contract.text import shorten
from desk.desk import RECENT, Desk
from desk.pages import desk_of, page
from workflow import records, submission
from workflow.errors import CommandError

MOST_UPLOADED = 5 << 30  # bytes of one file
LONGEST_NAME = 200
LONGEST_PLACE = 6  # digits of how many newer runs are left out


def show(request: Request) -> Response:
    """Answer with the first page."""
    return page(request, "home.html", **_listed(request))


def table(request: Request) -> Response:
    """Answer with the table of runs alone, which the page asks for again and again."""
    return page(request, "runs.html", **_listed(request))


async def upload(request: Request) -> Response:
    """Take a file, which is the body of the request, and start a run with it; answer with the run's name."""
    desk, name = desk_of(request), _file_name(request.query_params.get("name", ""))
    action = next((each for each in get_args(Action) if each == request.query_params.get("action")), None)
    if action is None:
        raise CommandError("Say whether the file is to be labelled or to train a model.")
    with tempfile.TemporaryDirectory(prefix="claimflow-desk-") as folder:
        path = Path(folder) / name
        with path.open("wb") as file:
            await _stream(request, file.write)
        explain = request.query_params.get("explain") == "true"
        arn = await run_in_threadpool(_start, desk, action, path, explain)
    return JSONResponse({"run": arn.rsplit(":", 1)[-1]})


def _listed(request: Request) -> dict[str, Any]:
    """Return a page of runs, the newest ones or older ones, and how many rows of each are left to decide."""
    desk, asked = desk_of(request), request.query_params.get("from", "")
    first = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < LONGEST_PLACE else 0
    found = desk.recent(first)
    return {
        "runs": [records.record(run, desk.stack.results) for run in found],
        "left": desk.left(found),
        "first": first,
        "older": first + RECENT if len(found) == RECENT else None,
    }


async def _stream(request: Request, write: Callable[[bytes], int]) -> None:
    """Write the body of a request as it comes in; raises CommandError where it is too long."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_UPLOADED:
            raise CommandError("The file is larger than 5 GiB: cut it into several files.")
        await run_in_threadpool(write, chunk)


def _start(desk: Desk, action: Action, path: Path, explain: bool) -> str:
    submission.check_file(path)
    config = submission.explained(desk.account, desk.stack, None) if explain else None
    data = submission.upload(desk.account, desk.stack, path)
    return submission.start(desk.account, desk.stack, submission.request(action, data, config=config))


def _file_name(given: str) -> str:
    """Return the name of an uploaded file; raises CommandError for one that could lead elsewhere."""
    if (
        not given.isprintable()
        or given.strip(". ") == ""
        or set(given) & {"/", "\\"}
        or len(given.encode()) > LONGEST_NAME
    ):
        raise CommandError(
            f"The file's name {shorten(given)!a} cannot be used: rename it, then drop it again."
        )
    return given


ROUTES = [
    Route("/", show),
    Route("/api/runs", table),
    Route("/api/upload", upload, methods=["POST"]),
]
