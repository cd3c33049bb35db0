"""Lambda: a change in the model registry in, the live model's files at their fixed addresses out.

Events come at least once and in no order, so the registry says what is live, whatever the event says. It is
asked again after the last file was written, until it has not changed meanwhile. Of several calls at once, the
one that writes a file last has therefore seen its version live after that, and what changes later has an
event of its own: in the end all files are of the version that is live.
"""

from contract.errors import TrainingFailed
from contract.state import LiveModel
from publish import live
from shared import aws, outage, registry, settings
from shared.messages import message, subject
from shared.telemetry import lambda_handler, logger


def _handle(_event: object) -> dict[str, object]:
    group = settings.model_group()
    model = registry.live_model(group)
    while True:
        changed = _follow(model)
        newest = registry.live_model(group)
        if _arn(newest) == _arn(model):
            return {"version": model["version"] if model else None, "changed": changed}
        model = newest


def _follow(model: LiveModel | None) -> bool:
    """Publish the model, or withdraw what is published when none is live; returns whether it was needed."""
    bucket = settings.artifacts_bucket()
    version = model["version"] if model else None
    try:
        changed = live.publish(model, bucket) if model else live.withdraw(bucket)
    except TrainingFailed as error:
        if model is None or outage.passing(error):
            raise
        _tell(model, str(error))
        return False
    logger.info("Published" if changed else "Up to date", extra={"version": version})
    return changed


def _tell(model: LiveModel, sentence: str) -> None:
    """Send people a message about what another try would not mend."""
    logger.warning("The files cannot be published", extra={"version": model["version"]})
    lines = [
        f"Model version {model['version']} is live, but its files are not below live/: {sentence}",
        "Approve a version whose artifact is whole, or train again.",
    ]
    aws.sns().publish(
        TopicArn=settings.text("CLAIMFLOW_TOPIC"),
        Subject=subject(f"Claimflow: model version {model['version']} could not be published"),
        Message=message(lines),
    )


def _arn(model: LiveModel | None) -> str | None:
    return model["arn"] if model else None


handler = lambda_handler(_handle)
