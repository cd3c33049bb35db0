"""Reading and writing S3 objects: one version of each, in bounded memory."""

import contextlib
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from contract.errors import ObjectDenied, ObjectMissing, StackMisconfigured
from shared import aws
from shared.outage import LOST

RANGE_BYTES = 8 * 1024 * 1024
KEY_BYTES = 1024
_STREAM_ATTEMPTS = 4
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

_MISSING = {
    "404",
    "NoSuchKey",
    "NoSuchBucket",
    "NoSuchVersion",
    "InvalidArgument",
    "400",
    "405",
    "MethodNotAllowed",
}
_OTHERWISE = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404"}
_DENIED = {"403", "AccessDenied", "Forbidden"}


class Location(NamedTuple):
    """A bucket and a key."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """The `s3://` form."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rsplit("/", 1)[-1]


class ObjectInfo(NamedTuple):
    """One version of an object. `version` is None in a bucket that keeps no versions."""

    location: Location
    version: str | None
    etag: str
    size: int


def parse_uri(uri: str) -> Location:
    """Split `s3://bucket/key`. Raises ValueError, which says what it must be, for what S3 would refuse."""
    scheme, separator, rest = uri.partition("://")
    bucket, slash, key = rest.partition("/")
    if scheme != "s3" or not separator or not bucket or not slash or not key:
        raise ValueError("it must be of the form s3://bucket/key")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens")
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise ValueError("it holds half a character (a lone surrogate), which is no text") from error
    if size > KEY_BYTES:
        raise ValueError(f"a key has at most {KEY_BYTES:,} bytes, and this one has {size:,}")
    return Location(bucket, key)


def head(location: Location, version: str | None = None) -> ObjectInfo:
    """Look an object up. Raises ObjectMissing or ObjectDenied."""
    extra: dict[str, Any] = {"VersionId": version} if version else {}
    try:
        answer = aws.s3().head_object(Bucket=location.bucket, Key=location.key, **extra)
    except ClientError as error:
        raise _storage_error(error, location, version) from error
    return ObjectInfo(
        location, version or answer.get("VersionId"), answer["ETag"].strip('"'), int(answer["ContentLength"])
    )


def written(location: Location) -> datetime:
    """Return when an object was written, in UTC. Raises ObjectMissing or ObjectDenied."""
    try:
        answer = aws.s3().head_object(Bucket=location.bucket, Key=location.key)
    except ClientError as error:
        raise _storage_error(error, location, None) from error
    return answer["LastModified"].astimezone(UTC)


def metadata(location: Location) -> dict[str, str]:
    """Return an object's own metadata; nothing for one that is not there. Raises ObjectDenied."""
    try:
        return aws.s3().head_object(Bucket=location.bucket, Key=location.key)["Metadata"]
    except ClientError as error:
        failure = _storage_error(error, location, None)
        if isinstance(failure, ObjectMissing):
            return {}
        raise failure from error


def delete(locations: Iterable[Location]) -> None:
    """Delete objects; one that is not there is deleted already."""
    for location in locations:
        with _writing(location):
            aws.s3().delete_object(Bucket=location.bucket, Key=location.key)


def open_object(info: ObjectInfo) -> BinaryIO:
    """Open one version of an object as a stream that survives a lost connection."""
    return cast("BinaryIO", io.BufferedReader(_RangedObject(info), buffer_size=256 * 1024))


class Hashed(io.RawIOBase):
    """A stream that is read once, from its beginning to its end, and then has its sha256."""

    def __init__(self, stream: BinaryIO) -> None:
        """Read from `stream`."""
        self._stream = stream
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - the buffer protocol
        """Read into a buffer."""
        size = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._digest.update(memoryview(buffer)[:size])
        return int(size)

    def sha256(self) -> str:
        """Return the digest of all bytes, of which those that nobody has read are read now."""
        while rest := self._stream.read(RANGE_BYTES):
            self._digest.update(rest)
        return self._digest.hexdigest()


def open_with_metadata(info: ObjectInfo) -> tuple[BinaryIO, dict[str, str]]:
    """Open an object that is not empty, and give its own metadata, which come with its first bytes."""
    ranged = _RangedObject(info)
    stream = io.BufferedReader(ranged, buffer_size=256 * 1024)
    stream.peek(1)
    return cast("BinaryIO", stream), ranged.metadata


def open_uri(uri: str) -> BinaryIO:
    """Open the newest version of the object at `uri`. Raises ObjectMissing or ObjectDenied."""
    return open_object(head(parse_uri(uri)))


def read_bytes(location: Location) -> bytes:
    """Return an object's content; for small objects. Raises ObjectMissing or ObjectDenied."""

    def get() -> bytes:
        return aws.s3().get_object(Bucket=location.bucket, Key=location.key)["Body"].read()

    try:
        return _whole(get)
    except ClientError as error:
        raise _storage_error(error, location, None) from error


