"""Reads JSON lines: one object a line, whose keys are the columns; other JSON is named for what it is."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from contract.errors import InvalidData
from contract.strict_json import JsonError, without_repeats
from contract.text import is_text, listed
from shared.reading.delimiter import SAMPLE_LINES
from shared.reading.reading import Reading
from shared.reading.records import Record
from shared.reading.text import Text

KEY_LIMIT = 1_000
_ARRAY = re.compile(r"\s*\[\s*(\[|\{|\]|$)")
_LABEL_STUDIO = re.compile(r'"(annotations|completions|annotator|annotation_id|lead_time)"\s*:')
_AS_LINES = (
    'as JSON lines (one object a line, such as {"text": "…", "label": "…"}) or as CSV, and upload that'
)


def is_json_lines(first: list[str], name: str) -> bool:
    """Return whether the first lines are JSON lines. Raises InvalidData for JSON of another kind."""
    start = next((line for line in first if line.strip("\ufeff \t\r\n")), "").lstrip("\ufeff")
    if _ARRAY.match(start) or _is_list(start):
        text = "".join(first)
        made_by = " as Label Studio exports it" if _LABEL_STUDIO.search(text) else ""
        advice = "export it as CSV" if made_by else f"save it {_AS_LINES}"
        raise InvalidData(
            f"{name} is a JSON array{made_by}, not a table: {advice}{' and upload that' * bool(made_by)}."
        )
    if not start.lstrip().startswith("{"):
        return False
    try:
        found = json.loads(start)
    except (ValueError, RecursionError):
        if start.strip() == "{" or re.match(r'\s*\{\s*"[^"]*"\s*:', start):
            raise InvalidData(f"{name} is a JSON document over several lines: save it {_AS_LINES}.") from None
        return False
    others = [line for line in first if line.strip()]
    if len(others) == 1 and any(_is_table(value) for value in found.values()):
        raise InvalidData(f"{name} is one JSON object that holds a list: save the list {_AS_LINES}.")
    return True


class _Number(str):
    """A number as it is written: 1.0 stays 1.0, and in a list it gets no quotes."""

    __slots__ = ()


class JsonLines:
    """A file of JSON objects, one a line."""

    def __init__(self, text: Text, lines: Iterator[str], first: list[str], name: str) -> None:
        """Read `lines`; the columns are the keys of the `first` lines, in the order in which they appear."""
        self._text, self._lines, self._name = text, lines, name
        objects = [self._object(number, line) for number, line in enumerate(first, 1) if line.strip()]
        self._keys = list(dict.fromkeys(itertools.chain.from_iterable(objects)))
        if len(self._keys) > KEY_LIMIT:
            raise InvalidData(
                f"{name}: its first {len(objects):,} objects have {len(self._keys):,} different keys; a "
                f"table has at most {KEY_LIMIT:,} columns: use the same keys in every line."
            )

    @property
    def reading(self) -> Reading:
        """How the file is read."""
        return Reading("jsonl", self._text.encoding, byte_order_mark=self._text.byte_order_mark)

    @property
    def warnings(self) -> list[str]:
        """Nothing."""
        return []

    def records(self) -> Iterator[Record]:
        """Yield the keys, then each object's values; what an object does not have is empty."""
        yield 0, self._keys
        known = set(self._keys)
        for number, line in enumerate(self._lines, 1):
            if not line.strip():
                continue
            found = self._object(number, line)
            if not known.issuperset(found):
                new = listed(key for key in found if key not in known)
                raise InvalidData(
                    f"{self._name}, line {number}: the key {new} is in none of the first {SAMPLE_LINES:,} "
                    "lines, where the columns are taken from: put it, with null, into the first line."
                )
            yield number, [found.get(key, "") for key in self._keys]

    def _object(self, number: int, line: str) -> dict[str, str]:
        where = f"{self._name}, line {number}"
        try:
            found = json.loads(
                line.lstrip("\ufeff"),
                parse_int=_Number,
                parse_float=_Number,
                object_pairs_hook=without_repeats,
            )
            cells = dict(_flat("", found)) if isinstance(found, dict) else {}
        except json.JSONDecodeError as error:
            raise InvalidData(
                f"{where}: not JSON ({error.msg}, column {error.colno}); every line must be one whole object."
            ) from error
        except (JsonError, RecursionError) as error:
            said = "it is nested too deeply" if isinstance(error, RecursionError) else f"it {error}"
            raise InvalidData(f"{where}: the object cannot be read ({said}).") from error
        if not isinstance(found, dict):
            raise InvalidData(f"{where}: {_kind(found)} and no object; every line must be one object.")
        if any("\0" in cell or not is_text(cell) for pair in cells.items() for cell in pair):
            raise InvalidData(
                f"{where}: a text holds a NUL character, or half a character (a lone surrogate), which is no "
                "text; remove it."
            )
        return cells


def _flat(prefix: str, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield keys and cells; the keys of an object inside are joined by dots, as in `fields.text`."""
    for key, value in values.items():
        if isinstance(value, dict) and value and prefix.count(".") < 3:
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield prefix + key, _cell(value)


def _cell(value: Any) -> str:  # noqa: ANN401 - JSON is anything
    """Return a value as text; a list of one, as doccano and Argilla write a category, is its one value."""
    if isinstance(value, list) and len(value) == 1:
        only = value[0]
        return _cell(only["value"] if isinstance(only, dict) and "value" in only else only)
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else _written(value)


def _written(value: Any) -> str:  # noqa: ANN401 - JSON is anything
    """Return a value as JSON, its numbers as they were."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)}: {_written(one)}" for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _is_list(line: str) -> bool:
    try:
        return line.startswith("[") and isinstance(json.loads(line), list)
    except (ValueError, RecursionError):
        return False


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else "a single value"
