"""Objects in S3 with all their versions: a mark of deletion hides what is still there."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from contract.lineage import LearnedFile
from workflow import objects, submission
from workflow.account import Account
from workflow.errors import CommandError
from workflow.stack import Stack


@dataclass(frozen=True)
class Version:
    """One version of an object."""

    bucket: str
    key: str
    id: str
    etag: str
    size: int
    written: datetime
    newest: bool
    """Whether it is what is read without naming a version: nothing hides it."""

    @property
    def uri(self) -> str:
        """Its address."""
        return f"s3://{self.bucket}/{self.key}"


def listed(account: Account, bucket: str, prefix: str = "") -> Iterator[list[Version]]:
    """Yield the versions of each object, the newest first; marks of deletion are none."""
    pages = account.s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    every = (
        Version(
            bucket,
            each["Key"],
            each["VersionId"],
            each["ETag"].strip('"'),
            each["Size"],
            each["LastModified"].astimezone(UTC),
            each["IsLatest"],
        )
        for page in pages
        for each in page.get("Versions", [])
        if each["Size"] and not each["Key"].endswith("/")
    )
    for _, versions in groupby(every, attrgetter("key")):
        yield list(versions)


def fetch(account: Account, version: Version, to: Path) -> None:
    """Write the content of a version to a file."""
    named = {} if version.newest and version.id == "null" else {"VersionId": version.id}
    account.s3.download_file(version.bucket, version.key, str(to), ExtraArgs=named)


def replace(account: Account, version: Version, path: Path) -> None:
    """Put another content in the place of the newest version, which is deleted.

    Raises CommandError if somebody has changed the object since it was listed.
    """
    there = account.s3.head_object(Bucket=version.bucket, Key=version.key)
    if there["ETag"].strip('"') != version.etag:
        raise CommandError(f"{version.uri} was changed meanwhile: begin again with the same command.")
    kept = {name: there[name] for name in ("ContentType", "Metadata") if there.get(name)}
    account.s3.upload_file(str(path), version.bucket, version.key, ExtraArgs=kept)
    if version.id != "null":  # in a bucket without versions it is overwritten
        delete(account, [version])


def move(account: Account, stack: Stack, version: Version, path: Path) -> LearnedFile:
    """Write another content of an upload where it starts no run; returns what a training may learn of it.

    What is written under `train/` or `predict/` would start one. The name of `path` is that of the upload.
    """
    made = submission.upload(account, stack, path)
    bucket, key = objects.place(made.uri)
    there = account.s3.head_object(Bucket=bucket, Key=key)
    return {
        "uri": made.uri,
        "version": made.version,
        "etag": there["ETag"].strip('"'),
        "size": there["ContentLength"],
        "sha256": digest(path),
        "uploaded": version.written.isoformat(timespec="seconds"),
    }


def digest(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hide(account: Account, version: Version) -> None:
    """Mark an object as deleted, so that no older version is read in the place of one that goes."""
    account.s3.delete_object(Bucket=version.bucket, Key=version.key)


def delete(account: Account, versions: Iterable[Version]) -> None:
    """Delete versions for good. Raises CommandError where one may not be deleted."""
    every = list(versions)
    for first in range(0, len(every), 1000):
        some = every[first : first + 1000]
        answer = account.s3.delete_objects(
            Bucket=some[0].bucket,
            Delete={"Objects": [{"Key": each.key, "VersionId": each.id} for each in some], "Quiet": True},
        )
        for error in answer.get("Errors", []):
            raise CommandError(
                f"{error.get('Key')} in {some[0].bucket} cannot be deleted ({error.get('Message')}): you "
                "need s3:DeleteObjectVersion there (docs/security.md#to-forget-a-claim); then give the same "
                "command again."
            )
