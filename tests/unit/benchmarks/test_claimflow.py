"""What is measured of Claimflow besides time: accepted rows at each target, protected and foreign rows."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import rows, vectors
from benchmarks.contenders import claimflow

WORDS = {"card": ["card", "chip"], "cash": ["cash", "note"], "loan": ["loan", "rate"]}
OPTIONS: dict[str, Any] = {
    "config": {
        "architecture": "ngram",
        "ngram_words": 1,
        "ngram_skip": 0,
        "ngram_chars": None,
        "ngram_end": 0,
        "ngram_repeats": False,
        "ngram_least_texts": 1,
        "ngram_scale": "nb",
        "ngram_norm": "sqrt",
        "ngram_optimizer": "adam",
        "protect": ["loan"],
    }
}


def toy(count: int, seed: int) -> list[tuple[str, str]]:
    """Texts that a word gives away, and their labels."""
    chance = random.Random(seed)
    labels = [chance.choice(list(WORDS)) for _ in range(count)]
    return [
        (f"my {chance.choice(WORDS[label])} {number} please", label) for number, label in enumerate(labels)
    ]


def test_figures_tell_what_is_accepted_at_each_target_and_what_would_be_possible(tmp_path: Path) -> None:
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    rows.write(train, toy(900, 0))
    rows.write(test, toy(300, 1))
    claimflow.prepare(train, OPTIONS, tmp_path)
    model = claimflow.load(claimflow.train(train, OPTIONS, tmp_path))
    found = claimflow.figures(model, test)
    names = ("accepted", "precision", "oracle", "protected")
    assert set(found) == {"ece", *(f"{name}_{target}" for name in names for target in (0.9, 0.95, 0.98))}
    assert found["accepted_0.9"] >= found["accepted_0.98"] > 0.5
    assert {found["precision_0.9"], found["oracle_0.9"], found["protected_0.9"]} == {1.0}


def test_foreign_rows_are_all_wrong_and_hardly_accepted(tmp_path: Path) -> None:
    train, foreign = tmp_path / "train.csv", tmp_path / "foreign.csv"
    rows.write(train, toy(900, 0))
    rows.write(foreign, [(f"rain falls on every roof {number}", "weather") for number in range(100)])
    claimflow.prepare(train, OPTIONS, tmp_path)
    found = claimflow.figures(claimflow.load(claimflow.train(train, OPTIONS, tmp_path)), foreign)
    assert found["accepted_0.9"] == 0
    assert "precision_0.9" not in found


def test_the_peers_vectors_are_those_of_the_pinned_model(tmp_path: Path) -> None:
    rows.write(tmp_path / "rows.csv", [("The card was lost.", "card"), ("The drum leaks.", "drum")])
    vectors.main(tmp_path / "rows.csv", tmp_path / "vectors.npy")
    found = np.load(tmp_path / "vectors.npy")
    assert found.shape == (2, 384)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
