"""Asks AWS Batch why shards left no part and no sentence of their own."""

from botocore.exceptions import BotoCoreError, ClientError

from collect import job_cost
from contract.state import Prediction
from shared import batch
from shared.telemetry import logger


def reasons(prediction: Prediction) -> dict[int, str]:
    """Return why shards failed, by their numbers, as far as Batch knows.

    Args:
        prediction: what Step Functions caught from the array job; without a cause, nothing failed

    """
    job = job_cost.job_id(prediction)
    if job is None or "Cause" not in prediction:
        return {}
    try:
        failed = batch.failed_shards(job)
    except (BotoCoreError, ClientError):
        logger.exception("Batch could not be asked for the failed shards")
        return {}
    reasons = {number: batch.reason(outcome) for number, outcome in failed.items()}
    return {number: f"{why.said}. {why.advice}".strip() for number, why in reasons.items() if why.known}
