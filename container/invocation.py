"""One request to label texts: what its body holds, and how the answer is written.

A body is a table as CSV, JSON lines or one JSON document, as SageMaker's endpoints and batch transforms send
them. An answer has a row for each row of the body, in its order, with the columns of the results.
"""

import csv
import io
import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from contract import strict_json
from contract.columns import (
    BECAUSE,
    CONFIDENCE,
    ERROR,
    NEEDS_REVIEW,
    PREDICTION,
    REASON,
    RUNNER_UP,
    TEXT_NAMES,
)
from contract.part import Prediction, cell, level_values
from contract.plain import plain, why_unusable
from contract.served import CSV, JSON, JSON_LINES, SERVED_TYPES
from contract.strict_json import JsonError
from contract.text import listed

OTHER_NAMES = dict.fromkeys(
    ("application/x-jsonlines", "application/jsonl", "application/x-ndjson", "application/ndjson"), JSON_LINES
)
MOST_BYTES = 25 * 2**20  # of a body, as a real-time endpoint of SageMaker takes (its quotas)
MOST_ROWS = 5_000  # of a body: an endpoint has a minute for them
MOST_CELL = 2**30
INSTANCES, PREDICTIONS = "instances", "predictions"  # of a JSON document, as TensorFlow Serving names them
ABSENT = "absent"  # what `header` of RFC 4180 says of a CSV without a line of names
_TYPES = f"{CSV}, {JSON_LINES} or {JSON}"
NOT_A_TEXT, WRONG_CELLS = "not a text", "wrong number of cells"

Line: TypeAlias = dict[str, str | float | bool | None]


