"""The CSV files that every contender reads alike: columns `row,text,label`. Only the standard library."""

import csv
from collections.abc import Iterable
from pathlib import Path

COLUMNS = ("row", "text", "label")
LARGEST_FIELD = 2**31 - 1  # Python's csv refuses a field over 131,072 characters unless told otherwise


def read(path: Path) -> tuple[list[str], list[str]]:
    """Return the texts and the labels of a file."""
    csv.field_size_limit(LARGEST_FIELD)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        rows = [(text, label) for _, text, label in reader]
    return [text for text, _ in rows], [label for _, label in rows]


def write(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    """Write texts and labels, numbered from 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((number, text, label) for number, (text, label) in enumerate(rows))
