"""evaluate: what a configuration asks of a model beside its accuracy."""

from typing import Any

import pytest

from evaluate.handler import handler as evaluate
from register.handler import handler as register
from tests.unit.functions.stack import Stack, State, champion, labelled


def judged(stack: Stack, config: dict[str, Any], **evaluation: object) -> State:
    """Return what evaluate leaves of a training with a configuration, and its state."""
    state = stack.validated("train", labelled(20), config)
    state["training"] = stack.trained(state, **evaluation)
    state["evaluation"] = evaluate(state, None)
    return state


def category(label: str, right: int, rows: int) -> dict[str, object]:
    return {
        "label": label,
        "precision": 1.0,
        "recall": round(right / rows, 6) if rows else 0,
        "f1": 1.0,
        "support": rows,
    }


def test_a_configuration_without_bars_asks_for_nothing_more(stack: Stack) -> None:
    per_class = [category("brakes", 0, 500), category("engine", 1, 500)]
    found = judged(stack, {}, macro_f1=0.01, per_class=per_class)["evaluation"]
    assert "below" not in found
    assert "reason" not in found
    assert found["worse_than_live"] is False


@pytest.mark.parametrize(("macro_f1", "passes"), [(0.8, True), (0.799, False)])
def test_a_model_below_the_bar_of_macro_f1_is_rejected_with_the_figures(
    macro_f1: float, passes: bool, stack: Stack
) -> None:
    state = judged(stack, {"macro_f1_bar": 0.8}, macro_f1=macro_f1)
    found = state["evaluation"]
    assert ("below" not in found) is passes
    if not passes:
        assert found["below"] == "The macro F1 is 79.9%, below macro_f1_bar, 80.0%."
        assert found["below"] in found["message"]
        assert "was not good enough" in found["subject"]
        assert "It was not registered." in found["message"]
        page = stack.read(found["report"]).decode()
        assert "This model was refused: The macro F1 is 79.9%" in page


def test_a_category_below_the_floor_is_rejected_with_its_rows(stack: Stack) -> None:
    per_class = [category("brakes", 90, 100), category("engine", 12, 40)]
    found = judged(stack, {"recall_floor": 0.7}, per_class=per_class)["evaluation"]
    assert found["below"] == (
        "The recall of 1 category is below recall_floor, 70.0%, beyond chance: 'engine' 30.0% "
        "(12 of 40 rows)."
    )


def test_a_floor_for_named_categories_leaves_the_others_alone(stack: Stack) -> None:
    per_class = [category("brakes", 90, 100), category("engine", 12, 40)]
    config = {"recall_floor": 0.7, "recall_floor_categories": ["brakes"]}
    found = judged(stack, config, per_class=per_class)["evaluation"]
    assert ("below" in found, "reason" in found) == (False, False)


@pytest.mark.parametrize(
    ("right", "rows", "is_open"),
    [(2, 4, True), (1, 1, True), (3, 3, False), (13, 20, True), (14, 20, False)],
)
def test_a_category_of_few_rows_is_left_to_a_person(
    right: int, rows: int, is_open: bool, stack: Stack
) -> None:
    per_class = [category("brakes", 90, 100), category("engine", right, rows)]
    state = judged(stack, {"recall_floor": 0.7}, per_class=per_class)
    assert "below" not in state["evaluation"]
    assert ("reason" in state["evaluation"]) is is_open
    registered = register(state, None)
    assert registered["live"] is not is_open
    if (right, rows) == (2, 4):
        assert registered["reason"] == (
            "The rows are too few to hold the recall of 1 category against recall_floor, 70.0%, as chance "
            "may explain it: 'engine' 50.0% (2 of 4 rows). More labelled rows of it decide it."
        )


def test_of_many_categories_the_worst_are_named(stack: Stack) -> None:
    per_class = [category(f"part {n}", n, 100) for n in range(7)]
    found = judged(stack, {"recall_floor": 0.7}, per_class=per_class)["evaluation"]
    assert "The recall of 7 categories is below" in found["below"]
    assert "'part 0' 0.0% (0 of 100 rows), 'part 1'" in found["below"]
    assert found["below"].endswith("'part 4' 4.0% (4 of 100 rows), and 2 more.")


def test_what_an_older_image_does_not_tell_is_left_to_a_person(stack: Stack) -> None:
    found = judged(stack, {"macro_f1_bar": 0.5, "recall_floor": 0.5})["evaluation"]
    assert "below" not in found
    assert "tells no macro F1" in found["reason"]
    assert "tells no recall" in found["reason"]


@pytest.mark.parametrize(
    ("only_new", "only_live", "worse", "said"),
    [
        (0, 12, True, "the live one is better beyond chance (McNemar's exact test, one-sided: p = 0.00024, "),
        (4, 7, False, "the new one is not worse beyond chance (McNemar's exact test, one-sided: p = 0.27, "),
        (12, 0, False, "the new one is at least as good."),
    ],
)
def test_a_less_accurate_model_is_rejected_where_chance_hardly_explains_it(
    only_new: int, only_live: int, worse: bool, said: str, stack: Stack
) -> None:
    stack.live()
    counts = {
        "both_right": 180,
        "only_new_right": only_new,
        "only_live_right": only_live,
        "both_wrong": 20 - only_new - only_live,
    }
    compared = champion(0, 0, rows=200) | counts
    found = judged(stack, {"live_significance": 0.05}, champion=compared)["evaluation"]
    assert found["worse_than_live"] is worse
    assert said in found["against_live"]
    assert ("is good enough" in found["subject"]) is not worse


def test_rows_of_categories_that_go_do_not_speak_for_the_live_model(stack: Stack) -> None:
    stack.live()
    lost = {"labels": ["gearbox"], "count": 1, "rows": 12, "live_right": 12}
    counts = {"both_right": 180, "only_new_right": 2, "only_live_right": 15, "both_wrong": 3, "lost": lost}
    state = judged(stack, {"live_significance": 0.05}, champion=champion(0, 0, rows=200) | counts)
    assert state["evaluation"]["worse_than_live"] is True
    state["run"]["replace"] = True
    found = evaluate(state, None)
    assert found["worse_than_live"] is False
    assert "p = 0.5," in found["against_live"]
