"""S3 in memory, as far as the functions use it."""

# ruff: noqa: N803 - the arguments are named as AWS names them

import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

WRITTEN = datetime(2025, 1, 31, 12, 0, tzinfo=UTC)


class MemoryS3:
    """Objects by bucket and key; it keeps no versions."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], tuple[bytes, dict[str, str]]] = {}

    def put(self, uri: str, body: bytes, metadata: dict[str, str] | None = None) -> None:
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        self.objects[bucket, key] = body, metadata or {}

    def get(self, uri: str) -> bytes:
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        return self.objects[bucket, key][0]

    def etag(self, uri: str) -> str:
        return hashlib.md5(self.get(uri), usedforsecurity=False).hexdigest()

    def head_object(self, *, Bucket: str, Key: str, **_: object) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        body, metadata = self.objects[Bucket, Key]
        etag = f'"{self.etag(f"s3://{Bucket}/{Key}")}"'
        return {"ETag": etag, "ContentLength": len(body), "LastModified": WRITTEN, "Metadata": metadata}

    def get_object(self, *, Bucket: str, Key: str, Range: str = "", **_: object) -> dict[str, Any]:
        facts = self.head_object(Bucket=Bucket, Key=Key)
        body = self.objects[Bucket, Key][0]
        if Range:
            first, last = map(int, Range.removeprefix("bytes=").split("-"))
            body = body[first : last + 1]
        return facts | {"Body": io.BytesIO(body)}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: object) -> dict[str, Any]:
        self.objects[Bucket, Key] = Body, {}
        return {}

    def upload_file(self, Filename: str, Bucket: str, Key: str, **_: object) -> None:
        self.objects[Bucket, Key] = Path(Filename).read_bytes(), {}

    def get_paginator(self, _: str) -> "MemoryS3":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        found = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        heads = {key: self.head_object(Bucket=Bucket, Key=key) for key in found}
        yield {"Contents": [_listed(key, head) for key, head in heads.items()]}


def _listed(key: str, head: dict[str, Any]) -> dict[str, Any]:
    return {"Key": key, "ETag": head["ETag"], "Size": head["ContentLength"], "LastModified": WRITTEN}
