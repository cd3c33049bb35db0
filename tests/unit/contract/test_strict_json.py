"""Strict JSON: what is read, and in which words the rest is refused."""

import pytest

from contract import strict_json
from contract.strict_json import MOST_DEPTH, JsonError


def refused(content: bytes | str, most_bytes: int | None = None) -> str:
    with pytest.raises(JsonError) as error:
        strict_json.parse(content, most_bytes)
    return str(error.value)


def test_what_json_holds_is_read() -> None:
    text = '{"a": [1, 2.5, -0, 1e3, true, null, "\\ud83d\\ude00 ä"], "b": {}}'
    document = {"a": [1, 2.5, 0, 1000.0, True, None, "\U0001f600 ä"], "b": {}}
    assert strict_json.parse(text) == strict_json.parse(text.encode()) == document


def test_a_byte_order_mark_does_no_harm() -> None:
    assert strict_json.parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON: line 1, column 1: Expecting value"),
        ('{\n "a" 3}', "is not JSON: line 2, column 6: Expecting ':' delimiter"),
        ('{"a": 3,}', "is not JSON: line 1, column 9"),
        ("1 2", "is not JSON: line 1, column 3: Extra data"),
        ('{"a": "b\nc"}', "is not JSON: line 1, column 9: Invalid control character"),
        (b'{"a": "\xe9"}', "is not UTF-8 text (byte 8); save it as UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8 text (byte 1); save it as UTF-8"),
        ('{"a": NaN}', "holds NaN, which is not a JSON value"),
        ("[Infinity]", "holds Infinity, which is not a JSON value"),
        ("-Infinity", "holds -Infinity, which is not a JSON value"),
        ("[-1e999]", "holds the number -1e999, which is too large"),
        ("9" * 5_000, "holds a number of 5,000 digits, which is too long"),
        ('{"a": 1, "b": {"größe": 1, "größe": 1}}', "has the key 'größe' twice"),
        ('{"a\\u202e\\n": 1, "a\\u202e\\n": 1}', "has the key 'a\\u202e' twice"),
        ('["a\\ud800"]', "holds half a character (a lone surrogate) in 'a\\ud800', which is no text"),
        ('{"\\udfff": 1}', "holds half a character (a lone surrogate) in '\\udfff', which is no text"),
        ('["' + "x" * 90 + '\\ud800"]', f"(a lone surrogate) in '{'x' * 39}…', which"),
    ],
)
def test_what_is_not_strict_json_is_refused_in_words(content: bytes | str, said: str) -> None:
    assert said in refused(content)


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_limited(open_: str, close: str) -> None:
    def nested(depth: int) -> str:
        return open_ * depth + "1" + close * depth

    assert strict_json.parse(nested(MOST_DEPTH))
    for depth in (MOST_DEPTH + 1, 900, 100_000):
        assert refused(nested(depth)).startswith("is nested too deeply: at most 100 lists and objects")


def test_a_number_that_python_holds_exactly_stays_exact() -> None:
    assert strict_json.parse("9" * 4_000) == 10**4_000 - 1


def test_bytes_are_limited() -> None:
    assert strict_json.parse(b"[1]", most_bytes=3) == [1]
    assert refused(b"[12]", most_bytes=3) == "has 4 bytes; at most 3 are read"


@pytest.mark.parametrize("content", ["[]", "null", "1", '"a"'])
def test_an_object_is_wanted(content: str) -> None:
    with pytest.raises(JsonError, match="must hold one JSON object, of the form"):
        strict_json.parse_object(content)
