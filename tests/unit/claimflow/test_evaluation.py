"""The figures of labelled rows: those that a person counts by hand, and scikit-learn's definitions."""

import pandas as pd
import pytest

import claimflow
from claimflow.evaluation import evaluate
from model.calibration import interval

LABELS = ("a", "b", "c")


def predictions(*rows: tuple[str | None, float, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["prediction", "confidence", "needs_review"])


def test_the_figures_are_those_that_a_person_counts() -> None:
    said = predictions(("a", 0.9, False), ("a", 0.8, False), ("b", 0.7, True), ("b", 0.95, False))
    found = evaluate(said, pd.Series(["a", "b", "b", "a"]), LABELS)
    assert (found.rows, found.left_out, found.accuracy, found.accepted) == (4, 0, 0.5, 0.75)
    assert found.accepted_accuracy == pytest.approx(1 / 3)
    assert found.accuracy_interval == interval(2, 4)
    assert found.categories.loc["a"].to_dict() == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert found.confusion.to_dict("records") == [
        {"label": "a", "prediction": "b", "rows": 1},
        {"label": "b", "prediction": "a", "rows": 1},
    ]
    assert found.wrong.index.tolist() == [3, 1]


def test_a_category_that_is_neither_there_nor_given_does_not_count_in_the_macro_f1() -> None:
    said = predictions(("a", 0.9, False), ("b", 0.8, False))
    assert evaluate(said, pd.Series(["a", "b"]), LABELS).macro_f1 == 1


def test_a_category_that_the_model_does_not_know_counts_as_wrong() -> None:
    found = evaluate(predictions(("a", 0.9, False), ("b", 0.8, True)), pd.Series(["fire", "b"]), LABELS)
    assert found.accuracy == 0.5
    assert found.categories.loc["fire", "recall"] == 0
    assert found.macro_f1 == pytest.approx(1 / 3)  # of a, b and fire
    assert found.confusion.to_dict("records") == [{"label": "fire", "prediction": "a", "rows": 1}]


@pytest.mark.parametrize("given", ["Engine oil", " ENGINE\u00a0oil", "engine  oil\u200b"])
def test_a_category_is_the_same_however_it_is_written(given: str) -> None:
    found = evaluate(predictions(("Engine oil", 0.9, False)), pd.Series([given]), ("Engine oil", "x"))
    assert found.accuracy == 1


def test_categories_of_the_model_that_differ_in_case_only_are_told_apart() -> None:
    said = predictions(("Oil", 0.9, False), ("oil", 0.9, False))
    assert evaluate(said, pd.Series(["oil", "oil"]), ("Oil", "oil")).accuracy == 0.5


def test_rows_without_a_text_or_a_category_are_left_out_and_counted(model: claimflow.Model) -> None:
    table = pd.DataFrame({"text": ["It leaks water.", None, "It leaks."], "label": ["Leak", "Leak", None]})
    found = model.evaluate(table)
    assert (found.rows, found.left_out, found.accuracy) == (1, 2, 1)
    assert found.predictions["agrees"].isna().tolist() == [False, True, True]
    assert found.summary["rows"] == "1, 2 left out"


def test_without_an_accepted_row_there_is_no_share_of_right_ones() -> None:
    found = evaluate(predictions(("a", 0.4, True)), pd.Series(["a"]), LABELS)
    assert (found.accepted, found.accepted_accuracy) == (0, None)
    assert found.summary["accepted without a person"] == "0.0%"


@pytest.mark.parametrize("labels", [["", ""], [None, None]])
def test_a_table_without_categories_is_refused(model: claimflow.Model, labels: list[str | None]) -> None:
    table = pd.DataFrame({"text": ["It leaks.", "It hums."], "label": labels})
    with pytest.raises(claimflow.ClaimflowError, match="No row has both a text and a category"):
        model.evaluate(table)
    with pytest.raises(claimflow.ClaimflowError, match="no column for the label"):
        model.evaluate(table[["text"]])


def test_the_model_does_on_unseen_claims_what_its_own_evaluation_promises(
    model: claimflow.Model, sample: pd.DataFrame
) -> None:
    found = model.evaluate(sample)
    low, high = model.training["accuracy_interval"]
    assert low < found.accuracy < high
    assert found.calibration_error < 0.1
