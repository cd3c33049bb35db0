"""Finds the text and the label column of a file."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from contract.columns import LABEL_NAMES, TEXT_NAMES
from contract.errors import InvalidData
from contract.plain import plain
from contract.state import ColumnNames
from contract.text import listed, shorten
from shared.table import Table, named
from validate import headerless

COMMON = {"text_column": TEXT_NAMES, "label_column": LABEL_NAMES}
CONFIGURATION, MODEL, COMMON_NAME, PART = (
    "the configuration",
    "the model",
    "a common name",
    "part of its name",
)
_PART_LENGTH = 4  # letters of a common name that may be part of another
_NAME_LENGTH = 60  # characters; a longer cell is no column's name
_NAME_WORDS = 5
_NO_WORDS = re.compile(r"[\W_]+")
# Columns that say something about a text or a label, and hold neither.
_ABOUT = {
    "id", "ids", "key", "date", "datum", "fecha", "time", "length", "lang", "language", "author", "user",
    "count", "number", "nr", "no", "code", "url", "link", "by", "type", "typ", "source", "status", "score",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column: its index, its name in the header, and how it was found."""

    index: int
    name: str
    found_by: str


@dataclass(frozen=True)
class Columns:
    """The columns that are used. `label` is None in a file to predict that carries no labels."""

    text: Column
    label: Column | None


Key = Literal["text_column", "label_column"]


def choose(
    table: Table, wanted: ColumnNames, *, labelled: bool, learned: ColumnNames | None = None
) -> Columns:
    """Find the columns of a file: those of the configuration, else of the model, else by common names.

    Args:
        table: the file
        wanted: as the configuration gives them
        labelled: whether the file must have labels
        learned: of a file to predict, those that the model learned from

    Raises:
        InvalidData: a column is missing, or there twice; the sentence names what was found and what was
            looked for

    """
    text = _find(table, "text_column", wanted, learned)
    label = _find(table, "label_column", wanted, learned)
    if text is None:
        raise _missing(table, "text_column", wanted, learned)
    if label is None and labelled:
        raise _missing(table, "label_column", wanted, learned, text)
    if label is not None and label.index == text.index:
        remedy = "correct" if CONFIGURATION in {text.found_by, label.found_by} else "set"
        raise InvalidData(
            f"{table.name}: the column '{text.name}' cannot be both the text and the category; {remedy} "
            "text_column and label_column in the configuration."
        )
    if text.found_by not in {CONFIGURATION, MODEL}:
        headerless.refuse(table.name, table.header_line, table.header)
    return Columns(text, label)


def _find(table: Table, key: Key, wanted: ColumnNames, learned: ColumnNames | None) -> Column | None:
    names = [plain(name) for name in table.header]
    if name := wanted[key]:
        return _named(table, key, [name], names, CONFIGURATION)
    of_model = learned[key] if learned else None
    if of_model:
        found = _named(table, key, [of_model], names, MODEL)
        if found:
            return found
        _refuse_choice(table, key, of_model, names)
    common = COMMON[key]
    return _named(table, key, common, names, COMMON_NAME) or _part(table, key, names)


def _refuse_choice(table: Table, key: Key, learned: str, names: list[str]) -> None:
    """Refuse to guess which column stands in for the one that the model learned from."""
    common = set(map(plain, COMMON[key]))
    found = [cell for cell, name in zip(table.header, names, strict=True) if name in common]
    if len(found) > 1:
        raise InvalidData(
            f"{table.name}: the model learned from the column {listed([learned])}, which this file does not "
            f"have, and {listed(found, 5)} could each stand in for it: set {key} in the configuration."
        )


def _named(table: Table, key: Key, wanted: Iterable[str], names: list[str], found_by: str) -> Column | None:
    for name in wanted:
        exact = [index for index, cell in enumerate(table.header) if cell == name]
        found = exact or [index for index, cell in enumerate(names) if cell == plain(name)]
        if len(found) > 1:
            raise InvalidData(
                f"{table.name}, line {table.header_line}: the header names "
                f"{listed([table.header[found[0]]])} more than once, and the "
                f"{'text' if key == 'text_column' else 'category'} is looked for there; give each a name of "
                "its own."
            )
        if found:
            return Column(found[0], table.header[found[0]], found_by)
    return None


def _part(table: Table, key: Key, names: list[str]) -> Column | None:
    """Find the only column of which a common name is a part, best of its last word."""
    other = next(one for one in COMMON if one != key)
    words = [_words(name) for name in names]
    found = [
        index
        for index, parts in enumerate(words)
        if parts and parts[-1] not in _ABOUT and _has_part(parts, key) and not _has_part(parts[-1:], other)
    ]
    best = [index for index in found if _has_part(words[index][-1:], key)]
    for choice in (best, found):
        if len(choice) == 1:
            return Column(choice[0], table.header[choice[0]], PART)
    return None


def _words(name: str) -> list[str]:
    """Return the words of a column's name; of a sentence, which is none, nothing."""
    words = _NO_WORDS.sub(" ", name).split()
    return words if len(name) <= _NAME_LENGTH and len(words) <= _NAME_WORDS else []


def _has_part(words: list[str], key: str) -> bool:
    parts = [plain(name) for name in COMMON[key] if len(name) >= _PART_LENGTH]
    return any(word.startswith(part) or word.endswith(part) for word in words for part in parts)


def _missing(
    table: Table, key: Key, wanted: ColumnNames, learned: ColumnNames | None, text: Column | None = None
) -> InvalidData:
    what = "the text" if key == "text_column" else "the category"
    looked_for = f"one of {', '.join(COMMON[key][:16])}"
    if name := wanted[key]:
        looked_for = f"'{shorten(name)}', as {key} in the configuration says"
    elif learned and (name := learned[key]):
        looked_for = f"'{shorten(name)}', from which the model learned, or {looked_for}"
    taken = f" '{text.name}' was taken for the text." if text else ""
    if text is None and not wanted[key] and (hint := headerless.hint(table.header)):
        return InvalidData(f"{table.name}, line {table.header_line}: {hint}")
    remedy = f"Correct {key}" if wanted[key] else f"Rename the column, or set {key}"
    return InvalidData(
        f"{table.name}: no column holds {what}: the header has {named(table.header)}, and looked for was "
        f"{looked_for}.{taken} {remedy} in the configuration."
    )
