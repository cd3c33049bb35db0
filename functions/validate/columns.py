"""Finds the text and the label column of a file."""

from dataclasses import dataclass

from shared.errors import InvalidData
from shared.table import Table, find_column, named

TEXT_NAMES = (
    "text", "review", "description", "claim", "claim_text", "complaint", "comment", "comments",
    "message", "body", "content", "note", "notes", "feedback", "ticket", "summary",
)  # fmt: skip
LABEL_NAMES = ("label", "category", "class", "sentiment", "target", "topic", "intent")


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


def choose(table: Table, wanted: dict[str, str | None], *, labelled: bool) -> Columns:
    """Find the columns of a file.

    Args:
        table: the file
        wanted: `text_column` and `label_column` as the configuration gives them, or None
        labelled: whether the file must have labels

    Raises:
        InvalidData: a column is missing; the sentence names what was found and what was looked for

    """
    text = _find(table, wanted.get("text_column"), TEXT_NAMES)
    label = _find(table, wanted.get("label_column"), LABEL_NAMES)
    if text is None:
        raise _missing(table, "the text", "text_column", wanted, TEXT_NAMES)
    if label is None and labelled:
        raise _missing(table, "the category", "label_column", wanted, LABEL_NAMES)
    if label is not None and label.index == text.index:
        raise InvalidData(
            f"{table.name}: the column '{text.name}' cannot be both the text and the category; set "
            "text_column and "
            "label_column in the configuration."
        )
    return Columns(text, label)


def _find(table: Table, wanted: str | None, common: tuple[str, ...]) -> Column | None:
    found = find_column(table.header, wanted, common)
    return Column(found[0], table.header[found[0]], found[1]) if found else None


def _missing(
    table: Table, what: str, key: str, wanted: dict[str, str | None], common: tuple[str, ...]
) -> InvalidData:
    name = wanted.get(key)
    looked_for = f"'{name}', as {key} in the configuration says" if name else f"one of {', '.join(common)}"
    return InvalidData(
        f"{table.name}: no column holds {what}: the header has {named(table.header)}, and looked for was "
        f"{looked_for}. Rename the column, or set {key} in the configuration."
    )
