"""Trying a text: what the live model says of it, and why. The text goes nowhere else."""

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.text import is_text
from desk.pages import Posted, desk_of, page, takes
from workflow import classification
from workflow.errors import CommandError

MOST_CHARACTERS = 100_000


class Try(Posted):
    """A text to label."""

    text: Annotated[str, Field(max_length=MOST_CHARACTERS)]


def show(request: Request) -> Response:
    """Answer with the page."""
    return page(request, "try.html")


def label(request: Request, sent: Try) -> Response:
    """Answer with what the live model says of a text."""
    if not sent.text.strip() or not is_text(sent.text):
        raise CommandError("There is no text: type one first.")
    prediction, live = desk_of(request).live_model.label(sent.text)
    return JSONResponse(
        {
            "category": prediction.prediction,
            "verdict": classification.ACCEPTED if not prediction.doubt else classification.PERSON,
            "doubt": prediction.doubt,
            "facts": classification.facts(prediction, live.version),
        }
    )


ROUTES = [Route("/try", show), Route("/api/try", takes(Try, label), methods=["POST"])]
