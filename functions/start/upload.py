"""From an upload to the request and the name of its execution; knows nothing of AWS."""

import hashlib
from dataclasses import dataclass
from typing import Any

from shared.keys import PREDICT_PREFIX, TRAIN_PREFIX, stem

STARTED_BY = "upload"


@dataclass(frozen=True)
class Upload:
    """One version of an uploaded object."""

    bucket: str
    key: str
    version: str | None
    etag: str


def from_event(event: dict[str, Any]) -> Upload:
    """Read EventBridge's "Object Created" event.

    The key stands in it as it is: only S3's own notifications (not EventBridge's) encode it like a URL.
    """
    detail = event["detail"]
    thing = detail["object"]
    return Upload(
        detail["bucket"]["name"], thing["key"], thing.get("version-id") or None, thing.get("etag", "")
    )


def action(upload: Upload) -> str | None:
    """Tell what the upload starts: `train`, `predict`, or None for a folder marker or another folder.

    A file with another extension starts its run too, so that `validate` tells the person what is wrong with
    it.
    """
    if upload.key.endswith("/"):
        return None
    folders = {TRAIN_PREFIX: "train", PREDICT_PREFIX: "predict"}
    return next((name for prefix, name in folders.items() if upload.key.startswith(prefix)), None)


def request(upload: Upload, what: str) -> dict[str, str]:
    """Give the execution's input."""
    pinned = {"version": upload.version} if upload.version else {}
    data = f"s3://{upload.bucket}/{upload.key}"
    return {"action": what, "data": data, **pinned, "started_by": STARTED_BY}


def execution_name(upload: Upload, what: str) -> str:
    """Give the execution's name: the same for the same upload, however often its event comes."""
    identity = "\n".join((what, upload.bucket, upload.key, upload.version or upload.etag))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    # At most 7 + 1 + 32 + 1 + 12 characters of the 80 that Step Functions allows.
    return f"{what}-{stem(upload.key)}-{digest}"
