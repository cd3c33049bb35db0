"""Tells a first line that is a row from one that names the columns, and exports that have no such line."""

import re
from collections.abc import Sequence

from contract.errors import InvalidData
from contract.text import listed, shorten

_SENTENCE_WORDS, _SENTENCE_CHARACTERS = 12, 100
_NUMBER = re.compile(r"[-+]?[\d.,:/-]*\d[\d.,:/-]*%?")


def refuse(name: str, line: int, header: Sequence[str]) -> None:
    """Raise InvalidData for a first line that is surely a row: a cell of it is as long as a text."""
    if any(map(_is_sentence, header)):
        raise InvalidData(f"{name}, line {line}: {hint(header)}")


def hint(header: Sequence[str]) -> str:
    """Return what to say of a first line that may be a row; empty for one that looks like names."""
    cells = [cell.strip() for cell in header]
    if any(cell.startswith("__label__") for cell in cells):
        return "this looks like fastText's format; write a CSV file with the columns label and text."
    if not any(_is_sentence(cell) or _NUMBER.fullmatch(cell) for cell in cells) and not _is_comprehend(cells):
        return ""
    first = ",".join(_names(cells))
    like = ", as in files for Amazon Comprehend" if _is_comprehend(cells) else ""
    return (
        f"the first line looks like a row{like}, and not like the names of the columns ({_shown(cells)}): "
        f"put a line with their names above it, such as {first}; if these are the names, set text_column in "
        "the configuration."
    )


def _names(cells: list[str]) -> list[str]:
    """Return names that fit: the longest cell is the text, the shortest of two the category."""
    text = max(range(len(cells)), key=lambda index: len(cells[index]))
    names = [f"column_{index + 1}" for index in range(len(cells))]
    if len(cells) == 2:
        names = ["label", "label"]
    names[text] = "text"
    return names


def _is_comprehend(cells: list[str]) -> bool:
    """Return whether the line is a category and a text, as Amazon Comprehend takes them."""
    return len(cells) == 2 and len(cells[0].split()) <= 3 and len(cells[1].split()) >= 4


def _is_sentence(cell: str) -> bool:
    return len(cell.split()) >= _SENTENCE_WORDS or len(cell) > _SENTENCE_CHARACTERS


def _shown(cells: list[str]) -> str:
    return listed((shorten(cell, 24) for cell in cells), 3)
