"""From Step Functions' event about an execution's end to what people are told; knows nothing of AWS."""

from dataclasses import dataclass
from typing import Any

from contract import strict_json
from contract.strict_json import JsonError
from shared.messages import message, subject

_SENTENCES = {
    "ABORTED": "The run was stopped before its end; start it again to have its results whole.",
    "TIMED_OUT": "The run took longer than a run may and was ended, so its results are not complete.",
}


@dataclass(frozen=True)
class Notice:
    """What is sent: a subject that SNS accepts and a text."""

    subject: str
    message: str


def notice(detail: dict[str, Any]) -> Notice:
    """Return the notice for the `detail` of a "Step Functions Execution Status Change" event."""
    status, name, file = str(detail.get("status")), str(detail.get("name")), _file(detail)
    sentence = _SENTENCES.get(status) or _failed(detail)
    lines = [
        sentence,
        f"File: {file}" if file else "",
        f"Execution: {detail.get('executionArn')}",
        f"To go on from where it was: `claimflow redrive {name}`",
    ]
    return Notice(
        subject(f"Claimflow: {file or name} ended: {status.lower().replace('_', ' ')}"), message(lines)
    )


def _failed(detail: dict[str, Any]) -> str:
    """Return the sentence for an error that no step could catch; the run itself tells of the others."""
    error, cause = detail.get("error") or "an unnamed error", " ".join(str(detail.get("cause") or "").split())
    return f"The run failed with {error}. {cause}".strip()


def _file(detail: dict[str, Any]) -> str:
    """Return the name of the run's file, if its request can be read (Step Functions leaves long ones out)."""
    try:
        request = strict_json.parse(detail.get("input") or "null")
    except JsonError:
        return ""
    data = request.get("data") if isinstance(request, dict) else None
    return data.rsplit("/", 1)[-1] if isinstance(data, str) else ""
