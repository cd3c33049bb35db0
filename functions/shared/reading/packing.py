"""From a stream to the bytes of the file itself: gzip is unpacked, by content."""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NoReturn, cast

from contract.errors import InvalidData

BLOCK_BYTES = 256 * 1024
GZIP = b"\x1f\x8b"


def uncompressed(stream: BinaryIO, name: str) -> io.BufferedReader:
    """Return the file's bytes, unpacked if they are gzip. Raises InvalidData for a damaged gzip file."""
    buffered = _peekable(stream)
    if buffered.peek(2)[:2] == GZIP:
        buffered = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=buffered)), BLOCK_BYTES)
    try:
        start = buffered.peek(2)[:2]
    except (EOFError, OSError, zlib.error) as error:
        damaged(name, error)
    if start == GZIP:
        raise InvalidData(f"{name} was gzipped twice; gzip the file once, or not at all.")
    return buffered


def blocks(stream: io.BufferedReader, name: str) -> Iterator[bytes]:
    """Yield the blocks of the file, and at last an empty one."""
    while True:
        try:
            block = stream.read(BLOCK_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            damaged(name, error)
        yield block
        if not block:
            return


def damaged(name: str, error: Exception) -> NoReturn:
    """Raise the sentence for a gzip file that cannot be unpacked."""
    raise InvalidData(
        f"{name}: the gzip file is damaged or cut short ({error}); pack it and upload it again."
    ) from error


def _peekable(stream: BinaryIO) -> io.BufferedReader:
    if isinstance(stream, io.BufferedReader):
        return stream
    return io.BufferedReader(cast("io.RawIOBase", stream), BLOCK_BYTES)
