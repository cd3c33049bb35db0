"""Files of a job to and from S3."""

import contextlib
import io
import tarfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from local.clients import Client


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`.

    Raises:
        ValueError: it is not such a URI.

    """
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ValueError(f"{uri!r} is not an S3 URI (s3://bucket/key).")
    return bucket, key


def download_prefix(s3: Client, uri: str, folder: Path) -> int:
    """Copy every object whose key begins with the prefix into the folder; returns how many.

    As SageMaker does, files keep their path below the last "/" that the prefix covers; a prefix is a
    beginning of keys, not a folder, so `…/train` also brings `…/training/x`.
    """
    bucket, prefix = split_uri(uri)
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if not item["Key"].endswith("/"):
                target = _inside(folder, _relative(item["Key"], prefix))
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(bucket, item["Key"], str(target))
                count += 1
    return count


def upload_archive(s3: Client, folder: Path, uri: str) -> None:
    """Store the contents of a folder as a .tar.gz, its files at the root of the archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, arcname=path.name)
    bucket, key = split_uri(uri)
    packed.seek(0)
    s3.upload_fileobj(packed, bucket, key)


@dataclass
class FolderUpload:
    """Copies a folder's files under a prefix, again and again, each only when it has changed."""

    s3: Client
    folder: Path
    uri: str
    _seen: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def remember(self) -> None:
        """Take the files that are there now as already stored."""
        self._seen = {path: _version(path) for path in self._files()}

    def run(self) -> None:
        """Store the files that are new or changed since the last time."""
        for path in self._files():
            with contextlib.suppress(FileNotFoundError):  # renamed or removed by the program just now
                self._store(path)

    def _store(self, path: Path) -> None:
        version = _version(path)
        if self._seen.get(path) != version:
            bucket, prefix = split_uri(self.uri)
            key = "/".join(
                part for part in (prefix.rstrip("/"), path.relative_to(self.folder).as_posix()) if part
            )
            self.s3.upload_file(str(path), bucket, key)
            self._seen[path] = version

    def _files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


def _version(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_mtime_ns, state.st_size


def _relative(key: str, prefix: str) -> str:
    base = prefix if prefix.endswith("/") or key.startswith(f"{prefix}/") else prefix.rpartition("/")[0]
    return key[len(base) :].lstrip("/") if base else key


def _inside(folder: Path, relative: str) -> Path:
    if ".." in PurePosixPath(relative).parts:
        raise ValueError(f"An object's key leads out of the folder: {relative!r}.")
    return folder / relative
