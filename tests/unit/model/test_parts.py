"""The kinds of parts: one table, what every kind promises, and nothing imported before it is used."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from contract.parts import NETWORKS
from model.classifier import Classifier
from model.config import Config
from model.errors import ConfigError
from model.parts import KINDS, architectures, kind
from model.parts.part import Part

ROOT = Path(__file__).resolve().parents[3]
TEXTS = ["oil smoke", "", "völlig anderes", "the brake is a problem . " * 20]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_a_part_with_a_title(name: str) -> None:
    assert Part in kind(name).__mro__
    assert kind(name).title


def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        ConfigError, match=rf"^There is no kind of part 'bert'; there are {', '.join(KINDS)}\.$"
    ):
        kind("bert")


def test_a_configuration_may_name_any_kinds_each_once_in_the_order_of_the_table() -> None:
    assert {*KINDS, "ngram+cnn", "cnn+lstm", "ngram+cnn+lstm"} <= set(architectures())
    assert len(architectures()) == 2 ** len(KINDS) - 1
    assert [Config(architecture=each).parts for each in architectures()] == [
        each.split("+") for each in architectures()
    ]


@pytest.mark.parametrize("name", ["bert", "cnn+ngram", "ngram+ngram", ""])
def test_a_configuration_of_other_parts_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(ConfigError, match=r'^architecture is .* but must be one of "auto", "ngram"'):
        Config.parse({"architecture": name})


def test_a_part_that_is_loaded_from_what_it_saves_scores_and_explains_the_same(
    any_classifier: Classifier,
) -> None:
    for name, part in zip(any_classifier.config.parts, any_classifier.parts, strict=True):
        again = kind(name).load(part.described(), part.arrays(), any_classifier.config.alone(name), 3)
        before, after = part.score(TEXTS), again.score(TEXTS)
        assert np.array_equal(after.logits, before.logits)
        assert np.array_equal(after.in_vocabulary_ratios, before.in_vocabulary_ratios)
        for text in TEXTS:
            (phrases, logits), (same_phrases, same_logits) = part.evidence(text), again.evidence(text)
            assert list(phrases) == list(same_phrases)
            assert np.array_equal(logits, same_logits)


def test_a_part_says_how_much_of_a_text_it_knows(any_classifier: Classifier) -> None:
    for part in any_classifier.parts:
        shares = part.score(TEXTS).in_vocabulary_ratios
        assert shares.tolist() == [1.0, 0.0, 0.0, 1.0]


PREDICTS = """
import sys
from model.artifact import load
from model.data import Row
from model.prediction import predict
rows = [Row(number, "oil and smoke") for number in range(3000)]
found = list(predict(load(__import__("pathlib").Path(sys.argv[1])), rows, explain=True))
assert {guess.prediction for guess in found} == {"engine"}, found
assert "mxnet" not in sys.modules
"""


def test_n_grams_predict_and_explain_without_mxnet(save_model: Callable[[str], Path]) -> None:
    subprocess.run([sys.executable, "-c", PREDICTS, save_model("ngram")], cwd=ROOT, check=True)


LITERAL = re.compile(r"""["'](ngram|cnn|lstm)["']""")


def test_the_names_of_the_kinds_stand_in_their_table_and_where_the_key_cnn_means_one() -> None:
    folders = ("model", "container", "functions", "workflow")
    named = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if LITERAL.search(path.read_text(encoding="utf-8"))
    }
    key = "functions/prepare/capacity.py"  # the configuration's, which it reads as JSON
    assert named == {"model/parts/__init__.py", "model/config.py", key}


def test_the_functions_know_which_kinds_leave_checkpoints() -> None:
    assert {name for name in KINDS if kind(name).shared} == NETWORKS
