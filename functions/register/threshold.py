"""Lambda: a request for another target in, a new version of the live model that has it out.

Nothing is trained: what each target gives was measured when the model was trained, and lies in its artifact
and on its card. The version before stays in the registry, and is live again when the new one is rejected.
"""

import math
from typing import cast

from contract import keys
from contract.errors import InvalidRequest, NoLiveModel, StorageError
from contract.evaluation import Acceptance
from contract.state import LiveModel, NewTarget, Registration, ThresholdEvent
from register import lock, target, version, wanted
from register.wanted import Wanted
from shared import registry, settings, storage
from shared.messages import command
from shared.storage import Location
from shared.telemetry import lambda_handler, logger


def _handle(event: ThresholdEvent) -> Registration:
    request = wanted.parse(event["request"])
    _live()  # what is refused anyway need not wait for others
    with lock.held(Location(settings.artifacts_bucket(), keys.GOING_LIVE)):
        live = _live()
        own = _acceptance(live)
        found = target.reachable(own, request.target_precision, live["version"])
        described = version.describe(live["arn"])
        if _has_it_already(live, own, found):
            before = target.version_before(described, event["execution"])
            return _told(live["arn"], before or live["version"], found, request, is_live=True)
        new_target = found["target_precision"]
        arn = version.create(target.package(described, new_target, request, event["execution"]))
        why = f"Approved with its new target, asked for by {request.started_by or 'a request'}"
        is_live = not version.wants_a_person() and version.goes_live(arn, why)
    return _told(arn, live["version"], found, request, is_live=is_live)


def _live() -> LiveModel:
    group = settings.model_group()
    if live := registry.live_model(group):
        return live
    raise NoLiveModel(
        "No model is live whose target could be changed: train one, or approve a version with "
        f"`{command(group)} models approve VERSION`."
    )


def _acceptance(live: LiveModel) -> Acceptance | None:
    """Return what the model's card says of acceptance; None: it has none, or one of before."""
    try:
        card = storage.read_json(live["card"]) if live["card"] else None
    except (StorageError, ValueError) as error:
        raise InvalidRequest(
            f"What model version {live['version']} gives at other targets cannot be read: {error}."
        ) from error
    return cast("Acceptance | None", card.get("acceptance") if isinstance(card, dict) else None)


def _has_it_already(live: LiveModel, own: Acceptance | None, found: Acceptance) -> bool:
    """Return whether the live version has that target; it does when an earlier attempt came this far."""
    now = live.get("target_precision") or (own["target_precision"] if own else 0)
    return math.isclose(now, found["target_precision"])


def _told(arn: str, before: int, found: Acceptance, request: Wanted, *, is_live: bool) -> Registration:
    number = version.number(arn)
    given: NewTarget = {
        "target_precision": found["target_precision"],
        "coverage": found["coverage"],
        "precision": found["precision"],
        "of": before,
    }
    claimflow = command(settings.model_group())
    subject, message = target.words(number, given, request, claimflow, is_live=is_live)
    logger.info("Target", extra={"version": number, "live": is_live, **given})
    return {
        "arn": arn,
        "version": number,
        "live": is_live,
        "target": given,
        "subject": subject,
        "message": message,
    }


handler = lambda_handler(_handle)
