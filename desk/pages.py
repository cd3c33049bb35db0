"""How the desk answers: pages of Jinja2 templates, JSON, and errors in one sentence."""

from collections.abc import Awaitable, Callable
from operator import or_
from pathlib import Path
from typing import Any, TypeVar

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from contract.text import count, duration, percent
from desk import wording
from desk.desk import Desk, NotFoundError
from workflow import display
from workflow.decisions import NotYoursError
from workflow.errors import CommandError, ExecutionUnknownError, told

API = "/api/"
MOST_BYTES = 1 << 20  # of what a page sends, files apart
UNEXPECTED = "Something went wrong that the desk does not know: the window in which it was started says more."

templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.filters.update(percent=percent, count=count, duration=duration, moment=display.moment, merged=or_)


class Posted(BaseModel):
    """What a page sends; each field is checked, and no other is taken."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Sent = TypeVar("Sent", bound=Posted)
Endpoint = Callable[[Request], Awaitable[Response]]


def desk_of(request: Request) -> Desk:
    """Return the desk that a request is for."""
    found: Desk = request.app.state.desk
    return found


def page(request: Request, template: str, *, status: int = 200, **given: Any) -> HTMLResponse:  # noqa: ANN401
    """Return a page; every template knows the stack, who it is, and the path that was asked for."""
    desk = desk_of(request)
    about = {"stack": desk.account.stack, "who": desk.name, "path": request.url.path}
    return HTMLResponse(templates.get_template(template).render(**about, **given), status)


def takes(kind: type[Sent], answer: Callable[[Request, Sent], Response]) -> Endpoint:
    """Return the endpoint that reads what a page sends, and lets `answer` work with it in a thread."""

    async def endpoint(request: Request) -> Response:
        try:
            sent = kind.model_validate_json(await _body(request))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the request"
            raise CommandError(
                f"The page sent what the desk does not take ({where}): load the page again."
            ) from None
        return await run_in_threadpool(answer, request, sent)

    return endpoint


async def complain(request: Request, error: Exception) -> Response:
    """Return an error as its sentence: as JSON for a script, else as a page."""
    sentence, status = _sentence(request, error)
    if request.url.path.startswith(API):
        return JSONResponse({"error": sentence}, status)
    return page(request, "error.html", status=status, sentence=sentence)


def _sentence(request: Request, error: Exception) -> tuple[str, int]:
    desk = desk_of(request)
    if isinstance(error, HTTPException):
        return ("There is no such page." if error.status_code == 404 else error.detail), error.status_code
    if isinstance(error, NotFoundError | ExecutionUnknownError):
        return wording.for_page(str(error)), 404
    if isinstance(error, NotYoursError):
        return str(error), 409
    if isinstance(error, CommandError):
        return wording.for_page(str(error)), 400
    if isinstance(error, BotoCoreError | ClientError | Boto3Error | OSError):
        said = str(told(error, desk.account.deploy_command, desk.account.local))
        # A person who loads the page again is sent to that window again.
        desk.tell(said, again=request.headers.get("sec-fetch-mode") == "navigate")
        return (said if isinstance(error, OSError) else wording.of_aws(said, _code(error))), 502
    return UNEXPECTED, 500


def _code(error: Exception) -> str:
    return str(error.response["Error"].get("Code", "")) if isinstance(error, ClientError) else ""


HANDLED = (
    CommandError,
    NotYoursError,
    HTTPException,
    BotoCoreError,
    ClientError,
    Boto3Error,
    OSError,
    Exception,
)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise CommandError("The page sent more than the desk takes at once.")
    return body
