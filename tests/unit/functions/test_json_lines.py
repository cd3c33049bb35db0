"""JSON lines are read, and other JSON is named for what it is."""

import io

import pytest

from contract.errors import InvalidData
from shared.table import Row, Table


def opened(content: str) -> Table:
    return Table(io.BytesIO(content.encode("utf-8", "surrogatepass")), "claims.jsonl")


def refused(content: str) -> str:
    with pytest.raises(InvalidData) as error:
        list(opened(content))
    return str(error.value)


def test_keys_are_columns_in_the_order_in_which_they_appear() -> None:
    table = opened('{"text": "laut", "n": 1.0}\n\n{"label": "x", "text": "a\\nb", "n": null}\n')
    assert table.header == ["text", "n", "label"]
    assert list(table) == [Row(0, 1, ["laut", "1.0", ""]), Row(1, 3, ["a\nb", "", "x"])]
    assert table.reading.described == "JSON lines"


@pytest.mark.parametrize(
    ("line", "header", "cells"),
    [
        ('{"id": 7, "text": "laut", "label": ["x"]}', ["id", "text", "label"], ["7", "laut", "x"]),
        (
            '{"fields": {"text": "laut"}, "responses": {"label": [{"value": "x", "status": "submitted"}]}}',
            ["fields.text", "responses.label"],
            ["laut", "x"],
        ),
        ('{"text": "laut", "label": ["x", "y"]}', ["text", "label"], ["laut", '["x", "y"]']),
        (
            '{"text": "laut", "amounts": [1, 2.50, {"a": [null, 1e3]}], "label": "x"}',
            ["text", "amounts", "label"],
            ["laut", '[1, 2.50, {"a": [null, 1e3]}]', "x"],
        ),
        ('{"text": "laut", "done": true, "label": []}', ["text", "done", "label"], ["laut", "true", ""]),
    ],
)
def test_exports_of_doccano_and_argilla_are_read(line: str, header: list[str], cells: list[str]) -> None:
    table = opened(f"{line}\n{line}\n")
    assert (table.header, next(iter(table)).cells) == (header, cells)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "a"}\nlaut\n', "line 2: not JSON (Expecting value, column 1)"),
        ('{"text": "a"}\n[1]\n', "line 2: a list and no object"),
        (
            '{"text": "a"}\n{"text": "b", "text": "c"}\n',
            "line 2: the object cannot be read (it has the key 'text' twice)",
        ),
        ('{"text": "a\\u0000"}\n{"text": "b"}\n', "line 1: a text holds a NUL character"),
        (
            '{"text": "a\\ud800"}\n{"text": "b"}\n',
            "line 1: a text holds a NUL character, or half a character",
        ),
        (
            '{"text": "a"}\n' * 300 + '{"texts": "b"}\n',
            "line 301: the key 'texts' is in none of the first 200 lines",
        ),
        (
            '{"text": "a"}\n{"text": ' + "[" * 100_000 + "]" * 100_000 + "}\n",
            "line 2: the object cannot be read",
        ),
        (
            '{"text": "a"}\n{"text": ' + "[1, " * 900 + "1" + "]" * 900 + "}\n",
            "line 2: the object cannot be read (it is nested too deeply)",
        ),
        ('[{"text": "a"},\n{"text": "b"}]', "is a JSON array, not a table"),
        ('[\n  {"id": 1, "annotations": [{"result": []}], "data": {}}\n]', "as Label Studio exports it"),
        ('[{"text": "a", "sentiment": "x", "annotator": 1}]', "as Label Studio exports it"),
        ('["text", "label"]\n["a", "x"]\n', "is a JSON array, not a table"),
        ('{\n  "claims": [\n', "is a JSON document over several lines"),
        ('{"claims": [{"text": "a"}]}', "is one JSON object that holds a list"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(content: str, said: str) -> None:
    assert said in refused(content)
