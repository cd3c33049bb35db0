"""What another target gives, the version that has it, and the words about both; knows nothing of AWS."""

import math
from typing import Any

from contract.errors import InvalidRequest
from contract.evaluation import Acceptance, at_target
from contract.state import NewTarget
from contract.text import percent
from register.package import described, specification, token, values
from register.wanted import Wanted
from shared.messages import message, subject


def reachable(acceptance: Acceptance | None, target_precision: float, version: int) -> Acceptance:
    """Return what the model's lowest target that is not below the given one gives.

    Raises InvalidRequest when its rows cannot show that target, or when nothing is known of other targets.
    """
    if not acceptance or not acceptance.get("targets"):
        raise InvalidRequest(
            f"Model version {version} comes from an older Claimflow, which measured its own target only: "
            "train again, with target_precision in the configuration."
        )
    found = at_target(acceptance, target_precision)
    if found and found["threshold"] is not None:
        return found
    shown = [each["target_precision"] for each in acceptance["targets"] if each["threshold"] is not None]
    instead = f"the highest that they show is {max(shown):.6g}" if shown else "they show none at all"
    raise InvalidRequest(
        f"The target {target_precision:.6g} is out of reach of model version {version}: the labelled rows "
        f"that it was measured on do not show it, and {instead}. More labelled rows can show more."
    )


def package(live: dict[str, Any], target: float, wanted: Wanted, execution: str) -> dict[str, Any]:
    """Return the parameters of CreateModelPackage for the live model with another target.

    Args:
        live: the live version, as DescribeModelPackage tells it
        target: the new target precision
        wanted: the request
        execution: its ARN; a second call for it gives the same version

    """
    version, container = live["ModelPackageVersion"], live["InferenceSpecification"]["Containers"][0]
    origin = f"Version {version} with the target {percent(target)}"
    facts = {
        "target_precision": repr(target),
        "target_of": str(version),
        "run": _run(execution),
        "started_by": wanted.started_by or "",
    }
    return {
        "ModelPackageGroupName": live["ModelPackageGroupName"],
        "ModelPackageDescription": described(
            f"{origin}, set by {wanted.started_by}" if wanted.started_by else origin
        ),
        "InferenceSpecification": specification(container["Image"], container["ModelDataUrl"], target),
        "ModelApprovalStatus": "PendingManualApproval",
        "ModelMetrics": live["ModelMetrics"],
        "CustomerMetadataProperties": values({**live["CustomerMetadataProperties"], **facts}),
        "ClientToken": token(execution, live["ModelPackageArn"]),
    }


def version_before(live: dict[str, Any], execution: str) -> int | None:
    """Return the version that a live one took its model from, if an earlier attempt of the execution made it.

    Args:
        live: the live version, as DescribeModelPackage tells it
        execution: its ARN

    """
    facts = live.get("CustomerMetadataProperties", {})
    is_own = facts.get("run") == _run(execution)
    return int(facts["target_of"]) if is_own and "target_of" in facts else None


def words(
    version: int, target: NewTarget, wanted: Wanted, claimflow: str, *, is_live: bool
) -> tuple[str, str]:
    """Return the subject and the message for people.

    Args:
        version: that has the target
        target: what it gives
        wanted: the request
        claimflow: how to write the command
        is_live: whether the version is live now; else it waits for a person

    """
    right = percent(target["target_precision"])
    if is_live:
        head = f"Claimflow: model version {version} is live with the target {right}"
        outcome = (
            f"Model version {version} is live with the target {right}: it labels the files that are uploaded "
            "from now on."
        )
    else:
        head = f"Claimflow: model version {version} with the target {right} waits for approval"
        outcome = (
            f"Model version {version} has the target {right}, and waits for a person, as this stack asks "
            f"for it: approve it with `{claimflow} models approve {version}`. Until then the target stays as "
            "it is."
        )
    same = (
        f"It is the same model as version {target['of']}; `{claimflow} models reject {version}` goes back "
        "to that one. A model that is trained later has the target of its configuration."
    )
    by = f"It was asked for by {wanted.started_by}." if wanted.started_by else ""
    lines = [outcome, _figures(target, wanted), same if version != target["of"] else "", by]
    return subject(head), message(lines)


def _figures(target: NewTarget, wanted: Wanted) -> str:
    exact = math.isclose(target["target_precision"], wanted.target_precision)
    asked = (
        "" if exact else f"{wanted.target_precision:.6g} was asked for; the next higher one was measured. "
    )
    precision = target["precision"]
    right = "" if precision is None else f", and gives {percent(precision)} of these the right category"
    return (
        f"{asked}Of the labelled rows that it was measured on, it accepts {percent(target['coverage'])} "
        f"without a person{right}."
    )


def _run(execution: str) -> str:
    return execution.rsplit(":", 1)[-1]
