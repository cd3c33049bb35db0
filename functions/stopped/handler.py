"""Lambda: an event in, a notification out.

It is that of a run that was stopped, took too long or failed past every Catch, or of a prediction that waits
for a machine. Each hour it measures how long the oldest run has been going on; of that an alarm tells.
"""

from datetime import datetime
from typing import Any

from contract.metrics import FAILED_RUNS, OLDEST_RUN_SECONDS
from shared import aws, metrics, settings
from shared.event import EventBridgeEvent
from shared.telemetry import lambda_handler, logger
from stopped import blocked, ending, oldest


def _handle(event: EventBridgeEvent) -> dict[str, str]:
    kind = event.get("detail-type")
    if kind == oldest.DETAIL_TYPE:
        _measure(datetime.fromisoformat(event["time"]))
        return {}
    return _tell(event["detail"], is_blocked=kind == blocked.DETAIL_TYPE)


def _measure(now: datetime) -> None:
    age = oldest.seconds(settings.text("CLAIMFLOW_STATE_MACHINE"), now)
    metrics.write(settings.model_group(), {OLDEST_RUN_SECONDS: max(0.0, age)})


def _tell(detail: dict[str, Any], *, is_blocked: bool) -> dict[str, str]:
    message = (blocked if is_blocked else ending).notice(detail)
    aws.sns().publish(
        TopicArn=settings.text("CLAIMFLOW_TOPIC"), Subject=message.subject, Message=message.message
    )
    logger.info("Told", extra={"status": detail.get("status")})
    if detail.get("status") == "FAILED":  # the machine's own counts have the others
        metrics.write(settings.model_group(), {FAILED_RUNS: 1})
    return {"subject": message.subject}


handler = lambda_handler(_handle)
