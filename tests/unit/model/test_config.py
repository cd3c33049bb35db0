"""The configuration: every key, every default, and one sentence for everything that is refused."""

import contextlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import Config, schema
from model.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
ORIGINAL_KEYS = set(
    """
    n_classes num_epoch optimizer seq_len vocab_size batch_size hidden_size embed_size dropout n_layers
    bidirectional train_log_interval val_log_interval learning_rate use_spacy_pretrained save_name
    MODELPARAMSURL TRANSFORMERURL MODELCONFIGURL epoch_factor power_decay cnn wd kernel_size
    """.split()  # noqa: SIM905  as the original's documentation lists them
)

IMPOSSIBLE = {
    "n_classes": [0, 1, -3, 2.5, "2", True],
    "num_epoch": [0, -1, 1.5, "3", None, True],
    "optimizer": ["Adam", "momentum", 1, None],
    "seq_len": [0, -5, "500", None],
    "vocab_size": [0, 2, 10**9, None],
    "batch_size": [0, 1_000_000, None],
    "hidden_size": [0, "100", None],
    "embed_size": [0, "300", None],
    "dropout": [-0.1, 1, 1.5, "0.5", None],
    "n_layers": [0, 9, None],
    "bidirectional": ["yes", 1, None],
    "train_log_interval": [0, None],
    "val_log_interval": [0, None],
    "learning_rate": [0, -1, 11, "fast", None],
    "use_spacy_pretrained": ["true", 0, None],
    "save_name": ["", "../model", "a/b", ".hidden", "x" * 65, None],
    "MODELPARAMSURL": ["", "model.params", "ftp://host/file", 1],
    "TRANSFORMERURL": ["encoder.json", 1],
    "MODELCONFIGURL": ["config.json", 1],
    "epoch_factor": [0, -4, None],
    "power_decay": ["no", 1, None],
    "architecture": ["textcnn", "cnn+ngram", "", True],
    "cnn": ["cnn", 1],
    "wd": [-0.1, 2, None],
    "kernel_size": [0, 65, [], [3, 0], [3, "4"], ["3"], [1] * 9, "8", None],
    "text_column": ["", 3],
    "label_column": ["", 3],
    "hierarchy_separator": "",
    "sheet": ["", 3],
    "validation_fraction": [0, 0.6, 1, None],
    "seed": [-1, 2**31, 0.5, None],
    "rows_per_shard": [0, 10**7, "all"],
    "allow_partial": [None, 1],
    "max_missing_share": [-0.1, 1.1, None],
    "accuracy_bar": [-0.1, 1.1, "0.9"],
    "target_precision": [0.4, 1, None],
    "spacy_model": ["", None],
    "sentence_model": ["", None],
    "folds": [1, 21, "5"],
    "macro_f1_bar": [-0.1, 1.1, "0.9"],
    "recall_floor": [0, 1, "0.9"],
    "recall_floor_categories": ["Fire", [""], None],
    "live_significance": [0, 0.6, "0.05"],
    "protect": ["Fire", [""], None],
    "protect_recall": [0.4, 1, None],
    "clip_gradient": [0, -1, "1"],
    "amp": ["true", 1, None],
    "patience": [0, None],
    "class_weight": ["equal", True],
    "ngram_words": [0, 9, "many", None],
    "ngram_skip": [-1, 9, "none", None],
    "ngram_chars": [[], [3], [1, 2, 3], [0, 3], [2, 9], "2-4", 3],
    "ngram_end": [-1, 201, "last", None],
    "ngram_repeats": [2, "often", None],
    "mask": ["maybe", 2, None],
    "audit_share": [-0.1, 1.1, "all", None],
    "ngram_least_texts": [0, 101, None],
    "ngram_scale": ["tfidf", 1, None],
    "ngram_norm": ["l2", 2, None],
    "ngram_optimizer": ["adamw", 1, None],
    "ngram_epochs": [0, 101, "few", None],
    "ngram_features": [0, 10**8, "auto", None],
    "explain": ["true", 1, None],
    "output": ["CSV", "xls", "", 1],
    "tuning": [
        {},
        [],
        {"seed": [1, 2]},
        {"batch_size": [16]},
        {"batch_size": [16, 0]},
        {"batch_size": {"min": 1}},
        {"dropout": {"min": 0.1, "max": 1}},
        {"optimizer": {"min": "adam", "max": "sgd"}},
        {"wd": {"min": 0.1, "max": 0.2, "scale": "root"}},
    ],
    "tuning_strategy": ["Bayesian", "grid", None],
    "tuning_parallel": [0, 11, None],
    "tuning_early_stopping": ["yes", None],
}


