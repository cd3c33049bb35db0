"""prepare: what a configuration may be, and what is said about one that it may not be."""

import json
from pathlib import Path

import pytest

from prepare import configuration
from prepare.allowed import describe
from shared.errors import InvalidConfig

ARTIFACTS = "artifacts-bucket"


def complete(given: dict[str, object]) -> dict[str, object]:
    return configuration.complete(given, "The configuration", ARTIFACTS)


def problems(given: dict[str, object]) -> str:
    with pytest.raises(InvalidConfig) as error:
        complete(given)
    return str(error.value)


def test_nothing_given_is_the_defaults_with_the_live_addresses() -> None:
    defaults = json.loads((Path(__file__).parents[3] / "config" / "config.json").read_text())
    config = complete({})
    live = {
        "MODELPARAMSURL": f"s3://{ARTIFACTS}/live/model.params",
        "TRANSFORMERURL": f"s3://{ARTIFACTS}/live/encoder.json",
        "MODELCONFIGURL": f"s3://{ARTIFACTS}/live/config.json",
    }
    assert config == defaults | live


def test_what_is_given_stands() -> None:
    assert complete({"num_epoch": 7})["num_epoch"] == 7


def test_every_problem_is_told_at_once_with_key_value_and_what_is_allowed() -> None:
    said = problems(
        {"learning_rate": "fast", "num_epoch": 0, "optimizer": "adm", "cnn": 1, "learnin_rate": 0.1}
    )
    assert 'learning_rate is "fast", but must be a number above 0' in said
    assert "num_epoch is 0, but must be a whole number from 1 to 1000" in said
    assert 'optimizer is "adm", but must be one of "adam"' in said
    assert "cnn is 1, but must be true or false" in said
    assert "learnin_rate is not a key of the configuration (did you mean learning_rate?)" in said


def test_a_key_that_resembles_nothing_is_told_where_the_keys_are() -> None:
    assert "see config/config.json" in problems({"zzzzzz": 1})


def test_a_key_that_may_be_null_says_so() -> None:
    assert "n_classes is 1, but must be a whole number from 2 to 10000, or null" in problems({"n_classes": 1})


@pytest.mark.parametrize("value", [True, 1.5, "2", [], {}])
def test_a_whole_number_is_neither_truth_nor_text(value: object) -> None:
    assert "num_epoch is" in problems({"num_epoch": value})


@pytest.mark.parametrize(
    "address",
    [
        "s3://another-bucket/live/model.params",
        f"s3://{ARTIFACTS}-evil/model.params",
        f"s3://{ARTIFACTS}/runs/train-a-b/config.json",
        f"s3://{ARTIFACTS}/live/",
        f"s3://{ARTIFACTS}/elsewhere/model.params",
        "https://example.com/model.params",
    ],
)
def test_the_live_model_is_published_in_its_own_folder_only(address: str) -> None:
    assert "MODELPARAMSURL is" in problems({"MODELPARAMSURL": address})


def test_the_live_addresses_differ() -> None:
    same = f"s3://{ARTIFACTS}/live/config.json"
    assert "three different addresses" in problems({"MODELPARAMSURL": same})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"num_epoch": 3,}', "line 1, column 17"),
        (b'{\n "num_epoch" 3}', "line 2"),
        (b"", "is not JSON"),
        (b'{"num_epoch": NaN}', "NaN is not a JSON value"),
        (b'{"num_epoch": 1, "num_epoch": 2}', "num_epoch is given twice"),
        (b"[1]", "must be a JSON object"),
        (b'{"a": "\xe9"}', "not UTF-8"),
    ],
)
def test_a_file_that_is_not_json_says_where(text: bytes, said: str) -> None:
    with pytest.raises(InvalidConfig, match=said):
        configuration.parse(text, "config.json")


def test_a_byte_order_mark_does_no_harm() -> None:
    assert configuration.parse(b'\xef\xbb\xbf{"num_epoch": 3}', "config.json") == {"num_epoch": 3}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"type": "integer", "minimum": 1}, "a whole number of at least 1"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "a number above 0 and below 1"),
        ({"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]},
         "text that is not empty, or null"),
        ({"enum": ["a", 1]}, 'one of "a", 1'),
        ({"const": 4}, "4"),
        ({"type": ["integer", "null"]}, "a whole number or null"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2},
         "a list (each a whole number) of at least 2 items"),
        ({"type": "string", "maxLength": 5}, "text of at most 5 characters"),
        ({"type": "string", "minLength": 2, "maxLength": 5}, "text of 2 to 5 characters"),
        ({"type": "string", "pattern": "^a$"}, "text that matches ^a$"),
        ({"$ref": "#/$defs/Kind"}, 'one of "x"'),
    ],
)  # fmt: skip
def test_what_is_allowed_is_said_in_words(rule: dict[str, object], words: str) -> None:
    assert describe(rule, {"$defs": {"Kind": {"enum": ["x"]}}}) == words
