"""A part: its columns both ways, and what it was made of."""

from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.part import (
    Prediction,
    cells,
    columns,
    level_columns,
    level_values,
    levels,
    origin,
    parse,
    program,
)
from tests.predictions import prediction

SURE = prediction(7, "brakes", 0.93456, "engine", "", "squeal (+2.1)")
ORIGIN = origin("a-shard", "a-model", 3, explain=False)
METADATA = ORIGIN.metadata("a-program", "a-sha256")


def test_the_columns_are_the_fields_of_a_prediction_the_last_only_with_explanations() -> None:
    assert columns(explain=True)[:5] == ("row", "prediction", "confidence", "runner_up", "doubt")
    assert columns(explain=True)[-1] == "because"
    assert columns(explain=False) == columns(explain=True)[:-1]


@pytest.mark.parametrize(
    ("confidence", "cell"),
    [(0.93456, "0.9346"), (1.0, "1.0000"), (0.99996, "0.9999"), (0.0, "0.0000")],
)
def test_a_share_has_four_decimals_and_only_what_is_certain_is_one(confidence: float, cell: str) -> None:
    assert cells(SURE._replace(confidence=confidence), explain=False)[2] == cell


VALUES = {
    int: st.integers(0, 10**9),
    str: st.text(),
    float: st.integers(0, 10_000).map(lambda share: share / 10_000),
}
PREDICTIONS = st.builds(
    Prediction, **{name: VALUES[kind] for name, kind in get_type_hints(Prediction).items()}
)


@given(PREDICTIONS, st.booleans())
def test_a_prediction_comes_back_from_its_cells(said: Prediction, explain: bool) -> None:
    line = cells(said, explain=explain)
    assert len(line) == len(columns(explain=explain))
    assert parse(line) == (said if explain else said._replace(because=""))


@pytest.mark.parametrize("line", [["x", "a", "0.9", "b", ""], ["1", "a", "much", "b", ""], ["1", "a"]])
def test_a_line_that_is_no_prediction_is_refused(line: list[str]) -> None:
    with pytest.raises((ValueError, TypeError)):
        parse(line)


def test_a_part_that_fits_its_origin_has_no_flaw_whatever_program_made_it() -> None:
    assert ORIGIN.flaw(METADATA, "a-sha256") == ""
    assert ORIGIN.flaw(METADATA | {"program": "another"}, "a-sha256") == ""
    assert program(METADATA) == "a-program"


@pytest.mark.parametrize(
    ("metadata", "flaw"),
    [
        ({}, "is not whole"),
        (METADATA | {"sha256": "another"}, "is not whole"),
        (METADATA | {"rows": "2"}, "was made of other rows or by another model"),
        (METADATA | {"made-of": "another"}, "was made of other rows or by another model"),
    ],
)
def test_a_part_of_anything_else_is_flawed(metadata: dict[str, str], flaw: str) -> None:
    assert ORIGIN.flaw(metadata, "a-sha256").startswith(flaw)


def test_another_shard_model_or_target_and_explanations_make_another_origin() -> None:
    origins = {
        origin(shard, model, 3, explain=explain, target_precision=target).made_of
        for shard in ("a-shard", "b-shard")
        for model in ("a-model", "b-model")
        for explain in (False, True)
        for target in (None, 0.9, 0.95)
    }
    assert len(origins) == 24


def test_parts_that_were_made_before_are_still_whole() -> None:
    assert ORIGIN.made_of == "6f1b9a90932838fa53dd3c2fbe898dae"


def test_the_levels_of_a_prediction_come_back_as_columns_of_the_results() -> None:
    said = SURE._replace(levels=levels("", [("A", 0.99999), ("A > B", 0.5)]))
    assert list(level_values(parse(cells(said, explain=True)))) == level_columns(2)
    assert level_values(said) == {
        "level_1": "A",
        "level_1_confidence": 0.9999,
        "level_2": "A > B",
        "level_2_confidence": 0.5,
        "accepted_as": "",
    }


def test_a_prediction_without_a_hierarchy_adds_no_columns() -> None:
    assert level_values(SURE) == {}
    assert level_columns(0) == []
