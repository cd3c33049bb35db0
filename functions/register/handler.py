"""Lambda: a model that reached the bar in, its version in the registry out, unless the live one is better.

The Gate compared it with the model that was live then. What is live may have changed since, so it is looked
up again when it counts, with all other runs waiting: if another model is live, the two are compared first.
"""

from contract import keys
from contract.state import Evaluation, LiveModel, RegisterEvent, Registration
from register import again, lock, package
from shared import artifact, aws, registry, settings
from shared.storage import Location
from shared.telemetry import lambda_handler, logger

LOCK_SECONDS = 660  # longer than the function may run


def _handle(event: RegisterEvent) -> Registration:
    artifact.check(event["training"]["model_uri"])
    if _is_worse(event["evaluation"]):
        return _loses(event)
    reason = event["evaluation"].get("reason")
    if reason or settings.choice("CLAIMFLOW_APPROVAL", "automatic", "manual") == "manual":
        return _waits(event, reason)
    with lock.held(Location(settings.artifacts_bucket(), keys.GOING_LIVE), LOCK_SECONDS):
        live = registry.live_model(settings.model_group())
        if live and live["job"] == event["training"]["job"]:  # an earlier attempt came this far
            return _told(event, live["arn"])
        if _arn(live) == _arn(event["run"]["live_model"]):
            return _goes_live(event)
    return _compares(event, live)


def _is_worse(evaluation: Evaluation) -> bool:
    """Return whether the model is worse than the live one on the same rows; without such rows it is not."""
    return evaluation.get("compared_accuracy", 0.0) < evaluation.get("live_accuracy", 0.0)


def _loses(event: RegisterEvent) -> Registration:
    """Reject a model for the one that is better, if that one is live still."""
    live = registry.live_model(settings.model_group())
    if _arn(live) == _arn(event["run"]["live_model"]):
        return {"live": False, "rejected": True}
    return _compares(event, live)


def _compares(event: RegisterEvent, live: LiveModel | None) -> Registration:
    if sentence := again.impossible(event["run"], live):
        return _waits(event, sentence)
    logger.info("Another model is live", extra={"version": live["version"] if live else None})
    return again.compare(event, live)


def _goes_live(event: RegisterEvent) -> Registration:
    """Create first and approve last: what is interrupted in between has changed nothing that is used."""
    arn = _create(event, None)
    if _status(arn) == "Rejected":
        return _waits(event, "A person rejected it while it was going live.")
    aws.sagemaker().update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    return _told(event, arn)


def _waits(event: RegisterEvent, reason: str | None) -> Registration:
    return _told(event, _create(event, reason), live=False, reason=reason)


def _told(event: RegisterEvent, arn: str, *, live: bool = True, reason: str | None = None) -> Registration:
    version = int(arn.rsplit("/", 1)[-1])
    subject, message = package.words(event, version, settings.model_group(), live=live, reason=reason)
    logger.info("Registered", extra={"version": version, "live": live})
    registration: Registration = {
        "arn": arn,
        "version": version,
        "live": live,
        "subject": subject,
        "message": message,
    }
    return {**registration, "reason": reason} if reason else registration


def _create(event: RegisterEvent, reason: str | None) -> str:
    image = settings.text("CLAIMFLOW_IMAGE")
    parameters = package.package(event, settings.model_group(), image, reason)
    return aws.sagemaker().create_model_package(**parameters)["ModelPackageArn"]


def _status(arn: str) -> str:
    return aws.sagemaker().describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"]


def _arn(live: LiveModel | None) -> str | None:
    return live["arn"] if live else None


handler = lambda_handler(_handle)
