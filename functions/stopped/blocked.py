"""From AWS Batch's event about a queue that stands still to what people are told; knows nothing of AWS."""

from typing import Any

from shared.batch import Outcome, reason
from shared.messages import message, subject
from stopped.ending import Notice

DETAIL_TYPE = "Batch Job Queue Blocked"


def notice(detail: dict[str, Any]) -> Notice:
    """Return the notice for the `detail` of a "Batch Job Queue Blocked" event."""
    name, why = str(detail.get("jobName")), reason(Outcome(None, "", str(detail.get("statusReason") or "")))
    lines = [
        f"The prediction {name} waits, and all behind it: {why.said}.",
        why.advice if why.is_for_good else "",
        "It goes on by itself as soon as a machine takes it. If none does for too long, the run ends and "
        "says why.",
    ]
    return Notice(subject("Claimflow: predictions wait for a machine"), message(lines))
