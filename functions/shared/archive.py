"""Reads members of the tar.gz files that SageMaker writes, as a stream; nothing is unpacked to disk."""

import tarfile
from collections.abc import Iterator
from typing import IO, BinaryIO


def members(stream: BinaryIO) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the base name and content of every regular file; read each before asking for the next.

    Links, devices and folders are passed over, and a member's folder is not followed, so nothing in an
    archive can name a place outside it. Raises `tarfile.TarError`, `OSError` or `EOFError` for a damaged
    archive.
    """
    with tarfile.open(fileobj=stream, mode="r|gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                yield member.name.rsplit("/", 1)[-1], content
