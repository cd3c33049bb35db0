"""From an upload to the request and the name of its execution; knows nothing of AWS."""

import hashlib
import re
from dataclasses import dataclass

from contract.keys import CONFIG_KEY, PREDICT_PREFIX, REQUESTS_PREFIX, TRAIN_PREFIX, is_table, stem
from contract.state import Action, Request
from contract.text import shorten
from shared.event import EventBridgeEvent
from shared.messages import message, subject

STARTED_BY = "upload"
FOLDERS: dict[str, Action] = {TRAIN_PREFIX: "train", PREDICT_PREFIX: "predict"}
QUIET = (REQUESTS_PREFIX, CONFIG_KEY.rsplit("/", 1)[0] + "/")  # folders for what starts nothing by itself

# What systems and programs leave beside files: hidden ones, Spark's and Hadoop's (_SUCCESS, .part-0.csv.crc,
# 2026_$folder$), checksums, and what is not written to its end.
_LEFT = re.compile(
    r"(^|/)(\.|~\$|__MACOSX/|_temporary/|_delta_log/|_spark_metadata/|(thumbs|ehthumbs)\.db$|desktop\.ini$)"
    r"|_\$folder\$$|\.(crc|md5|sha1|sha256|tmp|swp|part|filepart|crdownload)$|~$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Upload:
    """One version of an uploaded object."""

    bucket: str
    key: str
    version: str | None
    etag: str
    size: int | None = None
    requester: str | None = None
    """Who uploaded it, as far as S3 tells: an account, or a service of AWS."""


def from_event(event: EventBridgeEvent) -> Upload:
    """Read EventBridge's "Object Created" event.

    The key stands in it as it is: only S3's own notifications (not EventBridge's) encode it like a URL.
    """
    detail = event["detail"]
    thing = detail["object"]
    return Upload(
        detail["bucket"]["name"],
        thing["key"],
        thing.get("version-id") or None,
        thing.get("etag", ""),
        thing.get("size"),
        detail.get("requester") or None,
    )


def action(upload: Upload) -> Action | None:
    """Return what the upload starts: `train`, `predict`, or None for what is left over or in another folder.

    A file with another extension starts its run too, so that `validate` tells the person what is wrong with
    it.
    """
    if is_left_over(upload):
        return None
    return next((name for prefix, name in FOLDERS.items() if upload.key.startswith(prefix)), None)


def is_left_over(upload: Upload) -> bool:
    """Return whether no person meant this to be used: a hidden file, a folder's or a job's marker."""
    name = upload.key.rsplit("/", 1)[-1]
    if _LEFT.search(upload.key):
        return True
    return not is_table(name) and (upload.size == 0 or name.startswith("_") or not name)


def answer(upload: Upload) -> tuple[str, str] | None:
    """Return subject and message for a file that a person put where it starts nothing; None for others."""
    if is_left_over(upload) or upload.key.startswith((*FOLDERS, *QUIET)):
        return None
    bucket, name = upload.bucket, upload.key.rsplit("/", 1)[-1]
    lines = [
        f"s3://{bucket}/{shorten(upload.key, 300)} was uploaded where it starts nothing.",
        f"Put a labelled file into s3://{bucket}/{TRAIN_PREFIX} and a file to label into "
        f"s3://{bucket}/{PREDICT_PREFIX}; the configuration is s3://{bucket}/{CONFIG_KEY}.",
        "Names of folders are told apart by small and capital letters.",
    ]
    return subject(f"Claimflow: {name} was uploaded where it starts nothing"), message(lines)


def request(upload: Upload, what: Action) -> Request:
    """Return the execution's input."""
    request: Request = {
        "action": what,
        "data": f"s3://{upload.bucket}/{upload.key}",
        "started_by": f"{STARTED_BY} by {upload.requester}" if upload.requester else STARTED_BY,
    }
    return {**request, "version": upload.version} if upload.version else request


def execution_name(upload: Upload, what: Action) -> str:
    """Return the execution's name: the same for the same upload, however often its event comes."""
    identity = "\n".join((what, upload.bucket, upload.key, upload.version or upload.etag))
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    # At most 7 + 1 + 32 + 1 + 12 characters of the 80 that Step Functions allows.
    return f"{what}-{stem(upload.key)}-{digest}"
