"""Lambda: an upload's event in, a started execution out."""

import json

from botocore.exceptions import ClientError

from shared import aws, settings
from shared.telemetry import Event, lambda_handler, logger
from start import upload


def _handle(event: Event) -> Event:
    uploaded = upload.from_event(event)
    what = upload.action(uploaded)
    if what is None:
        logger.info("Ignored: a folder, or not under train/ or predict/")
        return {"started": None}
    name = upload.execution_name(uploaded, what)
    logger.append_keys(execution=name)
    arn = _start(name, upload.request(uploaded, what))
    return {"started": arn, "name": name}


def _start(name: str, request: dict[str, str]) -> str | None:
    """Start the execution, once: S3 delivers an event at least once, and may deliver it twice."""
    try:
        started = aws.step_functions().start_execution(
            stateMachineArn=settings.text("CLAIMFLOW_STATE_MACHINE"), name=name, input=json.dumps(request)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        logger.info("This upload's execution exists already; the event came twice")
        return None
    logger.info("Started")
    return started["executionArn"]


handler = lambda_handler(_handle)
