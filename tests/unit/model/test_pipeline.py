"""A whole training, from rows to artifact."""

import csv
import dataclasses
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from model.artifact import load
from model.classifier import Classifier
from model.config import Config
from model.data import Row, read_folder
from model.errors import DataError
from model.pipeline import Folders, champion_accuracy, run
from model.prediction import predict

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("CLAIMFLOW_DATA", ROOT.parent / "shared" / "data"))


def test_a_training_leaves_an_artifact_an_evaluation_and_a_report(
    folders: Folders, tiny: Callable[..., Config]
) -> None:
    evaluation = run(tiny(), folders)
    assert evaluation["accuracy"] > 0.95
    assert json.loads((folders.output / "evaluation.json").read_text(encoding="utf-8")) == evaluation
    assert (folders.output / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert load(folders.model).encoder.labels == tuple(evaluation["labels"])


def test_the_saved_model_has_the_accuracy_that_the_evaluation_claims(
    folders: Folders, tiny: Callable[..., Config]
) -> None:
    evaluation = run(tiny(num_epoch=1), folders)
    rows = list(read_folder(folders.validation))
    right = sum(
        guess.label == row.label for guess, row in zip(predict(load(folders.model), rows), rows, strict=True)
    )
    assert right / len(rows) == pytest.approx(evaluation["accuracy"], abs=1e-6)


def test_the_champion_is_measured_on_the_same_rows(
    folders: Folders, tiny: Callable[..., Config], classifier: Classifier
) -> None:
    evaluation = run(tiny(num_epoch=1), folders, champion=classifier)
    assert evaluation["champion"]["accuracy"] == champion_accuracy(classifier, folders.validation) > 0.95


def test_a_label_that_the_champion_does_not_know_counts_as_wrong(
    classifier: Classifier,
    toy: Callable[..., list[Row]],
    write: Callable[[Path, list[Row]], Path],
    tmp_path: Path,
) -> None:
    renamed = [dataclasses.replace(row, label=row.label.replace("seats", "cushions")) for row in toy(90)]
    write(tmp_path / "part.csv", renamed)
    expected = sum(row.label != "cushions" for row in renamed) / 90
    assert champion_accuracy(classifier, tmp_path) == pytest.approx(expected, abs=0.03)


def test_n_classes_must_agree_with_the_data(folders: Folders, tiny: Callable[..., Config]) -> None:
    with pytest.raises(
        DataError, match="n_classes is 5, but the training rows have 3 labels; set it to null"
    ):
        run(tiny(n_classes=5), folders)


def test_one_label_is_not_enough(
    tiny: Callable[..., Config], write: Callable[[Path, list[Row]], Path], tmp_path: Path
) -> None:
    write(tmp_path / "part.csv", [Row(0, "a", "x"), Row(1, "b", "x")])
    with pytest.raises(DataError, match="a classifier needs at least 2"):
        run(tiny(), Folders(tmp_path, tmp_path, tmp_path / "m", tmp_path / "o"))


def test_validation_without_rows_is_told(
    channels: Path, tiny: Callable[..., Config], write: Callable[[Path, list[Row]], Path], tmp_path: Path
) -> None:
    write(tmp_path / "v" / "part.csv", [])
    with pytest.raises(DataError, match="validation channel has no rows"):
        run(tiny(), Folders(channels / "train", tmp_path / "v", tmp_path / "m", tmp_path / "o"))


WITHOUT_BOTO3 = """
import sys
for name in ("boto3", "botocore"):
    sys.modules[name] = None
import model.artifact, model.config_files, model.pipeline, model.vectors
"""


def test_the_package_model_works_where_boto3_is_not_installed() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", WITHOUT_BOTO3], cwd=ROOT, check=True)


def test_mxnet_is_imported_in_two_modules_only() -> None:
    importers = {
        path.name
        for path in (ROOT / "model").glob("*.py")
        if "mxnet" in _imports(path) or " mx\n" in _imports(path)
    }
    assert importers == {"network.py", "training.py"}


def _imports(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith(("import ", "from "))) + "\n"


@pytest.mark.real_data
def test_customer_messages_of_77_intents_are_learned(
    tmp_path: Path, write: Callable[[Path, list[Row]], Path]
) -> None:
    if not (DATA / "banking77_train.csv.gz").exists():
        pytest.skip(f"no data in {DATA}; CLAIMFLOW_DATA names the folder")
    for channel, name in (("train", "train"), ("validation", "test")):
        with gzip.open(DATA / f"banking77_{name}.csv.gz", "rt", newline="", encoding="utf-8") as file:
            fields = list(csv.DictReader(file))[::2]
        rows = [Row(number, row["text"], row["category"]) for number, row in enumerate(fields)]
        write(tmp_path / channel / "part.csv", rows)
    config = Config.parse({"num_epoch": 3, "embed_size": 64, "hidden_size": 64, "learning_rate": 0.005})
    evaluation = run(
        config, Folders(*(tmp_path / name for name in ("train", "validation", "model", "output")))
    )
    assert evaluation["accuracy"] > 0.5
