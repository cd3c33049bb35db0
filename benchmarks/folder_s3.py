"""S3 as a folder: just what the functions call to label a file. A part's metadata are the facts beside it."""

import io
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from container import storage
from contract import keys


class FolderS3:
    """One folder a bucket, one file an object."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, bucket: str, key: str) -> Path:
        """Return where an object lies."""
        return self.root / bucket / key

    def head_object(self, *, Bucket: str, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803  AWS's names
        """Look a file up; only a small one's tag is its digest."""
        path = self.path(Bucket, Key)
        if not path.exists():
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        size = path.stat().st_size
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return {"ETag": _tag(path, size), "ContentLength": size, "LastModified": written}

    def get_object(self, *, Bucket: str, Key: str, Range: str = "", **_: object) -> dict[str, Any]:  # noqa: N803
        """Read a file or a range of it."""
        path = self.path(Bucket, Key)
        if not path.exists():
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        found = storage.find(str(path)) if f"/{keys.PART}" in Key and "/parts/" in Key else None
        with path.open("rb") as file:
            first, last = (int(end) for end in Range.removeprefix("bytes=").split("-")) if Range else (0, -1)
            file.seek(first)
            content = file.read(last - first + 1 if Range else -1)
        return {"Body": io.BytesIO(content), "Metadata": found.facts if found else {}}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: object) -> None:  # noqa: N803
        """Write a small file."""
        path = self.path(Bucket, Key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Body)

    def upload_file(self, source: str, bucket: str, key: str, **_: object) -> None:
        """Write a file."""
        path = self.path(bucket, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)

    def get_paginator(self, _: str) -> "FolderS3":
        """Return itself: it lists."""
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        """List the files of one folder, as the functions ask for no more."""
        folder = self.path(Bucket, Prefix)
        for entry in sorted(os.scandir(folder) if folder.exists() else [], key=lambda one: one.name):
            size = entry.stat().st_size
            yield {"Contents": [{"Key": Prefix + entry.name, "ETag": _tag(Path(entry), size), "Size": size}]}


def _tag(path: Path, size: int) -> str:
    found = storage.find(str(path)) if size < 100_000_000 else None
    return found.tag if found else str(size)
