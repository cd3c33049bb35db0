"""Files by address: `s3://bucket/key`, or a path on this machine. The only user of boto3 in the container."""

import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config as Settings
from botocore.exceptions import BotoCoreError, ClientError

from container.failure import ProgramError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class StorageError(ProgramError):
    """A file cannot be read or written."""


def download(address: str, target: Path) -> Path:
    """Copy the file at an address to `target`, and give `target`.

    Raises StorageError when it cannot be read.
    """
    try:
        if bucket_key := _s3(address):
            _client().download_file(*bucket_key, str(target))
        else:
            shutil.copyfile(address, target)
    except (OSError, BotoCoreError, ClientError) as error:
        raise StorageError(f"{address} cannot be read: {_cause(error)}.") from error
    return target


def read(address: str) -> bytes:
    """Give a small file's content. Raises StorageError when it cannot be read."""
    try:
        if bucket_key := _s3(address):
            return _client().get_object(Bucket=bucket_key[0], Key=bucket_key[1])["Body"].read()
        return Path(address).read_bytes()
    except (OSError, BotoCoreError, ClientError) as error:
        raise StorageError(f"{address} cannot be read: {_cause(error)}.") from error


def upload(source: Path, address: str) -> None:
    """Put a complete file at an address, at once. Raises StorageError when it cannot be written."""
    try:
        if bucket_key := _s3(address):
            _client().upload_file(str(source), *bucket_key)
        else:
            target = Path(address)
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.unfinished")
            shutil.copyfile(source, unfinished)
            unfinished.replace(target)
    except (OSError, BotoCoreError, ClientError, boto3.exceptions.S3UploadFailedError) as error:
        raise StorageError(f"{address} cannot be written: {_cause(error)}.") from error


def write(content: bytes, address: str) -> None:
    """Put a small content at an address, without a file. Raises StorageError when it cannot be written."""
    try:
        if bucket_key := _s3(address):
            _client().put_object(Bucket=bucket_key[0], Key=bucket_key[1], Body=content)
        else:
            Path(address).parent.mkdir(parents=True, exist_ok=True)
            Path(address).write_bytes(content)
    except (OSError, BotoCoreError, ClientError) as error:
        raise StorageError(f"{address} cannot be written: {_cause(error)}.") from error


def remove(address: str) -> None:
    """Remove the file at an address, if it is there. Raises StorageError when it cannot be removed."""
    try:
        if bucket_key := _s3(address):
            _client().delete_object(Bucket=bucket_key[0], Key=bucket_key[1])
        else:
            Path(address).unlink(missing_ok=True)
    except (OSError, BotoCoreError, ClientError) as error:
        raise StorageError(f"{address} cannot be removed: {_cause(error)}.") from error


def join(folder: str, name: str) -> str:
    """Give the address of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def _s3(address: str) -> tuple[str, str] | None:
    if not address.startswith("s3://"):
        return None
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


@cache
def _client() -> "S3Client":
    return boto3.client("s3", config=Settings(retries={"mode": "standard", "max_attempts": 5}))


def _cause(error: Exception) -> str:
    return str(error).rstrip(".")
