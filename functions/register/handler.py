"""Lambda: a model that reached the bar in, its version in the registry out, unless the live one is better.

The Gate compared it with the model that was live then. What is live may have changed since, so it is looked
up again when it counts, with all other runs waiting: if another model is live, the two are compared first.
"""

from typing import Any

from contract import keys
from register import again, lock, package
from shared import artifact, aws, registry, settings
from shared.registry import LiveModel
from shared.storage import Location
from shared.telemetry import Event, lambda_handler, logger

LOCK_SECONDS = 660  # longer than the function may run


def _handle(event: Event) -> Event:
    artifact.check(event["training"]["model_uri"])
    if not event["evaluation"]["beats_live"]:
        return _loses(event)
    reason = event["evaluation"].get("reason")
    if reason or settings.choice("CLAIMFLOW_APPROVAL", "automatic", "manual") == "manual":
        return _waits(event, reason)
    with lock.held(Location(settings.artifacts_bucket(), keys.GOING_LIVE), LOCK_SECONDS):
        live = registry.live_model(settings.model_group())
        if live and live.job == event["training"]["job"]:  # an earlier attempt came this far
            return _told(event, live.arn)
        if _arn(live) == _arn(event["run"]["live_model"]):
            return _goes_live(event)
    return _compares(event, live)


def _loses(event: Event) -> Event:
    """Reject a model for the one that is better, if that one is live still."""
    live = registry.live_model(settings.model_group())
    if _arn(live) == _arn(event["run"]["live_model"]):
        return {"live": False, "rejected": True}
    return _compares(event, live)


def _compares(event: Event, live: LiveModel | None) -> Event:
    if sentence := again.impossible(event, live):
        return _waits(event, sentence)
    logger.info("Another model is live", extra={"version": live.version if live else None})
    return again.compare(event, live)


def _goes_live(event: Event) -> Event:
    """Create first and approve last: what is interrupted in between has changed nothing that is used."""
    arn = _create(event, None)
    if _status(arn) == "Rejected":
        return _waits(event, "A person rejected it while it was going live.")
    aws.sagemaker().update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    return _told(event, arn)


def _waits(event: Event, reason: str | None) -> Event:
    return _told(event, _create(event, reason), live=False, reason=reason)


def _told(event: Event, arn: str, *, live: bool = True, reason: str | None = None) -> Event:
    version = int(arn.rsplit("/", 1)[-1])
    subject, message = package.words(event, version, settings.model_group(), live=live, reason=reason)
    logger.info("Registered", extra={"version": version, "live": live})
    why: dict[str, Any] = {"reason": reason} if reason else {}
    return {"arn": arn, "version": version, "live": live, **why, "subject": subject, "message": message}


def _create(event: Event, reason: str | None) -> str:
    image = settings.text("CLAIMFLOW_IMAGE")
    parameters = package.package(event, settings.model_group(), image, reason)
    return aws.sagemaker().create_model_package(**parameters)["ModelPackageArn"]


def _status(arn: str) -> str:
    return aws.sagemaker().describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"]


def _arn(live: LiveModel | dict[str, Any] | None) -> str | None:
    return live.arn if isinstance(live, LiveModel) else live["arn"] if live else None


handler = lambda_handler(_handle)