class RequestError(Exception):
    """A request that cannot be answered: its status by HTTP, and a sentence for whoever sent it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Kind:
    """What a body or an answer is: CSV, JSON_LINES or JSON, and whether CSV begins with a line of names."""

    name: str
    header: bool = True

    @property
    def media_type(self) -> str:
        """The value of Content-Type."""
        if self.name != CSV:
            return self.name
        return f"{CSV}; charset=utf-8; header={'present' if self.header else ABSENT}"


@dataclass(frozen=True)
class Body:
    """The texts of a request, each with why it cannot be labelled, or an empty reason."""

    texts: list[str]
    errors: list[str]


def kind_of(content_type: str) -> Kind:
    """Return what a Content-Type says of a body. Raises RequestError for another kind of body."""
    name, *parameters = [part.strip().lower() for part in content_type.split(";")]
    found = OTHER_NAMES.get(name, name)
    if found not in SERVED_TYPES:
        raise RequestError(415, f"Content-Type has to be {_TYPES}.")
    charsets = {part[8:].strip('"') for part in parameters if part.startswith("charset=")}
    if charsets - {"utf-8", "utf8", "us-ascii"}:
        raise RequestError(415, "The body has to be UTF-8.")
    return Kind(found, header=f"header={ABSENT}" not in parameters)


def answer_kind(accept: str, body: Kind) -> Kind:
    """Return what an answer is: what the first fitting value of Accept names, else what the body was.

    Raises RequestError where Accept names only other kinds.
    """
    if not accept.strip():
        return body
    for wanted in (part.split(";")[0].strip().lower() for part in accept.split(",")):
        name = OTHER_NAMES.get(wanted, wanted)
        if name in {body.name, "*/*", f"{body.name.split('/')[0]}/*"}:
            return body
        if name in SERVED_TYPES:
            return Kind(name)
    raise RequestError(406, f"Accept has to name {_TYPES}.")


def read(content: bytes, kind: Kind, text_column: str | None) -> Body:
    """Return the texts of a body; `text_column` names their column, or a common name does.

    Raises RequestError where the body is not what `kind` says, has no such column, or too many rows.
    """
    read_rows = {CSV: _read_csv, JSON_LINES: _read_json_lines, JSON: _read_json}[kind.name]
    given = read_rows(content, kind, text_column)
    if len(given) > MOST_ROWS:
        raise RequestError(413, f"The body has more than {MOST_ROWS:,} rows: send fewer at once.")
    if not given:
        raise RequestError(400, "The body has no rows: send at least one text.")
    texts = [value if isinstance(value, str) else "" for value in given]
    errors = [
        value.sentence if isinstance(value, _Flaw) else why_unusable(text)
        for value, text in zip(given, texts, strict=True)
    ]
    return Body(texts, errors)


def lines(body: Body, predictions: Iterable[Prediction], *, explain: bool) -> list[Line]:
    """Return the rows of an answer; the predictions are of the rows that have no error, in their order."""
    said = list(predictions)
    found, levels = iter(said), list(level_values(said[0])) if said else []
    return [_line(error, None if error else next(found), explain, levels) for error in body.errors]


def written(rows: Sequence[Line], kind: Kind) -> bytes:
    """Return an answer as bytes."""
    if kind.name == JSON:
        return json.dumps({PREDICTIONS: rows}, ensure_ascii=False).encode()
    if kind.name == JSON_LINES:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if kind.header:
        writer.writerow(rows[0])
    writer.writerows([_as_cell(value) for value in row.values()] for row in rows)
    return text.getvalue().encode()


@dataclass(frozen=True)
class _Flaw:
    """A row that has no text, and why."""

    sentence: str


_Given: TypeAlias = str | _Flaw | None


def _read_csv(content: bytes, kind: Kind, text_column: str | None) -> list[_Given]:
    csv.field_size_limit(MOST_CELL)
    reader = csv.reader(io.StringIO(_decoded(content), newline=""), strict=True)
    try:
        header = next(reader, []) if kind.header else None
        rows = list(itertools.islice(reader, MOST_ROWS + 1))
    except csv.Error as error:
        raise RequestError(400, f"The body is not CSV: line {reader.line_num}: {error}.") from None
    if header is None:
        return [_only_cell(cells) for cells in rows]
    place = _place(header, text_column)
    if len(header) == 1:
        return [_only_cell(cells) for cells in rows]
    return [cells[place] if len(cells) == len(header) else _Flaw(WRONG_CELLS) for cells in rows]


def _only_cell(cells: list[str]) -> _Given:
    if len(cells) > 1:
        return _Flaw(WRONG_CELLS)
    return cells[0] if cells else None


def _read_json_lines(content: bytes, _: Kind, text_column: str | None) -> list[_Given]:
    numbered = ((number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip())
    rows = itertools.islice(numbered, MOST_ROWS + 1)
    return [_value(_parsed(line, f"Line {number}"), f"Line {number}", text_column) for number, line in rows]


def _read_json(content: bytes, _: Kind, text_column: str | None) -> list[_Given]:
    values = _instances(_parsed(content, "The body"))[: MOST_ROWS + 1]
    return [_value(value, f"Row {number}", text_column) for number, value in enumerate(values, 1)]


def _instances(document: object) -> list[Any]:
    """Return the rows of a JSON document: those of a list, of `instances`, or a single one."""
    if isinstance(document, dict) and isinstance(document.get(INSTANCES), list):
        return list(document[INSTANCES])
    return document if isinstance(document, list) else [document]


def _value(value: object, where: str, text_column: str | None) -> _Given:
    """Return the text of a row: a string, or an object's value by the name of the column."""
    if isinstance(value, dict):
        names = list(value)
        value = value[names[_place(names, text_column, where)]]
    elif not isinstance(value, str):
        raise RequestError(400, f'{where} is neither a string nor an object such as {{"text": "…"}}.')
    return value if value is None or isinstance(value, str) else _Flaw(NOT_A_TEXT)


def _place(names: Sequence[str], text_column: str | None, where: str = "The first line") -> int:
    """Return the place of the column of the texts: that of the model, else the first common name there."""
    plain_names = [plain(name) for name in names]
    for wanted in ([text_column] if text_column else []) + list(TEXT_NAMES):
        if plain(wanted) in plain_names:
            return plain_names.index(plain(wanted))
    looked_for = listed([text_column or "text"])
    raise RequestError(400, f"{where} names no column of texts: {looked_for} is looked for, or a usual name.")


def _parsed(content: bytes, what: str) -> Any:  # noqa: ANN401  JSON is anything
    try:
        return strict_json.parse(content)
    except JsonError as error:
        raise RequestError(400, f"{what} {error}.") from None


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(400, f"The body is not UTF-8 text (byte {error.start + 1:,}).") from None


def _line(error: str, found: Prediction | None, explain: bool, levels: Sequence[str]) -> Line:
    because = {BECAUSE: found.because if found else ""} if explain else {}
    return {
        PREDICTION: found.prediction if found else None,
        CONFIDENCE: float(cell(found.confidence)) if found else None,
        RUNNER_UP: found.runner_up if found else None,
        **because,
        **(level_values(found) if found else dict.fromkeys(levels)),
        NEEDS_REVIEW: bool(found.doubt) if found else False,
        REASON: found.doubt if found else "",
        ERROR: error,
    }


def _as_cell(value: str | float | bool | None) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else cell(value)
