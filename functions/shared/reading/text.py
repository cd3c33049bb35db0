"""From bytes to lines of text: UTF-8, UTF-16, and Windows-1252 where that is certain."""

import codecs
import io
import re
from collections.abc import Iterator

from contract.errors import InvalidData
from shared.reading.kinds import SAVE_AS_CSV
from shared.reading.packing import blocks

LINE_LIMIT = 32_000_000  # characters; a file with no line ends must not fill the memory
WINDOWS = "windows-1252"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What an accented capital or ß and a sign behind it (`Fuß“`) become when read as UTF-8: letters that no file
# has alone.
_WINDOWS_IN_UTF8 = re.compile("[\x00-\x7f\u0180-\u02bf\u07c0-\u07ff]*")
_SHARP_S_IN_UTF8 = re.compile("[\x00-\x7f\u07c0-\u07ff]*")
_LEADS = (0xC2, 0xC3)  # the first bytes of accented letters in UTF-8; alone they end no Western word
_HIGH = re.compile(r"[^\x00-\x7f]")
# Bytes of UTF-8 read as Windows-1252: an accented letter becomes Ã and a sign, a curly quote three signs.
_UTF8_IN_WINDOWS = re.compile("Ã[€-™\xa0-\xbfŠŒŽšœžŸ]|â€[˜-”™œž\xa6]")
# What other encodings (Cyrillic, Greek, DOS, Macintosh, Central European) become, and Western words never
# hold: four accented letters in a row, signs or capitals between small letters.
_FOREIGN = re.compile("[À-ÖØ-öø-ÿŠŒŽšœžŸ]{4,}|(?<=[a-z])[‚ƒ„†‡ˆ‰‹•˜™›¡-¦¨©¬®-³¶¸¹¼-¿×÷ŠŒŽŸÀ-ÖØ-Þ](?=[a-z])")


class Text:
    """The text of a file. `encoding` is final once the lines have been read: until then it may be ASCII."""

    def __init__(self, stream: io.BufferedReader, name: str) -> None:
        """Look at the first bytes of `stream`; `name` is the file's name, for the sentences."""
        self.name = name
        self._stream = stream
        self.encoding, self.byte_order_mark = _encoding(stream)
        self._decoder = codecs.getincrementaldecoder(self.encoding)()
        self._ascii = self.encoding == "utf-8" and not self.byte_order_mark
        self._lines = self._bytes = 0
        self._pending = ""
        self._high = self._foreign = self._foreign_line = self._windows_line = 0

    def lines(self) -> Iterator[str]:
        r"""Yield the lines with their ends (`\n`, `\r\n` or `\r`), in bounded memory.

        Raises:
            InvalidData: no encoding fits, a NUL byte, a damaged gzip file, or a line without end

        """
        for block in blocks(self._stream, self.name):
            self._bytes += len(block)
            text = self._decoded(block)
            nul = text.find("\0")
            if nul >= 0:
                raise InvalidData(
                    f"{self.name}, line {self._line_of(text[:nul])}: a NUL byte; this is not a text file, or "
                    "it is damaged."
                )
            complete, self._pending = _split(self._pending + text, last=not block)
            for line in complete:
                self._lines += 1
                yield line
            if len(self._pending) > LINE_LIMIT:
                raise InvalidData(
                    f"{self.name}, line {self._lines + 1}: the line does not end; is this a CSV file?"
                )
        self._refuse_foreign()

    def _decoded(self, block: bytes) -> str:
        held = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            cut_off = not block and error.object[error.start] in _LEADS
            before = error.object[: error.start].decode("utf-8", "replace")
            if cut_off or not self._ascii or not _WINDOWS_IN_UTF8.fullmatch(before):
                raise self._undecodable(error) from error
            text = self._windows(error.object, before)
        if (
            self._ascii
            and not text.isascii()
            and self.encoding == "utf-8"
            and _SHARP_S_IN_UTF8.fullmatch(text)
        ):
            text = self._windows(held + block, "")
        if self.encoding == WINDOWS:
            self._judge(text)
        self._ascii = self._ascii and text.isascii()
        return text

    def _windows(self, content: bytes, before: str) -> str:
        """Go on in Windows-1252: all that was given out is ASCII, which is the same in both."""
        self.encoding = WINDOWS
        self._decoder = codecs.getincrementaldecoder("cp1252")()
        self._windows_line = self._line_of(before)
        try:
            return self._decoder.decode(content)
        except UnicodeDecodeError as undefined:
            raise self._undecodable(undefined) from undefined

    def _judge(self, text: str) -> None:
        mixed = _UTF8_IN_WINDOWS.search(text)
        if mixed:
            raise InvalidData(
                f"{self.name}: line {self._line_of(text[: mixed.start()])} is UTF-8 and line "
                f"{self._windows_line} is not; the file was put together from parts in two encodings: save "
                "each part as UTF-8 and put them together again."
            )
        self._high += len(_HIGH.findall(text))
        for match in _FOREIGN.finditer(text):
            self._foreign_line = self._foreign_line or self._line_of(text[: match.start()])
            self._foreign += len(match[0])

    def _refuse_foreign(self) -> None:
        if self._foreign * 10 > self._high:
            raise InvalidData(
                f"{self.name}, line {self._foreign_line}: the letters are neither UTF-8 nor Windows-1252, "
                f"and which others they are cannot be told: {SAVE_AS_CSV}."
            )

    def _undecodable(self, error: UnicodeDecodeError) -> InvalidData:
        good = error.object[: error.start].decode(self._decoder_name(), "replace")
        offset = self._bytes - len(error.object) + error.start
        if self.encoding.startswith("utf-16"):
            return InvalidData(
                f"{self.name}, line {self._line_of(good)}: damaged UTF-16 text (byte {offset + 1:,} of the "
                f"file): {SAVE_AS_CSV}."
            )
        return InvalidData(
            f"{self.name}, line {self._line_of(good)}: the byte 0x{error.object[error.start]:02X} (byte "
            f"{offset + 1:,} of the file) is not {'Windows-1252' if self.encoding == WINDOWS else 'UTF-8'}, "
            f"so letters with accents would be lost: {SAVE_AS_CSV}."
        )

    def _decoder_name(self) -> str:
        return "cp1252" if self.encoding == WINDOWS else self.encoding

    def _line_of(self, before: str) -> int:
        """Return the line on which the text ends that comes after all that was given out."""
        return self._lines + 1 + _line_ends(self._pending + before)


def _encoding(stream: io.BufferedReader) -> tuple[str, bool]:
    """Return the encoding by the first bytes, and whether a mark says so; the stream begins behind it."""
    start = stream.peek(4096)[:4096]
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            stream.read(len(mark))
            return encoding, True
    return _unmarked_utf16(start) or "utf-8", False


def _unmarked_utf16(start: bytes) -> str | None:
    """Detect UTF-16 by its NUL bytes: Latin letters, blanks and separators have one, all on one side."""
    if len(start) < 8:
        return None
    high, low = start[1::2].count(0), start[::2].count(0)
    for nuls, others, encoding in ((high, low, "utf-16-le"), (low, high, "utf-16-be")):
        if nuls * 5 > len(start) // 2 and others == 0:
            return encoding
    return None


def _line_ends(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def _split(text: str, *, last: bool) -> tuple[list[str], str]:
    r"""Return the complete lines and the rest. A `\r` at the end waits: the `\n` may be in the next block."""
    lines = io.StringIO(text, newline="").readlines()
    if last or not lines:
        return lines, ""
    if lines[-1].endswith("\n"):
        return lines, ""
    return lines[:-1], lines[-1]
