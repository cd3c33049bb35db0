"""From bytes to lines of text: gzip by content, UTF-8 with or without its mark, all else refused."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NoReturn, cast

from shared.errors import InvalidData

BLOCK_BYTES = 256 * 1024
LINE_LIMIT = 32_000_000  # characters; a file with no line ends must not fill the memory

_GZIP = b"\x1f\x8b"
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# First bytes of files that people send instead of a CSV.
_KINDS = (
    (b"PK\x03\x04", "a zip file or an Excel workbook (.xlsx)"),
    (b"PK\x05\x06", "an empty zip file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file (.xls, .doc)"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"{\\rtf", "a rich text document (.rtf)"),
    (b"PAR1", "a Parquet file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip file"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
SAVE_AS_CSV = "open it in a spreadsheet, save it as 'CSV UTF-8 (comma delimited)' and upload that"


def text_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    r"""Give the lines of a text file with their ends (`\n`, `\r\n` or `\r`), in bounded memory.

    Args:
        stream: the file's bytes, gzipped or not
        name: the file's name, for the sentences

    Raises:
        InvalidData: not a text file, not UTF-8, a NUL byte, a damaged gzip file, or a line without end

    """
    plain = uncompressed(stream, name)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    pending, lines_before, bytes_before = "", 0, 0
    for block in _blocks(plain, name):
        bytes_before += len(block)
        pending += _decode(decoder, block, name, (pending, lines_before, bytes_before))
        complete, pending = _split(pending, last=not block)
        for line in complete:
            lines_before += 1
            yield line
        if len(pending) > LINE_LIMIT:
            raise InvalidData(f"{name}, line {lines_before + 1}: the line does not end; is this a CSV file?")


def has_byte_order_mark(stream: io.BufferedReader) -> bool:
    """Tell whether an unread stream starts with the UTF-8 byte order mark."""
    return stream.peek(3)[:3] == codecs.BOM_UTF8


def uncompressed(stream: BinaryIO, name: str) -> io.BufferedReader:
    """Give the file's bytes, unpacked if they are gzip, and refuse what is known not to be text."""
    buffered = _peekable(stream)
    if buffered.peek(2)[:2] == _GZIP:
        buffered = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=buffered)), BLOCK_BYTES)
    try:
        start = buffered.peek(16)[:16]
    except (EOFError, OSError, zlib.error) as error:
        _damaged(name, error)
    _refuse_binary(start, name)
    return buffered


def _peekable(stream: BinaryIO) -> io.BufferedReader:
    if isinstance(stream, io.BufferedReader):
        return stream
    return io.BufferedReader(cast("io.RawIOBase", stream), BLOCK_BYTES)


def _refuse_binary(start: bytes, name: str) -> None:
    if start[:2] == _GZIP:
        raise InvalidData(f"{name} was gzipped twice; gzip the CSV file once, or not at all.")
    if start[:4] in _UTF32:
        raise InvalidData(f"{name} is UTF-32, not UTF-8: {SAVE_AS_CSV}.")
    if start[:2] in _UTF16 or _is_unmarked_utf16(start):
        raise InvalidData(f"{name} is UTF-16 ('Unicode text'), not UTF-8: {SAVE_AS_CSV}.")
    for magic, kind in _KINDS:
        if start.startswith(magic):
            raise InvalidData(f"{name} is {kind}, not a CSV file: {SAVE_AS_CSV}.")


def _is_unmarked_utf16(start: bytes) -> bool:
    """Tell whether every second byte is NUL and no other, as in a header of Latin letters."""
    one, other = start[::2], start[1::2]
    return len(start) >= 8 and any(not any(high) and all(low) for high, low in ((one, other), (other, one)))


def _blocks(stream: io.BufferedReader, name: str) -> Iterator[bytes]:
    """Give the blocks of the file, and at last an empty one."""
    while True:
        try:
            block = stream.read(BLOCK_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            _damaged(name, error)
        yield block
        if not block:
            return


def _damaged(name: str, error: Exception) -> NoReturn:
    raise InvalidData(
        f"{name}: the gzip file is damaged or cut short ({error}); pack it and upload it again."
    ) from error


def _decode(decoder: codecs.IncrementalDecoder, block: bytes, name: str, before: tuple[str, int, int]) -> str:
    """Decode a block; `before` is the text, the lines and the bytes that stand before its end."""
    pending, lines_before, bytes_before = before
    try:
        text = decoder.decode(block, final=not block)
    except UnicodeDecodeError as error:
        good = error.object[: error.start].decode("utf-8", "replace")
        line = lines_before + 1 + _line_ends(pending + good)
        offset = bytes_before - len(error.object) + error.start
        raise InvalidData(
            f"{name}, line {line}: the byte 0x{error.object[error.start]:02X} (byte {offset + 1:,} of "
            "the file) is "
            f"not UTF-8, so letters with accents would be lost: {SAVE_AS_CSV}."
        ) from error
    nul = text.find("\0")
    if nul >= 0:
        line = lines_before + 1 + _line_ends(pending + text[:nul])
        raise InvalidData(f"{name}, line {line}: a NUL byte; this is not a text file, or it is damaged.")
    return text


def _line_ends(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def _split(text: str, *, last: bool) -> tuple[list[str], str]:
    r"""Give the complete lines and the rest. A `\r` at the end waits: the `\n` may be in the next block."""
    lines = io.StringIO(text, newline="").readlines()
    if last or not lines:
        return lines, ""
    if lines[-1].endswith("\n"):
        return lines, ""
    return lines[:-1], lines[-1]