def problems(values: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        Config.parse(values)
    return refused.value.problems


def test_every_key_of_the_original_system_is_a_key() -> None:
    assert set(Config.model_fields) >= ORIGINAL_KEYS


def test_every_key_has_a_refused_value_below() -> None:
    assert set(IMPOSSIBLE) == set(Config.model_fields)


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, bad in IMPOSSIBLE.items() for value in bad])
def test_an_impossible_value_is_refused_with_key_value_and_what_is_allowed(key: str, value: object) -> None:
    (sentence,) = problems({key: value})
    assert sentence.startswith(f"{key} is ")
    assert json.dumps(value)[:20] in sentence
    assert sentence.endswith(f", but must be {schema()['properties'][key]['x-allowed']}.")


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, bad in IMPOSSIBLE.items() for value in bad])
def test_the_schema_refuses_the_same_values(key: str, value: object) -> None:
    assert not jsonschema.Draft202012Validator(schema()).is_valid({key: value})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    assert "learning_rate" in problems({"learning_rate": value})[0]


def test_a_misspelt_key_is_refused_with_the_key_that_was_meant() -> None:
    assert problems({"num_epochs": 3}) == (
        '"num_epochs" is not a key of the configuration (its value is 3); did you mean num_epoch?',
    )


def test_a_key_like_no_other_is_refused_with_all_keys() -> None:
    (sentence,) = problems({"zzz": 1})
    assert all(key in sentence for key in Config.model_fields)


def test_all_problems_are_told_at_once() -> None:
    told = problems({"dropout": 2, "epochs": 3, "cnn": "x", "batch_size": 0})
    assert len(told) == 4
    assert str(ConfigError(told)) == " ".join(told)


def test_a_long_value_is_cut_in_the_sentence() -> None:
    assert len(problems({"optimizer": "x" * 10_000})[0]) < 300


def test_nothing_given_means_every_default() -> None:
    assert Config.parse({}) == Config()


def test_a_whole_number_written_with_a_point_is_a_whole_number() -> None:
    assert Config.parse({"batch_size": 32.0, "kernel_size": [3.0, 4]}).kernel_sizes == [3, 4]


def test_one_kernel_size_is_a_list_of_one() -> None:
    assert Config.parse({"kernel_size": 8}).kernel_sizes == [8]


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({}, ["ngram"]),
        ({"cnn": True}, ["cnn"]),
        ({"cnn": False}, ["lstm"]),
        ({"architecture": "ngram"}, ["ngram"]),
        ({"architecture": "cnn"}, ["cnn"]),
        ({"architecture": "lstm", "cnn": True}, ["lstm"]),
        ({"architecture": "ngram+cnn", "cnn": None}, ["ngram", "cnn"]),
        ({"architecture": "ngram+lstm"}, ["ngram", "lstm"]),
    ],
)
def test_the_architecture_names_its_parts_and_cnn_where_there_is_none(
    values: dict[str, Any], parts: list[str]
) -> None:
    assert Config.parse(values).parts == parts


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [(0, 0.5), (1, 0.5), (2, 0.05), (3, 0.05), (4, 0.005), (5, 0.005), (6, 0.0005), (20, 5e-11)],
)
def test_the_learning_rate_falls_to_a_tenth_every_epoch_factor_epochs_from_the_base_rate(
    epoch: int, rate: float
) -> None:
    config = Config.parse({"learning_rate": 0.5, "epoch_factor": 2, "power_decay": True})
    assert config.rate(epoch) == pytest.approx(rate, rel=1e-12)


def test_without_power_decay_the_learning_rate_stays() -> None:
    config = Config.parse({"learning_rate": 0.5, "epoch_factor": 2, "power_decay": False})
    assert [config.rate(epoch) for epoch in (0, 5, 50)] == [0.5, 0.5, 0.5]


def accepted_and_stays(values: dict[str, Any]) -> bool:
    with contextlib.suppress(ConfigError):
        config = Config.parse(values)
        return Config.parse(config.model_dump()) == config
    return False


def refused_in_sentences(values: dict[str, Any]) -> bool:
    return all(sentence.endswith(".") for sentence in problems(values))


ANY_VALUE = st.none() | st.integers() | st.text() | st.floats() | st.lists(st.integers(), max_size=10)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(list(Config.model_fields)), ANY_VALUE))
def test_any_value_is_either_accepted_and_stays_or_refused_in_sentences(values: dict[str, Any]) -> None:
    assert accepted_and_stays(values) or refused_in_sentences(values)


def test_the_schema_gives_every_key_a_default_and_a_description() -> None:
    for key, rule in schema()["properties"].items():
        assert "default" in rule, key
        assert rule["description"].endswith("."), key


def test_the_originals_configuration_is_understood_and_trains_a_cnn() -> None:
    original = json.loads((ROOT / "config" / "original.json").read_text(encoding="utf-8"))
    config = Config.parse(original)
    assert config.parts == ["cnn"]
    assert {key: getattr(config, key) for key in original} == original
    assert [config.rate(epoch) for epoch in range(config.num_epoch)] == [0.001] * 5


def test_the_learning_rate_never_becomes_smaller_than_mxnet_takes() -> None:
    rate = Config.parse({"epoch_factor": 1}).rate(999)
    assert 0 < np.finfo(np.float32).tiny < rate < 1e-20
