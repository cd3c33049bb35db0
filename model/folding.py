"""One form for each text: what a person reads as the same word is written the same.

The specification stands in `model.tokenizer`.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Codes: TypeAlias = npt.NDArray[np.uint32]

MOST_MARKS = 30  # combining marks in a row (Unicode Standard Annex 15, "Stream-Safe Text Format")
UNICODE = 0x110000
ASSIGNED = [(0, 0x323AF), (0xE0000, 0xE01EF)]  # beyond them Unicode has no characters but private ones
# Beyond ASCII, what holds more than ideographs and syllables: NFKC and case folding leave those alone.
LOOKED_AT = [
    *((0x80, 0x33FF), (0xA000, 0xABFF), (0xD7A4, 0x16FFF), (0x18D00, 0x1FFFF)),
    *((0x2F800, 0x2FA1F), (0xE0000, 0xE01EF)),
]

_NOT_SEEN = {  # default-ignorable, but marks or letters by category, or not assigned yet
    0x034F,  # combining grapheme joiner
    *(0x17B4, 0x17B5),  # inherent vowels of Khmer
    *range(0x180B, 0x1810),  # variation selectors: of Mongolian, of all scripts, and more of them
    *range(0xFE00, 0xFE10),
    *range(0xE0000, 0xE0200),
}
_BLANKS = "\u115f\u1160\u3164\uffa0\u2800\u200b"  # Hangul fillers, the empty Braille cell, zero-width space
_STRAIGHT = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u00b4\u02b9\u02bc\u055a"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
}
_REWRITTEN, _MARK, _UNSTABLE = 1, 2, 3  # kinds of characters: written in another way than NFKC does,
# combining marks, and those that case folding decomposes; 0: all others
_NONE = 0xFFFFFFFF
_DOTTED = "i\u0307"  # what case folding makes of the Turkish capital I with a dot


@dataclass(frozen=True)
class _Table:
    """What is not left to NFKC and case folding, by character, each array of shape (0x110000,)."""

    kinds: npt.NDArray[np.uint8]
    one: Codes  # what the character is written as, if that is one character, or _NONE
    longer: dict[str, str]  # what those are written as that become several


def folded(text: str) -> str:
    """Return a text in NFKC and case folded, without what is not seen and with one kind of each sign.

    That of an ASCII text is its lower case.
    """
    if text.isascii():
        return text.lower()
    places = codes(text).astype(np.intp)  # which NumPy indexes with twice as fast
    kinds = _table().kinds[places]
    if not kinds.any():
        return unicodedata.normalize("NFKC", text).casefold()
    if (kinds == _REWRITTEN).any():
        text = _written_plainly(text, places)
    if kinds.max() == _REWRITTEN:
        return unicodedata.normalize("NFKC", text).casefold()
    lower = unicodedata.normalize("NFKC", _with_few_marks(text)).casefold().replace(_DOTTED, "i")
    return unicodedata.normalize("NFKC", lower)


def _written_plainly(text: str, places: "npt.NDArray[np.intp]") -> str:
    table = _table()
    signs = table.one[places]
    plain = _text(signs[signs != _NONE])
    for sign in table.longer.keys() & set(plain):
        plain = plain.replace(sign, table.longer[sign])
    return plain


def _with_few_marks(text: str) -> str:
    """Leave out marks behind the first MOST_MARKS in a row.

    Putting marks into their order takes the square of their number: minutes for a cell full of them.
    """
    signs = codes(text)
    marks = np.zeros(len(signs) + 1, dtype=np.int32)
    np.cumsum(_table().kinds[signs.astype(np.intp)] == _MARK, out=marks[1:])
    too_many = marks[MOST_MARKS + 1 :] - marks[: -MOST_MARKS - 1] > MOST_MARKS
    return _text(np.delete(signs, np.flatnonzero(too_many) + MOST_MARKS)) if too_many.any() else text


def codes(text: str) -> Codes:
    """Return the characters of a text as numbers."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _text(signs: Codes) -> str:
    return signs.tobytes().decode("utf-32-le", "surrogatepass")


@cache
def _table() -> _Table:
    kinds = np.zeros(UNICODE, dtype=np.uint8)
    one = np.arange(UNICODE, dtype=np.uint32)
    longer: dict[str, str] = {}
    for code in (code for first, last in LOOKED_AT for code in range(first, last + 1)):
        sign = chr(code)
        if unicodedata.category(sign) == "Cn" and code not in _NOT_SEEN:  # not assigned
            continue
        plain = _rewritten(sign)
        if plain is not None:
            kinds[code] = _REWRITTEN
            one[code] = _NONE if not plain else ord(plain) if len(plain) == 1 else code
            if len(plain) > 1:
                longer[sign] = plain
        elif unicodedata.combining(sign):
            kinds[code] = _MARK
        elif unicodedata.decomposition(sign) or sign.casefold() != sign:
            kinds[code] = 0 if _is_stable(sign) else _UNSTABLE
    return _Table(kinds, one, longer)


def _is_stable(sign: str) -> bool:
    """Return whether a character, once composed and folded, stays as it is and has no mark of its own."""
    lower = unicodedata.normalize("NFKC", sign).casefold()
    return unicodedata.normalize("NFKC", lower) == lower and not any(map(unicodedata.combining, lower))


def _rewritten(sign: str) -> str | None:
    """Return how a character is written where NFKC alone does not do; None: it does."""
    category = unicodedata.category(sign)
    if sign in _BLANKS:
        return " "
    if category == "Cf" or ord(sign) in _NOT_SEEN:
        return ""
    kind = unicodedata.decomposition(sign)
    if not kind and ord(sign) not in _STRAIGHT:
        return None
    composed = unicodedata.normalize("NFKC", sign.translate(_STRAIGHT))
    straight = composed.translate(_STRAIGHT)
    if (category == "So" and kind.startswith("<super>")) or (category == "No" and composed != sign):
        return f" {straight}"
    return straight if straight != unicodedata.normalize("NFKC", sign) else None
