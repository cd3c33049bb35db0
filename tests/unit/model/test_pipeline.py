"""A whole training, from rows to artifact."""

import csv
import dataclasses
import gzip
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from model import artifact
from model.artifact import load
from model.calibration import chance_difference
from model.classifier import Classifier
from model.comparison import Contender
from model.config import Config
from model.data import Row, read_folder
from model.errors import DataError, TrainingStopped
from model.pipeline import Folders, compare_again, run
from model.prediction import predict
from model.texts import hash_texts

from .conftest import ARCHITECTURES, TOPICS

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("CLAIMFLOW_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture
def schema() -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((ROOT / "config/evaluation.schema.json").read_text(encoding="utf-8"))
    )


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "ngram+lstm"])
def test_a_training_leaves_an_artifact_an_evaluation_and_a_report(
    architecture: str, folders: Folders, tiny: Callable[..., Config], schema: Draft202012Validator
) -> None:
    evaluation = run(tiny(architecture=architecture), folders)
    assert evaluation["accuracy"] > 0.95
    assert json.loads((folders.output / "evaluation.json").read_text(encoding="utf-8")) == evaluation
    assert (folders.output / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [error.message for error in schema.iter_errors(evaluation)] == []
    assert load(folders.model).labels == tuple(evaluation["labels"])
    assert evaluation["training"]["architecture"] == architecture
    assert [part["architecture"] for part in evaluation["training"]["parts"]] == architecture.split("+")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_saved_model_judges_as_it_did_before_it_was_saved(
    architecture: str, folders: Folders, tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    before: list[Classifier] = []
    save = artifact.save

    def keep(folder: Path, classifier: Classifier, *rest: Any) -> None:
        before.append(classifier)
        save(folder, classifier, *rest)

    monkeypatch.setattr(artifact, "save", keep)
    run(tiny(architecture=architecture), folders)
    texts, after = [row.text for row in read_folder(folders.validation)], load(folders.model)
    assert np.array_equal(
        after.predict_proba(texts).probabilities, before[0].predict_proba(texts).probabilities
    )
    assert np.array_equal(
        after.predict_proba(texts).in_vocabulary_ratios, before[0].predict_proba(texts).in_vocabulary_ratios
    )
    assert (after.labels, after.mixture, after.decision) == (
        before[0].labels,
        before[0].mixture,
        before[0].decision,
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_saved_model_has_the_accuracy_that_the_evaluation_claims(
    architecture: str, folders: Folders, tiny: Callable[..., Config]
) -> None:
    evaluation = run(tiny(architecture=architecture, num_epoch=1, ngram_epochs=1), folders)
    rows = list(read_folder(folders.validation))
    right = sum(
        guess.prediction == row.label
        for guess, row in zip(predict(load(folders.model), rows), rows, strict=True)
    )
    assert right / len(rows) == pytest.approx(evaluation["accuracy"], abs=1e-6)


def test_by_default_every_auto_of_the_n_grams_is_chosen(folders: Folders) -> None:
    evaluation = run(Config(architecture="ngram"), folders)
    assert evaluation["accuracy"] > 0.95
    (part,) = evaluation["training"]["parts"]
    assert part["architecture"] == "ngram"
    assert "auto" not in part["settings"].values()
    assert evaluation["training"]["mixture"] is None


def test_what_the_configuration_fixes_is_what_the_evaluation_tells(
    folders: Folders, tiny: Callable[..., Config]
) -> None:
    fixed: dict[str, Any] = {"ngram_words": 3, "ngram_chars": [2, 3], "ngram_end": 4, "ngram_norm": "none"}
    evaluation = run(tiny(architecture="ngram", **fixed, ngram_epochs=2, ngram_features=50), folders)
    (part,) = evaluation["training"]["parts"]
    assert {key: part["settings"][key] for key in fixed} == fixed
    assert part["epochs"] == 2
    assert part["settings"]["ngram_epochs"] == part["best_epoch"]
    assert part["settings"]["n-grams"] == 50


def test_the_mixture_is_fitted_written_and_read_back(folders: Folders, tiny: Callable[..., Config]) -> None:
    mixture = run(tiny(architecture="ngram+cnn"), folders)["training"]["mixture"]
    assert list(mixture) == ["ngram", "cnn"]
    assert sum(mixture.values()) == pytest.approx(1)
    assert load(folders.model).mixture == tuple(mixture.values())


def test_a_wrong_label_is_found_in_the_rows_that_are_learned_from_and_in_those_held_out(
    folders: Folders, tiny: Callable[..., Config]
) -> None:
    evaluation = run(tiny(architecture="ngram"), folders)
    suspects = evaluation["suspects"]
    assert suspects["rows"] == evaluation["data"]["training_rows"] + evaluation["validation_rows"]
    assert (folders.output / "suspects.csv").read_text(encoding="utf-8").startswith("line,text,label")
    alone = run(tiny(architecture="ngram", folds=0), folders)
    assert alone["suspects"]["rows"] == alone["validation_rows"]


def test_each_label_is_told_with_what_speaks_for_it(folders: Folders, tiny: Callable[..., Config]) -> None:
    phrases = run(tiny(architecture="ngram"), folders)["phrases"]
    for label, words in TOPICS.items():
        assert set(phrases[label][0]["phrase"].split()) & set(words)
        assert phrases[label][0]["weight"] > 0


@pytest.mark.parametrize(("architecture", "stop_at"), [("ngram", 2), ("ngram+cnn", 2), ("ngram+cnn", 30)])
def test_a_training_that_was_stopped_and_started_again_leaves_the_same_model(
    architecture: str, stop_at: int, folders: Folders, tiny: Callable[..., Config], tmp_path: Path
) -> None:
    config = tiny(architecture=architecture, ngram_epochs=4, dropout=0.5)
    run(config, folders)
    twin = dataclasses.replace(folders, model=tmp_path / "twin", checkpoints=tmp_path / "checkpoints")
    asked = itertools.count()
    with pytest.raises(TrainingStopped):
        run(config, twin, should_stop=lambda: next(asked) == stop_at)
    assert not twin.model.exists()
    run(config, twin)
    assert (twin.model / "model.params").read_bytes() == (folders.model / "model.params").read_bytes()


def test_the_champion_is_compared_on_the_same_rows(
    folders: Folders, tiny: Callable[..., Config], any_classifier: Classifier, schema: Draft202012Validator
) -> None:
    champion = Contender(any_classifier)
    evaluation = run(tiny(architecture="ngram"), folders, champion)
    found = evaluation["champion"]
    assert found["accuracy"] > 0.95
    counts = [found[key] for key in ("both_right", "only_new_right", "only_live_right", "both_wrong")]
    assert sum(counts) == found["rows"] <= evaluation["validation_rows"]
    assert (counts[0] + counts[2]) / found["rows"] == pytest.approx(found["accuracy"], abs=1e-6)
    assert found["p_value"] == chance_difference(counts[1], counts[2])
    assert [error.message for error in schema.iter_errors(evaluation)] == []


def test_the_rows_that_the_champion_learned_from_do_not_judge(
    folders: Folders, tiny: Callable[..., Config], classifier: Classifier
) -> None:
    texts = hash_texts(row.text for row in read_folder(folders.validation))
    evaluation = run(tiny(architecture="ngram"), folders, Contender(classifier, texts[:-1]))
    assert evaluation["champion"]["rows"] == 1


def test_a_trained_model_is_compared_again_without_training(
    any_saved: Path, folders: Folders, classifier: Classifier, schema: Draft202012Validator
) -> None:
    again = compare_again(any_saved, folders, Contender(classifier))
    before = artifact.evaluation(any_saved)
    assert again.pop("champion")["rows"] > 0
    assert before.pop("champion") is None
    assert again == before
    with artifact.unpacked(folders.model) as folder:
        assert artifact.evaluation(folder)["champion"]["rows"] > 0
        assert np.array_equal(artifact.learned(folder), artifact.learned(any_saved))
    assert (folders.model / "model.params").read_bytes() == (any_saved / "model.params").read_bytes()
    saved = json.loads((folders.output / "evaluation.json").read_text(encoding="utf-8"))
    assert [error.message for error in schema.iter_errors(saved)] == []
    assert load(folders.model).labels == classifier.labels


def test_a_label_that_no_training_row_has_is_told_with_its_row(
    channels: Path, tiny: Callable[..., Config], write: Callable[[Path, list[Row]], Path], tmp_path: Path
) -> None:
    write(tmp_path / "v" / "part.csv", [Row(3, "oil", "engine"), Row(7, "oil", "gearbox")])
    with pytest.raises(DataError, match=r"Row 7 .* 'gearbox'"):
        run(tiny(), Folders(channels / "train", tmp_path / "v", tmp_path / "m", tmp_path / "o"))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("texts", [["", ""], ["one", "two"], ["\x00", "👍"]])
def test_texts_that_teach_nothing_still_make_a_model(
    texts: list[str],
    architecture: str,
    tiny: Callable[..., Config],
    write: Callable[[Path, list[Row]], Path],
    tmp_path: Path,
) -> None:
    write(tmp_path / "rows" / "part.csv", [Row(0, texts[0], "x"), Row(1, texts[1], "y")])
    folders = Folders(tmp_path / "rows", tmp_path / "rows", tmp_path / "m", tmp_path / "o")
    run(tiny(architecture=architecture), folders)
    (guess,) = predict(load(tmp_path / "m"), [Row(0, "anything")], explain=True)
    assert guess.prediction in {"x", "y"}


def test_a_protected_category_that_the_data_lacks_is_told_before_anything_is_trained(
    folders: Folders, tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("model.cross_fitting.fit")
    with pytest.raises(DataError, match="protect names 'Flood', but no training row has that label, only "):
        run(tiny(protect=["Flood"]), folders)


def test_a_saved_model_watches_the_categories_that_its_evaluation_names(
    folders: Folders, tiny: Callable[..., Config]
) -> None:
    evaluation = run(tiny(architecture="ngram", protect=[next(iter(TOPICS))]), folders)
    watched = evaluation["acceptance"]["watched"]
    assert watched[0]["why"] == "protected"
    rule = load(folders.model).decision
    assert [[evaluation["labels"][number] for number in group.labels] for group in rule.watched] == [
        group["labels"] for group in watched
    ]
    assert [group.chance for group in rule.watched] == evaluation["acceptance"]["chances"]


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
import model.artifact, model.pipeline, model.vectors
"""


def test_the_package_model_works_where_boto3_is_not_installed() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", WITHOUT_BOTO3], cwd=ROOT, check=True)


def test_mxnet_is_imported_in_one_module_only() -> None:
    importers = {path.name for path in (ROOT / "model").rglob("*.py") if "mxnet" in _imports(path)}
    assert importers == {"network.py"}


def _imports(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith(("import ", "from "))) + "\n"


@pytest.mark.real_data
@pytest.mark.parametrize(("architecture", "least"), [("ngram", 0.7), ("cnn", 0.5)])
def test_customer_messages_of_77_intents_are_learned(
    architecture: str, least: float, tmp_path: Path, write: Callable[[Path, list[Row]], Path]
) -> None:
    if not (DATA / "banking77_train.csv.gz").exists():
        pytest.skip(f"no data in {DATA}; CLAIMFLOW_DATA names the folder")
    for channel, name in (("train", "train"), ("validation", "test")):
        with gzip.open(DATA / f"banking77_{name}.csv.gz", "rt", newline="", encoding="utf-8") as file:
            fields = list(csv.DictReader(file))[::2]
        rows = [Row(number, row["text"], row["category"]) for number, row in enumerate(fields)]
        write(tmp_path / channel / "part.csv", rows)
    changes = {
        "num_epoch": 3,
        "embed_size": 64,
        "hidden_size": 64,
        "learning_rate": 0.005,
        "ngram_scale": "nb",
    }
    config = Config.parse({"architecture": architecture, "ngram_words": 2, "ngram_skip": 0, **changes})
    evaluation = run(
        config, Folders(*(tmp_path / name for name in ("train", "validation", "model", "output")))
    )
    assert evaluation["accuracy"] > least
