"""Names what people send instead of a table, whatever the file is called, and says what to do."""

import codecs
import io
import re

from contract.errors import InvalidData

SAVE_AS_CSV = "open it in a spreadsheet, save it as 'CSV UTF-8 (comma delimited)' and upload that"
SAVE_AS_XLSX = "open it in a spreadsheet, save it as .xlsx or CSV and upload that"
_UNPACK = "unpack it and upload the one file that has the texts"
_CONVERT = "convert it to CSV (with pandas: read it, then to_csv) and upload that"
_EXPORT = "export the rows as CSV and upload that"

ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_BINARY = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls) or has a password", SAVE_AS_XLSX),
    (b"%PDF", "a PDF", "copy the table into a spreadsheet, save it as CSV and upload that"),
    (b"\x89PNG\r\n", "a PNG picture", _EXPORT),
    (b"\xff\xd8\xff", "a JPEG picture", _EXPORT),
    (b"GIF8", "a GIF picture", _EXPORT),
    (b"{\\rtf", "a rich text document (.rtf)", SAVE_AS_CSV),
    (b"PAR1", "a Parquet file", _CONVERT),
    (b"ARROW1", "an Arrow or Feather file", _CONVERT),
    (b"Obj\x01", "an Avro file", _CONVERT),
    (b"ORC", "an ORC file", _CONVERT),
    (b"\x89HDF\r\n", "an HDF5 file", _CONVERT),
    (b"\x93NUMPY", "a NumPy file", _CONVERT),
    (b"BZh", "a bzip2 file", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz file", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", _UNPACK),
    (b"\x04\x22\x4d\x18", "an LZ4 file", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip file", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"SQLite format 3\x00", "an SQLite database", _EXPORT),
)  # fmt: skip
_POINTER = "is a pointer of {0} and not the file itself: fetch the file (`{1}`) and upload that"
_TEXTS = (
    (re.compile(r"version https://git-lfs\.github\.com/spec/"), _POINTER.format("Git LFS", "git lfs pull")),
    (re.compile(r"\S*/annex/objects/"), _POINTER.format("git-annex", "git annex get")),
    (re.compile(r"(<!--.*?-->\s*)*(<!doctype html|<html|<head|<body|<table|<div|<p>|<meta)", re.I | re.S),
     "is a web page (HTML): download the file itself, or " + SAVE_AS_CSV),
    (re.compile(r"<\?xml|<!DOCTYPE|<[A-Za-z][\w:.-]*(\s[^<>]*)?/?>\s*<"), "is an XML document: " + _EXPORT),
    (re.compile(r"%!PS"), "is a PostScript document: " + _EXPORT),
)  # fmt: skip


def refuse_binary(stream: io.BufferedReader, name: str) -> None:
    """Raise InvalidData for what is known not to be text, by its first bytes."""
    start = stream.peek(512)[:512]
    if start[:4] in _UTF32:
        raise InvalidData(f"{name} is UTF-32, which Claimflow does not read: {SAVE_AS_CSV}.")
    for magic, kind, advice in _BINARY:
        if start.startswith(magic):
            raise InvalidData(f"{name} is {kind}, not a CSV file: {advice}.")
    if start[257:262] == b"ustar":
        raise InvalidData(f"{name} is a tar archive, not a CSV file: {_UNPACK}.")


def refuse_document(start: str, name: str) -> None:
    """Raise InvalidData for text that is no table, by its first characters."""
    for pattern, said in _TEXTS:
        if said and pattern.match(start.lstrip()):
            raise InvalidData(f"{name} {said}.")
