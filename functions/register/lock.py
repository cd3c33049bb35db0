"""Lets one run at a time decide what is live: an object in S3 that only one can write.

A holder that was lost leaves its lock behind, which is taken over when it has expired. It expires later than
the function can run, so what has expired holds nobody.
"""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contract.errors import AnotherGoesLive, ObjectMissing
from shared import aws, storage
from shared.storage import Location

LOCK_SECONDS = 660  # longer than the function may run


@contextmanager
def held(place: Location, seconds: int = LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock at `place`, for `seconds` at most. Raises AnotherGoesLive while another holds it."""
    expires = time.time() + seconds
    _take(place, uuid.uuid4().hex, expires)
    try:
        yield
    finally:
        if time.time() < expires:
            aws.s3().delete_object(Bucket=place.bucket, Key=place.key)


def _take(place: Location, holder: str, expires: float) -> None:
    body = json.dumps({"holder": holder, "expires": expires}).encode()
    if storage.write_if(place, body, IfNoneMatch="*"):
        return
    etag, found = _read(place)
    if found["expires"] <= time.time() and storage.write_if(place, body, IfMatch=etag):
        return
    # It may have been written, and only the answer was lost.
    if _read(place)[1]["holder"] != holder:
        raise AnotherGoesLive("Another run is making its model live at this moment; start this one again.")


def _read(place: Location) -> tuple[str, dict[str, Any]]:
    """Return the lock and the tag of its version; one that was just given back is nobody's."""
    try:
        etag = storage.head(place).etag
        return f'"{etag}"', json.loads(storage.read_bytes(place))
    except ObjectMissing:
        return "", {"holder": "", "expires": float("inf")}
