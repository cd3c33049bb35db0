"""The plain form of a name: what people take for the same category or column has the same plain form."""

import re
import unicodedata

from contract.columns import NO_TEXT, TEXT_LIMIT, TOO_LONG
from contract.text import INVISIBLE, is_text

_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
_STRAIGHT = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02b9\u02bb\u02bc\u02ca\u02cb", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
    }
)
_BLANK = re.compile(rf"[\s\u2800{INVISIBLE}]*")
NOT_TEXT = "not text: it holds half a character"
_NUMBER = re.compile(r"([+-]?)0*([0-9]+)(?:\.([0-9]*))?")


def plain(text: str) -> str:
    """Return the form in which names are compared; it is its own plain form.

    Invisible characters (soft hyphens, joiners, byte order marks, bidirectional marks) fall away, curly
    quotes and long dashes become straight, runs of white space one blank, and the rest is in Unicode form
    NFKC, case folded. A number is written in one way: `01`, `1.0` and `1` are one.

    >>> plain(" Engine\u00a0 Oil "), plain("ENGINE OIL"), plain("01.0")
    ('engine oil', 'engine oil', '1')
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text).translate(_STRAIGHT))
        text = unicodedata.normalize("NFKC", text.casefold()).translate(_STRAIGHT)
    folded = " ".join(_INVISIBLE.sub("", text).casefold().split())
    number = _NUMBER.fullmatch(folded)
    return _number(*number.groups(default="")) if number else folded


def is_blank(text: str) -> bool:
    """Return whether nothing of a text can be seen: empty, white space, invisible characters."""
    return _BLANK.fullmatch(text) is not None


def why_unusable(text: str) -> str:
    """Return why a text cannot be labelled, in the words of the results; empty for one that can."""
    if is_blank(text):
        return NO_TEXT
    if not is_text(text):
        return NOT_TEXT
    return f"{TOO_LONG}: {len(text):,} characters, at most {TEXT_LIMIT:,}" if len(text) > TEXT_LIMIT else ""


def _number(sign: str, whole: str, fraction: str) -> str:
    fraction = fraction.rstrip("0")
    digits = f"{whole}.{fraction}" if fraction else whole
    return f"-{digits}" if sign == "-" and digits.strip("0.") else digits
