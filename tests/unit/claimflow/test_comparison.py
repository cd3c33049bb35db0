"""Two models on the same rows: where they differ, and which one is right."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import claimflow
from claimflow.bootstrap import macro_f1_interval
from claimflow.errors import ClaimflowError
from model import comparison
from model.comparison import Outcome
from model.texts import hash_texts


@pytest.fixture(scope="session")
def hobbled(model: claimflow.Model) -> claimflow.Model:
    """Return the model with two of its categories mixed up, as version 7."""
    labels = list(model.labels)
    labels[0], labels[1] = labels[1], labels[0]
    classifier = dataclasses.replace(model.classifier, labels=tuple(labels))
    return dataclasses.replace(model, classifier=classifier, version=7)


def test_who_is_right_is_what_the_gate_would_say(
    model: claimflow.Model, hobbled: claimflow.Model, sample: pd.DataFrame
) -> None:
    claims = sample.dropna(subset=["description", "category"]).head(400)
    found = claimflow.compare(model, hobbled, claims)
    judged = found.judged
    assert judged is not None
    assert judged.learned > 0, "some of the sample stand twice"
    seen = np.isin(hash_texts(claims["description"]), model.learned)
    kept = claims[~seen]
    right = [(each.predict(kept)["prediction"] == kept["category"]).to_numpy() for each in (model, hobbled)]
    nothing = np.zeros(len(kept), dtype=bool)
    expected = comparison.figures(Outcome(new=right[1], live=right[0], of_live=nothing, lost=nothing))
    assert judged.only_second_right == expected["only_new_right"]
    assert judged.only_first_right == expected["only_live_right"] > 0
    assert judged.p_value == pytest.approx(expected["p_value"], rel=1e-3)
    assert judged.p_value < 0.05
    assert judged.evaluations[0].accuracy > judged.evaluations[1].accuracy
    for side, each in enumerate(judged.evaluations):
        low, high = judged.macro_f1_intervals[side]
        assert low <= each.macro_f1 <= high


def test_the_rows_that_differ_are_those_of_the_categories_that_were_mixed_up(
    model: claimflow.Model, hobbled: claimflow.Model, sample: pd.DataFrame
) -> None:
    claims = sample.head(200).set_index(pd.Index(range(1000, 1200)))
    found = claimflow.compare(model, hobbled, claims)
    assert found.names == ("first", "7")
    mixed = claims.join(model.predict(claims))["prediction"].isin(model.labels[:2])
    assert list(found.differing.index) == list(claims.index[mixed])
    assert found.same == pytest.approx(1 - mixed.sum() / found.rows)
    row = found.differing.iloc[0]
    assert {row["prediction_first"], row["prediction_7"]} == set(model.labels[:2])
    assert (row["agrees_first"], row["agrees_7"]) in {(True, False), (False, True), (False, False)}


def test_rows_that_one_of_them_has_learned_from_say_nothing(
    model: claimflow.Model, hobbled: claimflow.Model, sample: pd.DataFrame
) -> None:
    claims = sample.head(50)
    knowing = dataclasses.replace(hobbled, learned=hash_texts(claims["description"][:49]))
    found = claimflow.compare(model, knowing, claims)
    assert found.judged is not None
    assert (found.judged.rows, found.learned) == (1, 49)
    knowing = dataclasses.replace(hobbled, learned=hash_texts(claims["description"]))
    found = claimflow.compare(model, knowing, claims)
    assert (found.judged, found.learned) == (None, 50)


def test_without_categories_only_the_difference_is_told(
    model: claimflow.Model, hobbled: claimflow.Model, sample: pd.DataFrame
) -> None:
    claims = sample.head(60)[["description"]].copy()
    claims.loc[3, "description"] = ""
    found = claimflow.compare(model, hobbled, claims)
    assert (found.judged, found.rows, found.left_out) == (None, 59, 1)
    assert not [name for name in found.differing.columns if name.startswith("agrees")]
    assert 0 < found.same < 1


def test_a_category_written_otherwise_is_the_same(model: claimflow.Model, sample: pd.DataFrame) -> None:
    shouting = dataclasses.replace(
        model,
        classifier=dataclasses.replace(
            model.classifier, labels=tuple(label.upper() for label in model.labels)
        ),
    )
    found = claimflow.compare(model, shouting, sample.head(40))
    assert found.same == 1
    assert found.judged is not None
    assert (found.judged.only_first_right, found.judged.only_second_right) == (0, 0)
    assert list(found.judged.categories["recall_first"]) == list(found.judged.categories["recall_second"])


@pytest.mark.parametrize(("column", "said"), [("text", "no column for the text"), ("label", "for the label")])
def test_a_column_that_is_named_and_not_there_is_told(
    column: str, said: str, model: claimflow.Model, sample: pd.DataFrame
) -> None:
    with pytest.raises(ClaimflowError, match=said):
        claimflow.compare(model, model, sample.head(5), **{column: "nowhere"})


def test_rows_without_a_text_are_told(model: claimflow.Model) -> None:
    with pytest.raises(ClaimflowError, match="No row has a text"):
        claimflow.compare(model, model, pd.DataFrame({"description": ["", " "]}))


def test_the_interval_of_the_macro_f1_is_that_of_drawing_rows() -> None:
    """Against a bootstrap as it is defined, row by row."""
    chance = np.random.default_rng(1)
    truths = chance.integers(0, 4, 300)
    guesses = np.where(chance.random(300) < 0.7, truths, chance.integers(0, 4, 300))
    drawn = []
    for _ in range(1000):
        rows = chance.integers(0, 300, 300)
        f1 = [
            2
            * ((truths[rows] == each) & (guesses[rows] == each)).sum()
            / ((truths[rows] == each).sum() + (guesses[rows] == each).sum())
            for each in range(4)
        ]
        drawn.append(np.mean(f1))
    assert macro_f1_interval(truths, guesses, 4) == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.01
    )
