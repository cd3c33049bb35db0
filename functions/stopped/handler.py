"""Lambda: an execution that was stopped, took too long or failed past every Catch in, a notification out."""

from shared import aws, settings
from shared.event import EventBridgeEvent
from shared.telemetry import lambda_handler, logger
from stopped.ending import notice


def _handle(event: EventBridgeEvent) -> dict[str, str]:
    detail = event["detail"]
    message = notice(detail)
    aws.sns().publish(
        TopicArn=settings.text("CLAIMFLOW_TOPIC"), Subject=message.subject, Message=message.message
    )
    logger.info("Told", extra={"status": detail.get("status")})
    return {"subject": message.subject}


handler = lambda_handler(_handle)
