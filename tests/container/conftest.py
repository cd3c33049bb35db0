"""What the programs are run with: the folders of a SageMaker job, and a small trained model."""

import csv
import json
import os
import random
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from contract.manifest import Shard
from tests.manifests import manifest_text

ROOT = Path(__file__).resolve().parents[2]
TELLING = {"brakes": ["brake", "disc"], "engine": ["oil", "piston"], "seats": ["belt", "cushion"]}
TINY: dict[str, Any] = {
    "architecture": "ngram",
    "num_epoch": 3,
    "embed_size": 8,
    "hidden_size": 8,
    "kernel_size": [1, 2],
    "learning_rate": 0.03,
    "batch_size": 16,
    "optimizer": "adam",
    "ngram_words": 2,
    "ngram_skip": 0,
    "ngram_chars": None,
    "ngram_end": 0,
    "ngram_repeats": False,
    "ngram_scale": "nb",
    "ngram_norm": "sqrt",
    "ngram_optimizer": "adam",
}

HANGING_SECONDS = 1200  # after which a program counts as hanging; no test takes part of it

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def rows(count: int, seed: int) -> list[tuple[int, str, str]]:
    chance = random.Random(seed)
    made = []
    for number in range(count):
        label = chance.choice(list(TELLING))
        words = chance.choices(["the", "car", "has", "a"], k=4) + chance.choices(TELLING[label], k=2)
        made.append((number, " ".join(words), label))
    return made


def write_csv(path: Path, header: Sequence[str], content: Sequence[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *content])
    return path


def make_job(base: Path, hyperparameters: dict[str, str]) -> Path:
    """The folder of a training job, as SageMaker lays it out."""
    for channel, count, seed in (("train", 150, 0), ("validation", 50, 1)):
        folder = base / "input" / "data" / channel
        write_csv(folder / "part-00000.csv", ["row", "text", "label"], rows(count, seed))
    (base / "input" / "config").mkdir()
    (base / "input" / "config" / "hyperparameters.json").write_text(
        json.dumps(hyperparameters), encoding="utf-8"
    )
    return base


def as_hyperparameters(**changes: object) -> dict[str, str]:
    return {key: json.dumps(value) for key, value in {**TINY, **changes}.items()}


def environment(**variables: str) -> dict[str, str]:
    """The variables of a job: no AWS ones but those given."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CLAIMFLOW_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", **variables}


@pytest.fixture(scope="session")
def run() -> Run:
    """Runs `train` or `predict` by its absolute path, from another folder."""

    def program(name: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(ROOT / "container" / name)],
            cwd="/",
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )

    return program


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Path]:
    """Makes the folder of a training job; keyword arguments change the configuration."""
    return lambda **changes: make_job(tmp_path / "ml", as_hyperparameters(**changes))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """The folder of a training job that completed, with its model packed as SageMaker does."""
    base = make_job(tmp_path_factory.mktemp("trained") / "ml", as_hyperparameters())
    done = run("train", CLAIMFLOW_BASE_DIR=str(base))
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(base / "model.tar.gz", "w:gz") as tar:
        tar.add(base / "model", arcname=".")
    return base


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A manifest of two shards with 40 rows each."""
    shards = []
    for index in range(2):
        content = [(row, text) for row, text, _ in rows(40, seed=index + 10)]
        file = write_csv(tmp_path / f"shard-{index:05}.csv", ["row", "text"], content)
        shards.append(Shard(str(file), 40))
    path = tmp_path / "manifest.json"
    path.write_text(manifest_text(str(tmp_path / "parts"), shards), encoding="utf-8")
    return path
