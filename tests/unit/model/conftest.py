"""A separable toy task: three kinds of claims, told apart by their own words among shared ones."""

import csv
import functools
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from model.artifact import load
from model.classifier import Classifier
from model.config import Config
from model.data import Row
from model.network import BiLSTM, TextCNN
from model.pipeline import Folders, run

TOPICS = {
    "brakes": ["brake", "disc", "squeal"],
    "engine": ["oil", "piston", "smoke"],
    "seats": ["belt", "cushion"],
}
SHARED = ["the", "car", "is", "a", "problem", "with", "it", "."]
ARCHITECTURES = ["ngram", "cnn", "lstm", "ngram+cnn"]
BLOCKS: dict[str, Any] = {"cnn": TextCNN, "lstm": BiLSTM}
TINY: dict[str, Any] = {
    "num_epoch": 5,
    "embed_size": 8,
    "hidden_size": 8,
    "kernel_size": [1, 2],
    "learning_rate": 0.03,
    "batch_size": 16,
    "dropout": 0.1,
    "ngram_words": 2,
    "ngram_skip": 0,
    "ngram_chars": None,
    "ngram_end": 0,
    "ngram_repeats": False,
    "ngram_least_texts": 2,
    "ngram_scale": "nb",
    "ngram_norm": "sqrt",
    "ngram_optimizer": "adam",
}


def toy_rows(count: int, seed: int = 0) -> list[Row]:
    """Rows of 3 to 12 words, two of them telling."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        label = chance.choice(list(TOPICS))
        words = chance.choices(SHARED, k=chance.randint(1, 10)) + chance.choices(TOPICS[label], k=2)
        chance.shuffle(words)
        rows.append(Row(number, " ".join(words), label))
    return rows


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    """A training channel's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "text", "label"])
        writer.writerows((row.number, row.text, row.label) for row in rows)
    return path


@pytest.fixture(scope="session")
def tiny() -> Callable[..., Config]:
    """A configuration that trains in a moment; keyword arguments change it."""
    return lambda **changes: Config.parse({**TINY, **changes})


@pytest.fixture(scope="session")
def toy() -> Callable[..., list[Row]]:
    """Rows of the toy task."""
    return toy_rows


@pytest.fixture(scope="session")
def write() -> Callable[[Path, Sequence[Row]], Path]:
    """Writes rows as a training channel's file."""
    return write_rows


@pytest.fixture(scope="session")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the channels train (180 rows) and validation (60 rows)."""
    folder = tmp_path_factory.mktemp("channels")
    write_rows(folder / "train" / "part-00000.csv", toy_rows(180))
    write_rows(folder / "validation" / "part-00000.csv", toy_rows(60, seed=1))
    return folder


@pytest.fixture
def folders(channels: Path, tmp_path: Path) -> Folders:
    """Return where a training of the toy task reads and writes."""
    return Folders(channels / "train", channels / "validation", tmp_path / "model", tmp_path / "output")


@pytest.fixture(scope="session")
def save_model(
    channels: Path, tmp_path_factory: pytest.TempPathFactory, tiny: Callable[..., Config]
) -> Callable[[str], Path]:
    """Trains and saves a model of the toy task, each architecture once; read, never changed."""

    @functools.cache
    def model(architecture: str) -> Path:
        folder = tmp_path_factory.mktemp("saved")
        run(
            tiny(architecture=architecture, target_precision=0.9),
            Folders(channels / "train", channels / "validation", folder / "model", folder / "output"),
        )
        return folder / "model"

    return model


@pytest.fixture(scope="session")
def saved(save_model: Callable[[str], Path]) -> Path:
    """A saved n-gram model of the toy task, and beside it its output; read, never changed."""
    return save_model("ngram")


@pytest.fixture(scope="session")
def classifier(saved: Path) -> Classifier:
    """The saved n-gram model of the toy task, loaded."""
    return load(saved)


@pytest.fixture(scope="session", params=ARCHITECTURES)
def any_saved(request: pytest.FixtureRequest, save_model: Callable[[str], Path]) -> Path:
    """A saved model of the toy task, of each architecture in turn."""
    return save_model(request.param)


@pytest.fixture(scope="session")
def any_classifier(any_saved: Path) -> Classifier:
    """A model of the toy task, loaded, of each architecture in turn."""
    return load(any_saved)
