"""prepare: what a configuration may be, and what is said about one that it may not be."""

import json
from pathlib import Path

import pytest

from contract.errors import InvalidConfig
from prepare import configuration

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
        {"learning_rate": "fast", "num_epoch": 0, "optimizer": "adm", "explain": 1, "learnin_rate": 0.1}
    )
    assert 'learning_rate is "fast", but must be a number above 0' in said
    assert "num_epoch is 0, but must be a whole number from 1 to 1,000" in said
    assert 'optimizer is "adm", but must be one of "adam"' in said
    assert "explain is 1, but must be true or false" in said
    assert "learnin_rate is not a key of the configuration (did you mean learning_rate?)" in said


def test_a_key_that_resembles_nothing_is_told_where_the_keys_are() -> None:
    assert "see config/config.json" in problems({"zzzzzz": 1})


def test_a_key_that_may_be_null_says_so() -> None:
    said = "n_classes is 1, but must be a whole number from 2 to 10,000, or null"
    assert said in problems({"n_classes": 1})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("architecture", "textcnn",
         '"textcnn", but must be one of "auto", "ngram", "sentence", "cnn", "lstm", "ngram+sentence"'),
        ("cnn", "yes", '"yes", but must be true or false, or null'),
        ("class_weight", True, 'true, but must be "balanced", or null'),
        ("ngram_words", 9, '9, but must be "auto", or a whole number from 1 to 8'),
        ("ngram_skip", None, 'null, but must be "auto", or a whole number from 0 to 8'),
        ("ngram_chars", [2, 3, 4],
         '[2, 3, 4], but must be "auto", or a list of 2 values (each a whole number from 1 to 8), or null'),
        ("ngram_chars", [0, 4], '[0, 4], but must be "auto", or a list of 2 values'),
        ("ngram_scale", "tf", '"tf", but must be one of "auto", "none", "idf", "nb", "nb-idf".'),
        ("ngram_norm", None, 'null, but must be one of "auto", "none", "sqrt".'),
        ("ngram_epochs", "all", '"all", but must be "auto", or a whole number from 1 to 100'),
        ("ngram_features", "auto", '"auto", but must be a whole number from 1 to 16,000,000'),
        ("kernel_size", [],
         "[], but must be a whole number from 1 to 64, or a list of 1 to 8 values (each a whole number"),
        ("explain", "true", '"true", but must be true or false.'),
    ],
)  # fmt: skip
def test_a_key_that_takes_several_kinds_of_values_names_them_all(key: str, value: object, said: str) -> None:
    assert f"{key} is {said}" in problems({key: value})


@pytest.mark.parametrize(
    "given",
    [
        {"architecture": "ngram+lstm", "cnn": None, "class_weight": "balanced"},
        {"architecture": None, "cnn": False, "class_weight": None},
        {"ngram_words": 3, "ngram_skip": 0, "ngram_chars": [2, 5], "ngram_scale": "nb-idf"},
        {"ngram_words": "auto", "ngram_chars": None, "ngram_norm": "sqrt", "ngram_epochs": 4},
        {"explain": True},
    ],
)
def test_each_kind_of_value_is_taken(given: dict[str, object]) -> None:
    assert complete(given).items() >= given.items()


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


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: dict[str, tuple[dict[str, object], str]] = {
    "infinity": ({"learning_rate": float("inf")}, "learning_rate is Infinity, which is no number of JSON"),
    "no number": ({"learning_rate": float("nan")}, "learning_rate is NaN, which is no number of JSON"),
    "deep": ({"kernel_size": nested(90)}, "kernel_size is nested too deeply"),
    "deep objects": ({"kernel_size": {"a": {"b": nested(90)}}}, "kernel_size is nested too deeply"),
    "long list": ({"kernel_size": [1] * 60_000}, "kernel_size holds more than 1,000 values"),
    "infinity in a list": ({"kernel_size": [1e999]}, "kernel_size is Infinity, which is no number of JSON"),
    "large number": ({"num_epoch": 10**4_000}, "num_epoch is 1000"),
    "long text": ({"optimizer": "x" * 100_000}, 'optimizer is "xxx'),
    "long key": ({"x" * 100_000: 1}, "xxx"),
    "many keys": ({f"key {number}": 1 for number in range(5_000)}, "and 4,992 more."),
    "deep unknown key": ({"other": nested(90)}, "other is not a key"),
}


@pytest.mark.parametrize(("given", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_a_configuration_holds_the_answer_is_one_short_sentence(
    given: dict[str, object], said: str
) -> None:
    inline = problems(given)
    assert said in inline
    assert len(inline) < 2_000
    assert "\n" not in inline


@pytest.mark.parametrize(
    ("tuning", "said"),
    [
        ({"seed": [1, 2]}, "tuning.seed cannot be tuned; what can is architecture, batch_size"),
        ({"batch_size": [16, 0]}, "each value of tuning.batch_size must be a whole number from 1 to 8,192"),
        ({"batch_size": [16]}, "tuning.batch_size must be a list of 2 to 30 different values"),
        ({"dropout": {"min": 0.1, "max": 1}}, "min and max of tuning.dropout must be a number of at least 0"),
        ({"dropout": {"min": 0.5, "max": 0.1}}, "min of tuning.dropout must be below its max"),
        ({"wd": {"min": 0, "max": 0.1, "scale": "log"}}, "min of tuning.wd must be above 0 on the scale log"),
        ({"wd": {"min": 0, "max": 0.1, "scale": []}}, "scale of tuning.wd must be one of linear, log"),
        ({"optimizer": {"min": "adam", "max": "sgd"}}, "of what is no number, list the values"),
        ({"wd": 0.1}, "tuning.wd must be a list of values, or an object with min, max"),
        (["wd"], "tuning must be an object of 1 to 20 keys with their ranges, or null"),
    ],
)
def test_each_range_to_tune_in_is_told_what_is_wrong_with_it(tuning: object, said: str) -> None:
    assert said in problems({"tuning": tuning})


def test_ranges_that_can_be_tuned_stand() -> None:
    ranges = {"learning_rate": {"min": 0.001, "max": 0.01, "scale": "log"}, "kernel_size": [[2, 3], 3]}
    assert complete({"tuning": ranges})["tuning"] == ranges
