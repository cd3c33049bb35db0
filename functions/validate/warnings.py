"""What people should know of a labelled file that can be used; knows nothing of AWS."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from contract.columns import LABEL_NAMES, TEXT_NAMES
from contract.hierarchy import depth
from contract.plain import plain
from contract.state import Run
from contract.text import count, listed, percent, shorten
from shared.table import Table
from validate.columns import CONFIGURATION, MODEL, Columns

SEVERAL = (";", "|", ",")  # what people put between several categories of one cell
LEAST_SEVERAL = 2  # such cells, of different content


def of(report: dict[str, Any], rejected: Counter[str]) -> Iterator[str]:
    """Yield the warnings about labelled rows, a sentence each, the most important first.

    Args:
        report: their part of validation.json
        rejected: how many rows were left out, by reason

    """
    categories: dict[str, dict[str, int]] = report["categories"]
    if sentence := _left_out(rejected, sum(sum(sides.values()) for sides in categories.values())):
        yield sentence
    for same in _alike(categories):
        yield f"These categories differ only in {_difference(same)}: {listed(_told_apart(same))}."
    if conflicts := report["texts_with_several_categories"]:
        verb = "stands" if conflicts == 1 else "stand"
        yield f"{count(conflicts, 'text')} {verb} with more than one category."
    if unjudged := [label for label, sides in categories.items() if not sides["validation"]]:
        yield f"No row judges the {'category' if len(unjudged) == 1 else 'categories'} {listed(unjudged, 5)}."


def structure(labels: Iterable[str], separator: str | None) -> Iterator[str]:
    """Yield warnings about categories that are no plain names, or are and should not be.

    Args:
        labels: the categories, each once
        separator: what the configuration says stands between their levels; None: nothing

    """
    found = list(labels)
    if separator and depth(found, separator) == 1:
        yield (
            f"hierarchy_separator '{separator}' in the configuration stands in no category, so they have one "
            "level."
        )
    for between in SEVERAL:
        if len(several := _several(found, between)) >= LEAST_SEVERAL:
            yield (
                f"Some cells seem to hold several categories, as {listed(several, 2)}: each combination is "
                "learned as one category of its own. Give each row one category, if they are not meant so."
            )
            return


def lower_bar(run: Run) -> list[str]:
    """Return a warning about an `accuracy_bar` below the stack's, which counts instead; or nothing."""
    wanted_bar = json.loads(run["hyperparameters"].get("accuracy_bar", "null"))
    if wanted_bar is None or wanted_bar >= run["accuracy_bar"]:
        return []
    bar = percent(run["accuracy_bar"])
    return [
        f"accuracy_bar {wanted_bar} in the configuration is below the stack's bar of {bar}, which counts: "
        "a configuration can only raise it."
    ]


def unused_sheet(sheet: str | None, *tables: Table) -> list[str]:
    """Return a warning about a `sheet` in the configuration where no file has sheets; or nothing."""
    if sheet is None or any(table.reading.format == "xlsx" for table in tables):
        return []
    return [
        f"sheet '{shorten(sheet)}' in the configuration was not used: {tables[0].name} is no workbook and "
        "has no sheets."
    ]


def _several(labels: Sequence[str], between: str) -> list[str]:
    """Return the labels with a separator of which every part is a part of another label, too.

    Nothing where these are not most of those with the separator: it then belongs to the names.
    """
    parts = {label: {part.strip() for part in label.split(between)} for label in labels}
    times = Counter(part for each in parts.values() for part in each)
    marked = [label for label in labels if len(parts[label]) > 1]
    found = [label for label in marked if all(part and times[part] > 1 for part in parts[label])]
    return found if 2 * len(found) > len(marked) else []


def _left_out(rejected: Counter[str], usable: int) -> str:
    if not rejected:
        return ""
    left = rejected.total()
    verb = "was" if left == 1 else "were"
    rows = count(left + usable, "row")
    return f"{left:,} of {rows} {verb} left out, as the file of rejected rows tells: {_reasons(rejected)}."


def unreadable(rejected: Counter[str], usable: int) -> Iterator[str]:
    """Return why rows of a file to label are rejected; `rejected` has how many by reason."""
    if rejected:
        left = rejected.total()
        rows = count(left + usable, "row")
        yield f"{left:,} of {rows} cannot be labelled, as the results tell: {_reasons(rejected)}."


def _reasons(rejected: Counter[str]) -> str:
    return ", ".join(f"{reason} ({n:,})" for reason, n in rejected.most_common())


def _alike(categories: Iterable[str]) -> list[list[str]]:
    """Return the groups of categories that a person would take for one."""
    groups: dict[str, list[str]] = {}
    for label in categories:
        groups.setdefault(_bare(label), []).append(label)
    return [same for same in groups.values() if len(same) > 1]


def _bare(label: str) -> str:
    """Return a category in its plain form, without accents and blanks."""
    letters = unicodedata.normalize("NFKD", plain(label))
    return "".join(letter for letter in letters if unicodedata.category(letter)[0] not in "MCZ")


def _told_apart(same: list[str]) -> list[str]:
    """Return the names as they stand; of those that look the same, with what cannot be seen written out."""
    looks = Counter(map(_look, same))
    return [label if looks[_look(label)] == 1 else _spelt(label) for label in same]


def _look(label: str) -> str:
    seen = "".join(sign for sign in label if unicodedata.category(sign)[0] != "C" or sign.isspace())
    return " ".join(unicodedata.normalize("NFC", seen).split())


def _spelt(label: str) -> str:
    """Write out marks, what cannot be seen, and blanks but a single plain one: `Battery<U+200B>`."""
    spelt, before = "", ""
    for sign in label:
        odd = unicodedata.category(sign)[0] in "CMZ" and (sign != " " or before == " ")
        spelt += f"<U+{ord(sign):04X}>" if odd else sign
        before = sign
    return spelt


def _difference(same: list[str]) -> str:
    if len({" ".join(label.casefold().split()) for label in same}) == 1:
        return "case or spaces"
    return "case, blanks, accents, how a number is written, or characters that cannot be seen"


def guesses(columns: Columns, header: list[str]) -> Iterator[str]:
    """Return warnings about guessed columns; the only column with a common name is no guess."""
    text, label = columns.text, columns.label
    taken = {text.name, label.name} if label else {text.name}
    for column, what, key, common in (
        (text, "text", "text_column", TEXT_NAMES),
        (label, "category", "label_column", LABEL_NAMES),
    ):
        if column is None or column.found_by in {CONFIGURATION, MODEL}:
            continue
        others = [name for name in header if name.strip().casefold() in common and name not in taken]
        if others or column.found_by != "a common name":
            also = f"; {listed(others, 3)} could be it too" if others else ""
            yield (
                f"The {what} was taken from the column {listed([column.name])}, found by "
                f"{column.found_by}{also}. If it is another, set {key} in the configuration."
            )
