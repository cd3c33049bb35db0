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

from botocore.exceptions import ClientError

from shared import aws
from shared.errors import AnotherGoesLive
from shared.storage import Location

_TAKEN = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
_GONE = {"NoSuchKey", "404"}


@contextmanager
def held(place: Location, seconds: int) -> Iterator[None]:
    """Hold the lock at `place`, for `seconds` at most. Raises AnotherGoesLive while another holds it."""
    expires = time.time() + seconds
    _take(place, expires)
    try:
        yield
    finally:
        if time.time() < expires:
            aws.s3().delete_object(Bucket=place.bucket, Key=place.key)


def _take(place: Location, expires: float) -> None:
    if not (_write(place, expires, IfNoneMatch="*") or _take_over(place, expires)):
        raise AnotherGoesLive("Another run is making its model live at this moment; start this one again.")


def _take_over(place: Location, expires: float) -> bool:
    """Replace a lock that has expired, unless somebody else does so first."""
    try:
        found = aws.s3().get_object(Bucket=place.bucket, Key=place.key)
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return False
        raise
    if json.loads(found["Body"].read())["expires"] > time.time():
        return False
    return _write(place, expires, IfMatch=found["ETag"])


def _write(place: Location, expires: float, **condition: Any) -> bool:  # noqa: ANN401 - boto3's own
    body = json.dumps({"holder": uuid.uuid4().hex, "expires": expires}).encode()
    try:
        aws.s3().put_object(Bucket=place.bucket, Key=place.key, Body=body, **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in _TAKEN | _GONE:
            return False
        raise
    return True
