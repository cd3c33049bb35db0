"""Reads JSON that people wrote, by the standard alone, and says what is wrong in words.

Python's own reader lets more pass: NaN and Infinity, a key given twice, half a character, any depth that its
stack bears. What it lets pass would fail later, in another program, where nobody can tell the reason.
"""

import json
import math
from collections import Counter
from typing import Any

from contract.text import is_text, listed

MOST_DEPTH = 100  # lists and objects inside each other


class JsonError(ValueError):
    """Text that is not strict JSON; the words go behind the name of the source: `c.json` + `is not JSON…`."""


def parse(content: bytes | str, most_bytes: int | None = None) -> Any:  # noqa: ANN401  JSON is anything
    """Return the value that JSON text holds; bytes are UTF-8, with a byte order mark or without.

    Raises:
        JsonError: the text is longer than `most_bytes`, no UTF-8, no JSON, nested too deeply, or holds a key
            twice, half a character, or a number that is not finite or too long

    """
    if most_bytes is not None:
        check_size(len(content), most_bytes)
    try:
        document = json.loads(
            content.decode("utf-8-sig") if isinstance(content, bytes) else content,
            object_pairs_hook=without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except UnicodeDecodeError as error:
        raise JsonError(f"is not UTF-8 text (byte {error.start + 1:,}); save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise JsonError(f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise JsonError(_TOO_DEEP) from None
    _check_depth_and_text(document)
    return document


def parse_object(content: bytes | str, most_bytes: int | None = None) -> dict[str, Any]:
    """Return the JSON object that a text holds. Raises JsonError as `parse` does, and for any other value."""
    document = parse(content, most_bytes)
    if not isinstance(document, dict):
        raise JsonError('must hold one JSON object, of the form {"key": value}')
    return document


def check_size(size: int, most_bytes: int) -> None:
    """Raise JsonError if `size` bytes are too many."""
    if size > most_bytes:
        raise JsonError(f"has {size:,} bytes; at most {most_bytes:,} are read")


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's pairs as a dict. Raises JsonError if two have the same key."""
    document = dict(pairs)
    if len(document) < len(pairs):
        (name, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise JsonError(f"has the key {listed([name])} twice")
    return document


_TOO_DEEP = f"is nested too deeply: at most {MOST_DEPTH} lists and objects may lie inside each other"


def _refuse_constant(name: str) -> float:
    raise JsonError(f"holds {name}, which is not a JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise JsonError(f"holds the number {digits[:20]}, which is too large")
    return number


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # Python refuses thousands of digits
        raise JsonError(f"holds a number of {len(digits):,} digits, which is too long") from None


def _check_depth_and_text(document: object) -> None:
    level = [document]
    for _ in range(MOST_DEPTH + 1):
        for value in level:
            if isinstance(value, str) and not is_text(value):
                raise JsonError(
                    f"holds half a character (a lone surrogate) in {listed([value])}, which is no text"
                )
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise JsonError(_TOO_DEEP)


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []
