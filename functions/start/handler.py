"""Lambda: an upload's event in, a started execution out."""

import json

from botocore.exceptions import ClientError

from contract.state import Request
from shared import aws, settings
from shared.event import EventBridgeEvent
from shared.telemetry import lambda_handler, logger
from start import upload


def _handle(event: EventBridgeEvent) -> dict[str, object]:
    uploaded = upload.from_event(event)
    what = upload.action(uploaded)
    if what is None:
        logger.info("Nothing is started for what is left over, or in another folder")
        return {"started": None, "answered": _answer(uploaded)}
    name = upload.execution_name(uploaded, what)
    logger.append_keys(execution=name)
    arn = _start(name, upload.request(uploaded, what))
    return {"started": arn, "name": name}


def _answer(uploaded: upload.Upload) -> bool:
    """Send a message that says where the file belongs, if a person put it where it starts nothing."""
    answer = upload.answer(uploaded)
    if answer is None:
        return False
    subject, message = answer
    aws.sns().publish(TopicArn=settings.text("CLAIMFLOW_TOPIC"), Subject=subject, Message=message)
    return True


def _start(name: str, request: Request) -> str | None:
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
