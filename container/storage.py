"""Files by address: `s3://bucket/key`, or a path on this machine. The only user of boto3 in the container."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from boto3.exceptions import RetriesExceededError
from botocore.config import Config as Settings
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from container.failure import ProgramError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


FAULTS = (OSError, BotoCoreError, ClientError, RetriesExceededError)
READS = 4  # of one small file, at most
_MISSING = {"404", "NoSuchKey", "NotFound"}
_OVERTAKEN = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict", "404", "NoSuchKey"}


class StorageError(ProgramError):
    """A file cannot be read or written."""


@dataclass(frozen=True)
class Found:
    """A file that is there: a tag that changes with its content, and what was kept beside it."""

    tag: str
    facts: dict[str, str]


def download(address: str, target: Path) -> Path:
    """Copy the file at an address to `target`, and give `target`.

    Raises StorageError when it cannot be read.
    """
    try:
        if bucket_key := _s3(address):
            _client().download_file(*bucket_key, str(target))
        else:
            shutil.copyfile(address, target)
    except FAULTS as error:
        raise StorageError(f"{address} cannot be read: {_cause(error)}.") from error
    return target


def read(address: str) -> bytes:
    """Return a small file's content. Raises StorageError when it cannot be read."""
    try:
        if bucket_key := _s3(address):
            return _read(*bucket_key)
        return Path(address).read_bytes()
    except FAULTS as error:
        raise StorageError(f"{address} cannot be read: {_cause(error)}.") from error


def _read(bucket: str, key: str) -> bytes:
    """Read a body again that breaks off, which botocore does not."""
    for attempt in range(1, READS + 1):
        try:
            return _client().get_object(Bucket=bucket, Key=key)["Body"].read()
        except (HTTPClientError, IncompleteReadError, ResponseStreamingError):
            if attempt == READS:
                raise
    raise AssertionError("unreachable")


def find(address: str) -> Found | None:
    """Look at a file, and give None if there is none. Raises StorageError when that cannot be told."""
    try:
        if bucket_key := _s3(address):
            answer = _client().head_object(Bucket=bucket_key[0], Key=bucket_key[1])
            return Found(answer["ETag"].strip('"'), answer["Metadata"])
        return _find(Path(address))
    except FAULTS as error:
        if isinstance(error, FileNotFoundError) or _code(error) in _MISSING:
            return None
        raise StorageError(f"{address} cannot be read: {_cause(error)}.") from error


def commit(source: Path, address: str, facts: dict[str, str], before: Found | None) -> bool:
    """Put a complete file at an address, at once, with `facts` beside it.

    Gives False, and changes nothing, unless what is there is still what was found `before`. Raises
    StorageError when the file cannot be written.
    """
    try:
        if bucket_key := _s3(address):
            return _put(source, bucket_key, facts, before)
        return _place(source, Path(address), facts, before)
    except FAULTS as error:
        raise StorageError(f"{address} cannot be written: {_cause(error)}.") from error


def write(content: bytes, address: str) -> None:
    """Put a small content at an address, without a file. Raises StorageError when it cannot be written."""
    try:
        if bucket_key := _s3(address):
            _client().put_object(Bucket=bucket_key[0], Key=bucket_key[1], Body=content)
        else:
            Path(address).parent.mkdir(parents=True, exist_ok=True)
            Path(address).write_bytes(content)
    except FAULTS as error:
        raise StorageError(f"{address} cannot be written: {_cause(error)}.") from error


def remove(address: str) -> None:
    """Remove the file at an address, if it is there. Raises StorageError when it cannot be removed."""
    try:
        if bucket_key := _s3(address):
            _client().delete_object(Bucket=bucket_key[0], Key=bucket_key[1])
        else:
            Path(address).unlink(missing_ok=True)
    except FAULTS as error:
        raise StorageError(f"{address} cannot be removed: {_cause(error)}.") from error


def join(folder: str, name: str) -> str:
    """Return the address of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def _put(source: Path, bucket_key: tuple[str, str], facts: dict[str, str], before: Found | None) -> bool:
    """Put with one request, so that its condition holds for the whole; S3 takes 5 GB at once."""
    bucket, key = bucket_key
    try:
        with source.open("rb") as body:
            if before is None:
                _client().put_object(Bucket=bucket, Key=key, Body=body, Metadata=facts, IfNoneMatch="*")
            else:
                _client().put_object(Bucket=bucket, Key=key, Body=body, Metadata=facts, IfMatch=before.tag)
    except ClientError as error:
        if _code(error) in _OVERTAKEN:
            return False
        raise
    return True


def _find(path: Path) -> Found:
    with path.open("rb") as file:
        tag = hashlib.file_digest(file, "sha256").hexdigest()
    facts = _facts_file(path, tag)
    return Found(tag, json.loads(facts.read_bytes()) if facts.exists() else {})


def _place(source: Path, target: Path, facts: dict[str, str], before: Found | None) -> bool:
    """Write aside and then link or rename, which are done or not done, whenever the process is killed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _facts_file(target, facts["sha256"]).parent.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".unfinished", dir=target.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        unfinished.write_text(json.dumps(facts), encoding="utf-8")
        unfinished.replace(_facts_file(target, facts["sha256"]))
        shutil.copyfile(source, unfinished)
        if before is None:
            os.link(unfinished, target)  # unlike a rename, it fails if there is a file
        elif _find(target).tag == before.tag:
            unfinished.replace(target)
        else:
            return False
    except FileExistsError:
        return False
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def _facts_file(path: Path, tag: str) -> Path:
    """Return where the facts of a file of this content lie, as a path has no metadata."""
    return path.parent.with_name(f"{path.parent.name}.facts") / f"{path.name}.{tag}.json"


def _s3(address: str) -> tuple[str, str] | None:
    if not address.startswith("s3://"):
        return None
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


@cache
def _client() -> "S3Client":
    return boto3.client("s3", config=Settings(retries={"mode": "standard", "max_attempts": 5}))


def _code(error: Exception) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def _cause(error: Exception) -> str:
    if isinstance(error, RetriesExceededError):
        error = getattr(error, "last_exception", error)
    return str(error).rstrip(".")
