"""The columns of the tables that pass between the parts, and of the results."""

from contract.columns import (
    ALWAYS,
    BECAUSE,
    CHANNEL,
    CONFIDENCE,
    PREDICTION,
    REJECTED,
    RESULTS,
    RUNNER_UP,
    SHARD,
    SUSPECT,
    Judgement,
)
from contract.part import Prediction


def test_the_columns_keep_their_names_and_their_order() -> None:
    assert SHARD == ("row", "text")
    assert CHANNEL == ("row", "text", "label", "line")
    assert SUSPECT == ("line", "text", "label", "likely_label", "chance", "file")
    assert REJECTED == ("line", "reason", "raw")
    assert (
        *("prediction", "confidence", "runner_up", "because"),
        *("needs_review", "agrees", "model_version", "error"),
    ) == RESULTS


def test_whatever_a_prediction_says_is_shown_but_the_row_the_doubt_and_the_levels_at_once() -> None:
    assert set(Prediction._fields) - set(RESULTS) == {"row", "doubt", "levels"}
    assert set(Judgement._fields) < set(RESULTS)


def test_the_names_that_others_use_are_columns_of_a_part() -> None:
    assert {PREDICTION, CONFIDENCE, RUNNER_UP, BECAUSE} < set(Prediction._fields)


def test_files_of_every_version_are_known_by_columns_that_all_of_them_have() -> None:
    assert set(RESULTS) >= ALWAYS == {"prediction", "confidence", "runner_up", "needs_review"}
