"""What may be tuned: the ranges, checked by the rules of their keys."""

from typing import Any

import pytest

from contract import tuning
from model.config import Config, schema
from model.errors import ConfigError

RULES = schema()["properties"]


def is_taken(ranges: object) -> bool:
    try:
        Config.parse({"tuning": ranges})
    except ConfigError:
        return False
    return True


def test_every_key_that_can_be_tuned_is_one_of_the_configuration() -> None:
    assert set(RULES) >= tuning.TUNABLE


def test_no_key_that_says_where_things_go_or_who_is_judged_can_be_tuned() -> None:
    assert not tuning.TUNABLE & {
        "MODELPARAMSURL",
        "validation_fraction",
        "accuracy_bar",
        "seed",
        *tuning.KEYS,
    }


@pytest.mark.parametrize("architecture", ["cnn", "lstm", "ngram", "ngram+sentence", "auto", None])
def test_the_ranges_without_any_in_the_configuration_are_ones_that_it_would_take(architecture: str) -> None:
    config = Config.parse({"architecture": architecture}).model_dump()
    assert is_taken(tuning.ranges(config))


def test_the_ranges_of_the_configuration_are_taken_before_those_of_the_architecture() -> None:
    own = {"wd": {"min": 0.0, "max": 0.1}}
    assert tuning.ranges(Config.parse({"architecture": "cnn", "tuning": own}).model_dump()) == own


def test_the_older_key_cnn_chooses_the_ranges_too() -> None:
    config = Config.parse({"cnn": False}).model_dump()
    assert "hidden_size" in tuning.ranges(config)


@pytest.mark.parametrize(
    "ranges",
    [
        {"kernel_size": [[2, 3], 4]},
        {"learning_rate": {"min": 0.001, "max": 0.1, "scale": "log"}},
        {"class_weight": [None, "balanced"]},
    ],
)
def test_lists_numbers_and_null_can_be_tuned(ranges: dict[str, Any]) -> None:
    assert is_taken(ranges)


@pytest.mark.parametrize(
    "ranges",
    [
        {"batch_size": {"min": 64, "max": 16}},
        {"batch_size": {"min": 16, "max": 16}},
        {"wd": {"min": 0, "max": 0.1, "scale": "log"}},
        {"batch_size": [16, 16]},
    ],
)
def test_what_a_schema_cannot_say_is_refused_too(ranges: dict[str, Any]) -> None:
    assert not is_taken(ranges)


def test_only_a_key_that_takes_any_number_is_continuous() -> None:
    found = {key for key in tuning.TUNABLE if tuning.is_continuous(RULES[key])}
    assert found == {"clip_gradient", "dropout", "learning_rate", "wd"}