def read_json(uri: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Return the JSON document at `uri`, one of the machine's own."""
    return json.loads(read_bytes(parse_uri(uri)))


def list_objects(prefix: Location) -> Iterator[ObjectInfo]:
    """Yield the objects whose keys start with a prefix, in order: 1,000 a request."""
    pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
    for page in pages:
        for one in page.get("Contents", []):
            location = Location(prefix.bucket, one["Key"])
            yield ObjectInfo(location, None, one["ETag"].strip('"'), int(one["Size"]))


def write_json(location: Location, document: object) -> str:
    """Write a JSON document, keys in order, and give its URI."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return write_bytes(location, text.encode() + b"\n", "application/json")


def write_bytes(location: Location, content: bytes, content_type: str) -> str:
    """Write a small object and give its URI."""
    with _writing(location):
        aws.s3().put_object(Bucket=location.bucket, Key=location.key, Body=content, ContentType=content_type)
    return location.uri


def write_if(location: Location, content: bytes, **condition: str) -> bool:
    """Write a small object if a condition holds (`IfNoneMatch`, `IfMatch`); tells whether it did."""
    try:
        with _writing(location):
            aws.s3().put_object(
                Bucket=location.bucket,
                Key=location.key,
                Body=content,
                **condition,  # type: ignore[arg-type]
            )
    except ClientError as error:
        if error.response["Error"]["Code"] in _OTHERWISE:
            return False
        raise
    return True


def upload(location: Location, file: Path, content_type: str) -> str:
    """Upload a file, in parts when it is large, and give its URI."""
    extra = {"ContentType": content_type}
    with _writing(location):
        aws.s3().upload_file(str(file), location.bucket, location.key, ExtraArgs=extra)
    return location.uri


def upload_stream(location: Location, stream: IO[bytes], content_type: str, metadata: dict[str, str]) -> str:
    """Upload from a stream that cannot go back, without holding it in memory, and give the URI."""
    extra = {"ContentType": content_type, "Metadata": metadata}
    with _writing(location):
        aws.s3().upload_fileobj(
            cast("IO[bytes]", _Forward(stream)), location.bucket, location.key, ExtraArgs=extra
        )
    return location.uri


@contextmanager
def _writing(location: Location) -> Iterator[None]:
    """Name the place that may not be written: neither AWS's own error nor boto3's around it does."""
    try:
        yield
    except (ClientError, S3UploadFailedError) as error:
        refused = error.__context__ if isinstance(error, S3UploadFailedError) else error
        if isinstance(refused, ClientError) and refused.response["Error"]["Code"] in _DENIED:
            raise StackMisconfigured(
                f"The stack lacks a permission: it may not write to {location.uri}. "
                "Whoever runs it must add it."
            ) from error
        raise


class _Forward:
    """A stream that can only be read: asked by boto3 whether it can seek, a tar stream fails."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


class _RangedObject(io.RawIOBase):
    """One version of an object, fetched range by range.

    A single GET of a large object stays open for as long as the rows take, and botocore retries no body
    that breaks off; a range is short, and is asked for again.
    """

    def __init__(self, info: ObjectInfo) -> None:
        self._info = info
        self._position = 0
        self._range = memoryview(b"")
        self.metadata: dict[str, str] = {}

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - the buffer protocol
        if not self._range and self._position < self._info.size:
            self._range = memoryview(_whole(self._get))
            self._position += len(self._range)
        count = min(len(buffer), len(self._range))
        buffer[:count] = self._range[:count]
        self._range = self._range[count:]
        return count

    def _get(self) -> bytes:
        location, version = self._info.location, self._info.version
        last = min(self._position + RANGE_BYTES, self._info.size) - 1
        pin: dict[str, Any] = {"VersionId": version} if version else {"IfMatch": self._info.etag}
        try:
            answer = aws.s3().get_object(
                Bucket=location.bucket, Key=location.key, Range=f"bytes={self._position}-{last}", **pin
            )
        except ClientError as error:
            raise _storage_error(error, location, version) from error
        self.metadata = answer.get("Metadata", {})
        return answer["Body"].read()


def _whole(get: Callable[[], bytes]) -> bytes:
    """Return what `get` reads, asking again when the connection breaks off: botocore retries no body."""
    for _ in range(_STREAM_ATTEMPTS - 1):
        with contextlib.suppress(*LOST):
            return get()
    return get()


def _storage_error(error: ClientError, location: Location, version: str | None) -> Exception:
    """Return ObjectMissing or ObjectDenied for such an answer; any other error comes back as it is."""
    code = error.response.get("Error", {}).get("Code", "")
    which = f"{location.uri} (version {version})" if version else location.uri
    if code in _MISSING:
        return ObjectMissing(f"{which} is not there")
    if code in _DENIED:
        return ObjectDenied(f"{which} is not there, or this stack may not read it")
    if code in {"PreconditionFailed", "412"}:
        return ObjectMissing(f"{which} was changed while it was being read")
    return error
