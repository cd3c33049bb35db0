"""Models that an earlier version of the program saved, and what it predicted with them (`saved_before/`)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from model.artifact import load
from model.data import Row
from model.prediction import predict

SAVED = Path(__file__).parent / "saved_before"


@pytest.mark.parametrize("name", ["ngram+cnn", "lstm"])
def test_a_model_saved_before_still_loads_and_predicts_the_same(name: str) -> None:
    expected: list[dict[str, Any]] = json.loads((SAVED / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    rows = [Row(number, row["text"]) for number, row in enumerate(expected)]
    found = list(predict(load(SAVED / f"{name}.tar.gz"), rows, explain=True))
    for guess, row in zip(found, expected, strict=True):
        assert (guess.prediction, guess.runner_up, guess.doubt) == (
            row["label"],
            row["runner_up"],
            row["doubt"],
        )
        assert guess.confidence == pytest.approx(row["confidence"], abs=1e-5)
        assert phrases(guess.because) == phrases(row["because"])


def phrases(because: str) -> list[str]:
    return re.findall(r"(.+?) \([+-]\d+\.\d\)(?:, |$)", because)
