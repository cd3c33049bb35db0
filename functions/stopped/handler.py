"""Lambda: an event in, a notification out.

It is that of a run that was stopped, took too long or failed past every Catch, or of a prediction that waits
for a machine.
"""

from contract.metrics import FAILED_RUNS
from shared import aws, metrics, settings
from shared.event import EventBridgeEvent
from shared.telemetry import lambda_handler, logger
from stopped import blocked, ending


def _handle(event: EventBridgeEvent) -> dict[str, str]:
    detail = event["detail"]
    is_blocked = event.get("detail-type") == blocked.DETAIL_TYPE
    message = (blocked if is_blocked else ending).notice(detail)
    aws.sns().publish(
        TopicArn=settings.text("CLAIMFLOW_TOPIC"), Subject=message.subject, Message=message.message
    )
    logger.info("Told", extra={"status": detail.get("status")})
    if detail.get("status") == "FAILED":  # the machine's own counts have the others
        metrics.write(settings.model_group(), {FAILED_RUNS: 1})
    return {"subject": message.subject}


handler = lambda_handler(_handle)
