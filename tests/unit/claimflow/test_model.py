"""What a model says of a table: the same as the container's program says, under the table's own index."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import claimflow
from contract import keys
from contract.columns import SHARD
from contract.manifest import Shard
from contract.part import Prediction, cell, parse
from tests.manifests import manifest_text

ROOT = Path(__file__).resolve().parents[3]
WITH_NETWORK = ROOT / "tests" / "unit" / "model" / "saved_before" / "ngram+cnn.tar.gz"
ODD = ["zzz qqq", "Ünïcode 🙂 brake\r\ndisc", "=1+1", "leak " * 3000, "12345", "‘leak’, “disc”"]


@pytest.fixture(params=["n-grams", "n-grams and a network"])
def any_archive(request: pytest.FixtureRequest, archive: Path) -> Path:
    return archive if request.param == "n-grams" else WITH_NETWORK


def labelled_by_program(archive: Path, texts: list[str], folder: Path) -> list[Prediction]:
    """Return what the program `predict` writes of texts, started as Batch starts it."""
    shard = folder / "shard.csv"
    with shard.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([SHARD, *enumerate(texts)])
    manifest = manifest_text(str(folder / "parts"), [Shard(str(shard), len(texts))])
    (folder / "manifest.json").write_text(
        manifest.replace('"explain": false', '"explain": true'), encoding="utf-8"
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CLAIMFLOW_"))}
    given = {"CLAIMFLOW_MANIFEST": str(folder / "manifest.json"), "CLAIMFLOW_MODEL": str(archive)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    done = subprocess.run(
        [ROOT / "container" / "predict"],
        env=kept | given | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with (folder / "parts" / keys.part_name(0)).open(newline="", encoding="utf-8") as file:
        return [parse(line) for line in list(csv.reader(file))[1:]]


def test_every_row_gets_what_the_program_of_the_container_says(
    any_archive: Path, sample: pd.DataFrame, tmp_path: Path
) -> None:
    texts = [*sample["description"].dropna().head(1300), *ODD]
    wanted = labelled_by_program(any_archive, texts, tmp_path)
    found = claimflow.load(any_archive).predict(texts, explain=True)
    assert len(wanted) == len(found) == 1300 + len(ODD)
    assert found["prediction"].tolist() == [each.prediction for each in wanted]
    assert found["confidence"].map(cell).map(float).tolist() == [each.confidence for each in wanted]
    assert found["runner_up"].tolist() == [each.runner_up for each in wanted]
    assert found["reason"].tolist() == [each.doubt for each in wanted]
    assert found["because"].tolist() == [each.because for each in wanted]
    assert found["needs_review"].tolist() == [bool(each.doubt) for each in wanted]
    assert found["needs_review"].nunique() == 2


def test_the_highest_chance_of_a_row_is_its_confidence(model: claimflow.Model, sample: pd.DataFrame) -> None:
    found, chances = model.predict(sample), model.predict_proba(sample)
    assert list(chances.columns) == list(model.labels)
    usable = found["error"] == ""
    assert chances.max(axis="columns").equals(found["confidence"])
    assert chances[usable].idxmax(axis="columns").tolist() == found["prediction"][usable].tolist()
    assert chances[usable].sum(axis="columns").to_numpy() == pytest.approx(1)
    assert chances[~usable].isna().all(axis=None)


def test_a_table_keeps_its_index_and_its_order(model: claimflow.Model, sample: pd.DataFrame) -> None:
    table = sample.head(50).set_index("claim_id").iloc[::-1]
    expected = model.predict(sample.head(50)).iloc[::-1]
    found = model.predict(table)
    assert found.index.equals(table.index)
    assert found["prediction"].tolist() == expected["prediction"].tolist()
    assert model.predict_proba(table).index.equals(table.index)


def test_rows_with_equal_index_are_told_apart(model: claimflow.Model) -> None:
    table = pd.DataFrame({"text": ["It leaks water.", "", "The battery drains."]}, index=["a", "a", "a"])
    found = model.predict(table)
    assert found["error"].tolist() == ["", "no text", ""]
    assert found["prediction"].tolist()[0] == "Leak"
    assert model.evaluate(table.assign(label=["leak", "x", "Leak"])).accuracy == 0.5


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no text"),
        (" \u200b\n", "no text"),
        (None, "no text"),
        (np.nan, "no text"),
        (pd.NA, "no text"),
        ("x" * 1_000_001, "text too long: 1,000,001 characters, at most 1,000,000"),
        ("half \ud83d", "not text: it holds half a character"),
    ],
    ids=["empty", "invisible", "None", "NaN", "NA", "too long", "half a character"],
)
def test_a_row_that_cannot_be_labelled_says_why_and_has_no_prediction(
    model: claimflow.Model, text: object, error: str
) -> None:
    table = pd.DataFrame({"text": [text, "It leaks water."]}, dtype=object)
    found = model.predict(table, explain=True)
    assert found["error"].tolist() == [error, ""]
    assert found["prediction"].isna().tolist() == [True, False]
    assert found["confidence"].isna().tolist() == [True, False]
    assert found["needs_review"].tolist()[0] is False
    assert set(model.explain(table).index) == {1}


def test_no_rows_give_no_rows_with_the_same_columns(model: claimflow.Model) -> None:
    none, some = model.predict(pd.DataFrame({"text": []})), model.predict("It leaks.")
    assert list(none.columns) == list(some.columns)
    assert len(none) == len(model.predict_proba([])) == len(model.explain([])) == 0


def test_one_text_texts_a_column_and_a_table_are_taken_alike(model: claimflow.Model) -> None:
    text = "It leaks water from below."
    found = [
        model.predict(given).to_dict("records")
        for given in (text, [text], pd.Series([text]), pd.DataFrame({"x": [1], "CLAIM_text\u00a0": [text]}))
    ]
    with_name = model.predict(pd.DataFrame({"odd": [text], "text": ["The battery drains."]}), text="odd")
    assert all(each == found[0] for each in [*found, with_name.to_dict("records")])


@pytest.mark.parametrize(
    ("columns", "asked", "sentence"),
    [
        (
            ["a", "b"],
            None,
            "The table has no column for the text: looked for was a common name, and it has 'a', 'b'.",
        ),
        (["text"], "body", "looked for was 'body', and it has 'text'. Name the column: text='…'."),
        (["text", "text"], None, "The table has 2 columns 'text': rename all but one."),
    ],
)
def test_a_table_without_a_column_of_texts_is_refused_with_what_it_has(
    model: claimflow.Model, columns: list[str], asked: str | None, sentence: str
) -> None:
    with pytest.raises(claimflow.ClaimflowError) as told:
        model.predict(pd.DataFrame([["x"] * len(columns)], columns=columns), text=asked)
    assert sentence in str(told.value)


def test_the_column_that_the_model_learned_from_comes_before_a_common_name(archive: Path) -> None:
    loaded = claimflow.load(archive)
    learned = claimflow.Model(loaded.classifier, loaded.training, text_column="story", label_column="kind")
    table = pd.DataFrame({"text": ["The battery drains."], "story": ["It leaks water."], "kind": ["Leak"]})
    assert learned.predict(table)["prediction"].tolist() == ["Leak"]
    assert learned.predict(table[["text"]])["prediction"].tolist() == ["Battery"]
    assert learned.evaluate(table).accuracy == 1


def test_the_strongest_phrases_of_an_explanation_are_the_words_that_decided(model: claimflow.Model) -> None:
    texts = ["It leaks water from below.", "The battery drains overnight."]
    found = model.explain(texts)
    for row, because in model.predict(texts, explain=True)["because"].items():
        first = found.loc[row].head(because.count("("))
        shown = [
            f"{phrase} ({adds:+.1f})" for phrase, adds in zip(first["phrase"], first["adds"], strict=True)
        ]
        assert ", ".join(shown) == because
    assert found["prediction"].unique().tolist() == ["Leak", "Battery"]


def test_another_category_is_explained_against_the_likeliest_one(model: claimflow.Model) -> None:
    text = "It leaks water from below."
    for_it, against = model.explain(text), model.explain(text, label="battery")
    assert against["prediction"].unique().tolist() == ["Battery"]
    assert against["runner_up"].unique().tolist() == ["Leak"]
    assert for_it.set_index("phrase")["adds"]["leaks"] > 0 > against.set_index("phrase")["adds"]["leaks"]
    with pytest.raises(
        claimflow.ClaimflowError, match="The model knows no category 'Fire': it knows 'Battery'"
    ):
        model.explain(text, label="Fire")
