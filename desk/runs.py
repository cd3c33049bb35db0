"""The page of a run: its steps as they go on, what came out, its files and reports."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from contract.state import is_threshold
from contract.steps import (
    COLLECT,
    EVALUATE,
    GATE,
    PREDICT,
    PREDICT_AT_ONCE,
    PREDICT_IN_PARALLEL,
    PREPARE,
    REGISTER,
    TRAIN,
    TUNING,
    VALIDATE,
)
from contract.steps import THRESHOLD as NEW_TARGET
from desk.desk import Desk, NotFoundError
from desk.pages import Posted, desk_of, page, takes
from desk.wording import for_page
from workflow import outcome, records, results, training_log
from workflow.executions import RUNNING, Step
from workflow.runs import FINAL, Run, now, redrive, stop

CHUNK = 1 << 16
TO_COME = "to come"
LABELLING = (PREPARE.name, VALIDATE.name, PREDICT.name, COLLECT.name)
TRAINING = (PREPARE.name, VALIDATE.name, TRAIN.name, EVALUATE.name, GATE, REGISTER.name)
# A report is a page that a container made from texts of a file: it runs no script and sends nothing.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


class Change(Posted):
    """Stops a run, or lets it go on."""

    change: Literal["stop", "redrive"]


@dataclass(frozen=True)
class Node:
    """A state in the picture of a run."""

    name: str
    status: str
    seconds: float | None
    note: str


def show(request: Request) -> Response:
    """Answer with the page of a run."""
    return page(request, "run.html", **_about(request))


def state(request: Request) -> Response:
    """Answer with what changes while a run goes on, which the page asks for again and again."""
    return page(request, "state.html", **_about(request))


def download(request: Request) -> Response:
    """Answer with a file of a run; with `view`, as a page without scripts, to be shown in a frame."""
    desk = desk_of(request)
    key = _key(desk, request)
    body = desk.account.s3.get_object(Bucket=desk.stack.results, Key=key)["Body"]
    if "view" in request.query_params and key.endswith(".html"):
        headers = {"content-security-policy": SANDBOX}
        return StreamingResponse(body.iter_chunks(CHUNK), media_type="text/html", headers=headers)
    name = key.rsplit("/", 1)[-1]
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return StreamingResponse(body.iter_chunks(CHUNK), media_type="application/octet-stream", headers=headers)


def report(request: Request) -> Response:
    """Answer with a page that shows a report in a frame."""
    desk, run = desk_of(request), request.path_params["run"]
    name, found = _key(desk, request).split("/", 1)[1], desk.glance(run)
    file = (records.record(found, desk.stack.results).file if found else None) or run
    return page(request, "report.html", run=run, file=file, name=name)


def change(request: Request, sent: Change) -> Response:
    """Stop a run that goes on, or let one that failed go on from the step that did."""
    desk = desk_of(request)
    run = desk.run(request.path_params["run"])
    if sent.change == "redrive":
        redrive(desk.account, run.arn)
    elif run.running:
        stop(desk.account, run.arn)
    return JSONResponse({"run": run.name})


def nodes(run: Run) -> Iterator[Node]:
    """Yield the states that a run visited and, while it goes on, those that are likely to come."""
    for step in run.steps:
        yield Node(step.name, step.status, step.duration(run.ended or now()).total_seconds(), _note(step))
    if run.running:
        visited = {step.name for step in run.steps}
        if visited & {PREDICT_IN_PARALLEL.name, PREDICT_AT_ONCE.name}:
            visited.add(PREDICT.name)
        yield from (Node(name, TO_COME, None, "") for name in _way(run) if name not in visited)


def _way(run: Run) -> tuple[str, ...]:
    """Return the names of the steps that a run takes if all goes well."""
    if is_threshold(run.data):
        return (NEW_TARGET.name,)
    request: dict[str, Any] = dict(run.data.get("request") or {})
    if request.get("action") not in ("train", "tune"):
        return LABELLING
    tries = tuple(step.name for step in TUNING) if request["action"] == "tune" else ()
    learns = tuple(name for step in TRAINING for name in ((*tries, step) if step == TRAIN.name else (step,)))
    return (*learns, PREDICT.name, COLLECT.name) if request.get("predict") else learns


def _note(step: Step) -> str:
    if step.waits and step.status == RUNNING:
        return step.waits
    if step.error:
        return step.error.removeprefix("States.")
    return f"attempt {step.attempts}" if step.attempts > 1 else ""


def _about(request: Request) -> dict[str, Any]:
    desk = desk_of(request)
    run = desk.run(request.path_params["run"])
    return {
        "run": run,
        "file": records.record(run, desk.stack.results).file or run.name,
        "state": outcome.state_of(run),
        "nodes": list(nodes(run)),
        "log_line": training_log.last_line(desk.account, run.steps) if run.running else None,
        "figures": outcome.figures(run, local=desk.account.local),
        "sentence": "" if run.running else for_page(outcome.sentence(run)),
        "warnings": [] if run.running else list(map(for_page, outcome.warnings(run))),
        "can_go_on": not run.running and run.status != "SUCCEEDED" and run.error not in FINAL,
        "files": [] if run.running else results.files_of(desk.account, desk.stack, run.folder),
        "suspects": run.data.get("evaluation", {}).get("suspects", {}).get("count", 0),
        "has_queue": "results" in run.data,
    }


def _key(desk: Desk, request: Request) -> str:
    """Return the key of a file of a run; raises NotFoundError for any other."""
    folder, name = desk.folder(request.path_params["run"]), request.path_params["path"]
    if name not in results.files_of(desk.account, desk.stack, folder):
        raise NotFoundError("There is no such file of this run: its page lists them.")
    return f"{folder}/{name}"


ROUTES = [
    Route("/runs/{run}", show),
    Route("/runs/{run}/state", state),
    Route("/api/runs/{run}/change", takes(Change, change), methods=["POST"]),
    Route("/runs/{run}/files/{path:path}", download),
    Route("/runs/{run}/report/{path:path}", report),
]
