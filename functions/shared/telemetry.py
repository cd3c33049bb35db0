"""Logs and traces that carry the run's name and never a row's text."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Tracer

from contract.errors import AwsUnavailable, ClaimflowError
from shared import outage
from shared.event import checked

Event = TypeVar("Event")
Handler = Callable[[Any, object], Any]  # JSON, as Lambda passes it in and takes it back

logger = Logger(service="claimflow")
# Patching every library would cost most of a cold start; the handler's own segment says enough.
tracer = Tracer(service="claimflow", auto_patch=False)


def lambda_handler(handle: Callable[[Event], object]) -> Handler:
    """Make a Lambda handler of `handle`: logs and traces around it, the run's name in every line.

    The type of `handle`'s parameter says which keys an event must have; see `shared.event`.
    """

    @wraps(handle)
    def handler(event: object, context: object) -> object:
        logger.append_keys(
            function=handle.__module__.split(".")[0],
            aws_request_id=getattr(context, "aws_request_id", None),
            run=_run_name(event),
        )
        try:
            return handle(checked(event, handle))
        except Exception as error:
            if answer := outage.passing(error):
                # Whatever was made of it on the way. The state machine tries again what has this name.
                logger.warning("AWS is not available", exc_info=True)
                raise AwsUnavailable(answer) from error
            if isinstance(error, ClaimflowError):
                # The sentence itself goes to the person; it may name what stands in a file, so it stays
                # out of here.
                logger.warning("Ended with %s", type(error).__name__)
            raise

    traced: Handler = tracer.capture_lambda_handler(handler, capture_response=False, capture_error=False)
    return traced


def _run_name(event: object) -> object:
    """Look for the run's name in the event itself, or in the state that `explain` gets."""
    for place in (event, event.get("state") if isinstance(event, dict) else None):
        run = place.get("run") if isinstance(place, dict) else None
        if isinstance(run, dict) and "name" in run:
            return run["name"]
    return None
