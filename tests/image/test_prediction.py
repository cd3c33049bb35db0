"""The program `predict` inside the image, and that it computes what the same code computes outside."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from contract.manifest import Shard
from model import artifact
from tests.container.conftest import rows, write_csv
from tests.manifests import manifest_text

from .conftest import BATCH, Image, open_job, open_to_all, volume

ROWS = 40
Shards = Callable[[str], Path]
# Prints the labels and every probability, which the program would round.
JUDGE = """
import json, sys, pathlib
from container.driver import ensure_driver
ensure_driver()
from model import artifact
classifier = artifact.load(pathlib.Path("/job/model.tar.gz"))
judged = classifier.predict_proba(json.loads(pathlib.Path("/job/texts.json").read_text()))
print(json.dumps([classifier.labels, judged.probabilities.tolist()]))
"""


@pytest.fixture(scope="session")
def models(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Archives, packed as SageMaker does, of models trained in the image; each architecture once."""
    made: dict[str, Path] = {}

    def model(architecture: str) -> Path:
        if architecture not in made:
            made[architecture] = archive(image, tmp_path_factory.mktemp("model"), architecture)
        return made[architecture]

    return model


def archive(image: Image, folder: Path, architecture: str) -> Path:
    base = open_job(folder / "ml", architecture=architecture)
    done = image.run("train", options=(*BATCH, *volume(base, "/opt/ml")))
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(base / "model", arcname=".")
    return folder / "model.tar.gz"


@pytest.fixture
def shards(tmp_path: Path, models: Callable[[str], Path]) -> Shards:
    """Makes a folder with a manifest of two shards, and a model."""

    def made(architecture: str = "ngram") -> Path:
        folder = tmp_path / "job"
        for index in range(2):
            content = [(row, text) for row, text, _ in rows(ROWS, seed=index + 10)]
            write_csv(folder / f"shard-{index}.csv", ["row", "text"], content)
        listed = [Shard(f"/job/shard-{index}.csv", ROWS) for index in range(2)]
        (folder / "manifest.json").write_text(manifest_text("/job/parts", listed), encoding="utf-8")
        (folder / "model.tar.gz").write_bytes(models(architecture).read_bytes())
        (folder / "parts").mkdir()
        return open_to_all(folder)

    return made


def predict(image: Image, folder: Path, index: int, *options: str, tmp: str = "512m") -> tuple[int, str]:
    done = image.run(
        "predict",
        options=(*BATCH, *volume(folder, "/job"), *options),
        CLAIMFLOW_MANIFEST="/job/manifest.json",
        CLAIMFLOW_MODEL="/job/model.tar.gz",
        AWS_BATCH_JOB_ARRAY_INDEX=str(index),
        tmp=tmp,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_a_child_of_an_array_job_writes_its_own_part_and_nothing_else(image: Image, shards: Shards) -> None:
    folder = shards()
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    code, said = predict(image, folder, 1)
    assert code == 0, said
    assert [path.name for path in (folder / "parts").iterdir()] == ["part-00001.csv"]
    assert len((folder / "parts" / "part-00001.csv").read_text(encoding="utf-8").splitlines()) == 1 + ROWS
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("architecture", ["ngram", "ngram+cnn", "lstm"])
def test_the_same_model_and_rows_give_the_same_inside_and_outside(
    architecture: str, image: Image, shards: Shards
) -> None:
    folder = shards(architecture)
    texts = [text for _, text, _ in rows(200, seed=3)] + ["", "⚙️ 故障 brake", "x" * 5000]
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    labels, inside = json.loads(image.python(JUDGE, options=(*BATCH, *volume(folder, "/job", "ro"))))
    classifier = artifact.load(folder / "model.tar.gz")
    outside = classifier.predict_proba(texts).probabilities
    assert list(classifier.labels) == labels
    assert np.abs(np.array(inside) - outside).max() <= 1e-5
    assert (np.argmax(inside, axis=1) == outside.argmax(axis=1)).all()


def test_a_full_disk_is_told_next_to_the_parts(image: Image, shards: Shards) -> None:
    folder = shards()
    code, said = predict(image, folder, 0, tmp="4k")
    assert code == 1, said
    sentence = (folder / "parts" / "failure-00000.txt").read_text(encoding="utf-8")
    assert sentence.startswith("Shard 0 was not labelled: The disk is full: ")


def test_a_job_that_is_killed_for_its_memory_says_so_next_to_the_parts(image: Image, shards: Shards) -> None:
    folder = shards("lstm")  # which takes MXNet to predict, and more memory than n-grams
    code, said = predict(image, folder, 0, "--memory", "80m", "--memory-swap", "80m")
    assert code != 0, said
    sentence = (folder / "parts" / "failure-00000.txt").read_text(encoding="utf-8")
    assert "memory was full: " in sentence or "memory is full: " in sentence
    assert "JobMemoryMiB" in sentence


def test_a_model_that_cannot_be_read_is_told(image: Image, shards: Shards) -> None:
    folder = shards()
    (folder / "model.tar.gz").write_bytes(b"no archive")
    code, said = predict(image, folder, 0)
    assert code == 1
    assert (folder / "parts" / "failure-00000.txt").read_text(encoding="utf-8") in said
