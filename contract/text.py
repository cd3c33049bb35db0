"""Figures and names in words: each in one way, in messages, logs, reports and the terminal."""

import re
from collections.abc import Iterable

# Control characters, halves of characters, and what turns the direction of text. Line ends are ours.
_RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# Characters that nobody sees and that are no blanks: Unicode's default-ignorable code points, and controls
# that are no white space.
INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)


def percent(share: float, digits: int = 1) -> str:
    """Return a share between 0 and 1 as a percentage.

    >>> percent(0.9234)
    '92.3%'
    """
    return f"{share:.{digits}%}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun, in the singular or the plural.

    >>> count(1, "row"), count(12345, "row"), count(2, "category", "categories")
    ('1 row', '12,345 rows', '2 categories')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Return a duration as people say it.

    >>> duration(0.42), duration(12), duration(185), duration(7620)
    ('0.4 s', '12 s', '3 min 05 s', '2 h 07 min')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def shorten(text: str, limit: int = 40) -> str:
    """Return a text on one line and `sendable`, cut to `limit` characters; `…` stands for what is cut.

    >>> shorten("The drum   leaks water.", 12)
    'The drum le…'
    """
    line = sendable(" ".join(text[: 4 * limit].split()))
    return line if len(line) <= limit and len(text) <= 4 * limit else line[: limit - 1] + "…"


def listed(items: Iterable[str], limit: int = 10) -> str:
    """Return the items quoted and shortened, at most `limit` of them.

    >>> listed(["oil", "brake", "drum"], 2)
    "'oil', 'brake' and 1 more"
    """
    every = [f"'{shorten(item)}'" for item in items]
    shown = ", ".join(every[:limit])
    return shown if len(every) <= limit else f"{shown} and {len(every) - limit} more"


def and_more(first: str, others: int) -> str:
    """Return the first of several files with how many there are beside it.

    >>> and_more("claims.csv", 0), and_more("claims.csv", 2)
    ('claims.csv', 'claims.csv and 2 more files')
    """
    return f"{first} and {count(others, 'more file')}" if others else first


def is_text(text: str) -> bool:
    """Return whether a string is text: JSON can hold half a character (a lone surrogate), UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def sendable(text: str) -> str:
    """Return a text in which control characters and halves of characters are written out, as Python does."""
    return _RAW.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
