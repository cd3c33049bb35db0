"""Lambda: a model that reached the bar in, its version in the registry out, unless the live one is better.

The Gate compared it with the model that was live then. What is live may have changed since, so it is looked
up again when it counts, with all other runs waiting: if another model is live, the two are compared first.
A request for another target of the live model (threshold.py) comes to the same function and waits with them.
"""

from contract import keys
from contract.metrics import LIVE_ACCURACY
from contract.state import Evaluation, LiveModel, RegisterEvent, Registration
from register import again, lock, package, threshold, version
from shared import artifact, metrics, registry, settings
from shared.storage import Location
from shared.telemetry import lambda_handler, logger


def _handle(event: RegisterEvent) -> Registration:
    artifact.check(event["training"]["model_uri"])
    if _is_worse(event["evaluation"]):
        return _loses(event)
    reason = event["evaluation"].get("reason")
    if reason or version.wants_a_person():
        return _waits(event, reason)
    with lock.held(Location(settings.artifacts_bucket(), keys.GOING_LIVE)):
        live = registry.live_model(settings.model_group())
        if live and live["job"] == event["training"]["job"]:  # an earlier attempt came this far
            return _told(event, live["arn"])
        if _is_same_model(live, event["run"]["live_model"]):
            return _goes_live(event, live)
    return _compares(event, live)


def _is_worse(evaluation: Evaluation) -> bool:
    """Return whether evaluate found the model worse than the live one; an older one left the figures only."""
    less = evaluation.get("compared_accuracy", 0.0) < evaluation.get("live_accuracy", 0.0)
    return evaluation.get("worse_than_live", less)


def _loses(event: RegisterEvent) -> Registration:
    """Reject a model for the one that is better, if that one is live still."""
    live = registry.live_model(settings.model_group())
    if _is_same_model(live, event["run"]["live_model"]):
        return {"live": False, "rejected": True}
    return _compares(event, live)


def _compares(event: RegisterEvent, live: LiveModel | None) -> Registration:
    if sentence := again.impossible(event["run"], live):
        return _waits(event, sentence)
    logger.info("Another model is live", extra={"version": live["version"] if live else None})
    return again.compare(event, live)


def _goes_live(event: RegisterEvent, before: LiveModel | None) -> Registration:
    arn = _create(event, None)
    if not version.goes_live(arn, f"Approved by the gate, in the run {event['run']['name']}"):
        return _waits(event, "A person rejected it while it was going live.")
    return _told(event, arn, before=before)


def _waits(event: RegisterEvent, reason: str | None) -> Registration:
    return _told(event, _create(event, reason), live=False, reason=reason)


def _told(
    event: RegisterEvent,
    arn: str,
    *,
    live: bool = True,
    reason: str | None = None,
    before: LiveModel | None = None,
) -> Registration:
    number, group = version.number(arn), settings.model_group()
    subject, message = package.words(event, number, group, live=live, reason=reason, before=before)
    logger.info("Registered", extra={"version": number, "live": live})
    if live:
        metrics.write(group, {LIVE_ACCURACY: 100 * event["evaluation"]["accuracy"]})
    registration: Registration = {
        "arn": arn,
        "version": number,
        "live": live,
        "subject": subject,
        "message": message,
    }
    return {**registration, "reason": reason} if reason else registration


def _create(event: RegisterEvent, reason: str | None) -> str:
    return version.create(package.package(event, settings.model_group(), reason))


def _is_same_model(live: LiveModel | None, other: LiveModel | None) -> bool:
    """Return whether two versions are one model; its target may have been changed in between."""
    return (live and live["model_uri"]) == (other and other["model_uri"])


_register = lambda_handler(_handle)


def handler(event: dict[str, object], context: object) -> object:
    """Answer the step Register, which has a run, or Threshold, which has none."""
    return (_register if "run" in event else threshold.handler)(event, context)
