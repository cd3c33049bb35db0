"""Finds the text and the label column of a file."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import InvalidData
from shared.messages import listed, shorten
from shared.plain import plain
from shared.table import Table, named

TEXT_NAMES = (
    "text", "review", "description", "claim", "claim_text", "complaint", "comment", "comments",
    "message", "body", "content", "note", "notes", "feedback", "ticket", "summary", "narrative", "remarks",
    # German
    "beschreibung", "beschwerde", "reklamation", "kommentar", "bemerkung", "nachricht", "inhalt", "notiz",
    "schadensbeschreibung", "freitext",
    # French
    "texte", "plainte", "réclamation", "commentaire", "remarque", "avis", "contenu", "motif",
    # Spanish
    "texto", "descripción", "reclamación", "queja", "comentario", "observaciones", "mensaje", "contenido",
)  # fmt: skip
LABEL_NAMES = (
    "label", "category", "class", "sentiment", "target", "topic", "intent", "labels", "choice",
    # German
    "kategorie", "klasse", "thema", "schadensart",
    # French
    "étiquette", "catégorie", "classe", "thème",
    # Spanish
    "etiqueta", "categoría", "clase", "tema",
)  # fmt: skip
CONFIGURATION, MODEL, COMMON_NAME, PART = (
    "the configuration",
    "the model",
    "a common name",
    "part of its name",
)
_PART_LENGTH = 4  # letters of a common name that may be part of another
_NAME_LENGTH = 60  # characters; a longer cell is no column's name
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


def choose(table: Table, wanted: dict[str, str | None], *, labelled: bool) -> Columns:
    """Find the columns of a file.

    Args:
        table: the file
        wanted: `text_column` and `label_column` as the configuration gives them, or None
        labelled: whether the file must have labels

    Raises:
        InvalidData: a column is missing, or there twice; the sentence names what was found and what was
            looked for

    """
    text = find(table, "text_column", wanted.get("text_column"), TEXT_NAMES)
    label = find(table, "label_column", wanted.get("label_column"), LABEL_NAMES)
    if text is None:
        raise _missing(table, "text_column", wanted.get("text_column"), TEXT_NAMES)
    if label is None and labelled:
        raise _missing(table, "label_column", wanted.get("label_column"), LABEL_NAMES, text)
    if label is not None and label.index == text.index:
        raise InvalidData(
            f"{table.name}: the column '{text.name}' cannot be both the text and the category; set "
            "text_column and "
            "label_column in the configuration."
        )
    return Columns(text, label)


def find(table: Table, key: str, wanted: str | None, common: tuple[str, ...]) -> Column | None:
    """Find a column: the wanted one, else one with a common name, else the only one with such a part.

    Raises InvalidData if there are two of its name.
    """
    names = [plain(name) for name in table.header]
    if wanted is not None:
        return _named(table, key, [wanted], names, CONFIGURATION)
    return _named(table, key, common, names, COMMON_NAME) or _part(table, common, names)


def _named(table: Table, key: str, wanted: Iterable[str], names: list[str], found_by: str) -> Column | None:
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


def _part(table: Table, common: tuple[str, ...], names: list[str]) -> Column | None:
    """Find the only column of which a common name is a word, or starts or ends one."""
    parts = [plain(name) for name in common if len(name) >= _PART_LENGTH]
    found = [
        index
        for index, name in enumerate(names)
        if len(name) <= _NAME_LENGTH and _has_part(_NO_WORDS.sub(" ", name).split(), parts)
    ]
    return Column(found[0], table.header[found[0]], PART) if len(found) == 1 else None


def _has_part(words: list[str], parts: list[str]) -> bool:
    if not words or words[-1] in _ABOUT:
        return False
    return any(word.startswith(part) or word.endswith(part) for word in words for part in parts)


def _missing(
    table: Table, key: str, name: str | None, common: tuple[str, ...], text: Column | None = None
) -> InvalidData:
    what = "the text" if key == "text_column" else "the category"
    looked_for = (
        f"'{shorten(name)}', as {key} in the configuration says"
        if name
        else f"one of {', '.join(common[:12])}"
    )
    taken = f" '{text.name}' was taken for the text." if text else ""
    return InvalidData(
        f"{table.name}: no column holds {what}: the header has {named(table.header)}, and looked for was "
        f"{looked_for}.{taken} Rename the column, or set {key} in the configuration."
    )
