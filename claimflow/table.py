"""The texts and the categories of what people hand over: a DataFrame, a column of one, texts, or one text."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias
from zipfile import BadZipFile

import pandas as pd

from claimflow.errors import ClaimflowError
from contract.columns import LABEL_NAMES, TEXT_NAMES
from contract.plain import plain, why_unusable
from contract.text import listed

Texts: TypeAlias = "pd.DataFrame | pd.Series[str] | Iterable[str] | str"
DELIMITERS = ",;\t|"


def read(path: Path) -> pd.DataFrame:
    """Return the table of a file, each cell a text: CSV, JSON lines or an Excel workbook (its first sheet).

    Of a CSV file the delimiter is the one that its first line has most of. Raises ClaimflowError where it
    cannot be read, OSError where there is no such file.
    """
    kind = "".join(path.suffixes[-2:]).lower().removesuffix(".gz").rsplit(".", 1)[-1]
    try:
        if kind == "xlsx":
            return pd.read_excel(path, dtype=str, keep_default_na=False)
        if kind in {"jsonl", "ndjson", "json"}:
            return pd.read_json(path, lines=True, dtype=False).fillna("")
        opened = gzip.open if path.suffix.lower() == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig") as file:
            mark = max(DELIMITERS, key=file.readline().count)
        return pd.read_csv(path, sep=mark, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, BadZipFile, EOFError) as error:  # pandas' own errors are ValueErrors
        raise ClaimflowError(
            f"{path.name} cannot be read as a table: {' '.join(str(error).split())}."
        ) from None


def texts_of(data: Texts, column: str | None) -> "pd.Series[str]":
    """Return the texts with the index of the data; what is missing is an empty text.

    `column` names the column of a DataFrame; None takes one by its name. Raises ClaimflowError without one.
    """
    if isinstance(data, pd.DataFrame):
        data = data.iloc[:, place_of(data, column, TEXT_NAMES, "text")]
    if isinstance(data, str):
        data = [data]
    return _as_text(data if isinstance(data, pd.Series) else pd.Series(list(data), dtype=object))


def labels_of(data: pd.DataFrame, column: str | None) -> "pd.Series[str]":
    """Return the categories with the index of the data; what is missing is an empty one.

    `column` names their column; None takes one by its name. Raises ClaimflowError without one.
    """
    return _as_text(data.iloc[:, place_of(data, column, LABEL_NAMES, "label")]).str.strip()


def errors_of(texts: "pd.Series[str]") -> "pd.Series[str]":
    """Return why each text cannot be labelled, in the words of the results; empty for one that can."""
    return texts.map(why_unusable).astype(object)


def place_of(data: pd.DataFrame, column: str | None, common: Iterable[str], what: str) -> int:
    """Return the place of a column: the one that is named, else the first of the common names that is there.

    Case, blanks and invisible characters do not count. Raises ClaimflowError where there is none, or where
    two have the name.
    """
    columns = pd.Series(data.columns.map(str), index=range(data.shape[1]))
    for name in [column] if column else common:
        same = columns[columns == name]
        same = same if len(same) else columns[columns.map(plain) == plain(name)]
        if len(same) > 1:
            raise ClaimflowError(f"The table has {len(same)} columns {listed(same[:1])}: rename all but one.")
        if len(same):
            return int(same.index[0])
    looked_for = listed([column]) if column else "a common name"
    raise ClaimflowError(
        f"The table has no column for the {what}: looked for was {looked_for}, and it has "
        f"{listed(columns)}. Name the column: {what}='…'."
    )


def _as_text(cells: "pd.Series[str]") -> "pd.Series[str]":
    return cells.astype(object).where(cells.notna(), "").map(str).astype(object)
