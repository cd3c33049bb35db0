"""Small files: which the function labels, and what is told of that."""

from typing import Any

import pytest

from tests.unit.functions.stack import Stack
from validate import way

SMALL = {"function": "arn:aws:lambda:label", "rows": 5000}


def run(**changed: object) -> Any:
    return {"small": SMALL, **changed}


@pytest.mark.parametrize(
    ("rows", "shards", "by_function", "why"),
    [
        (5000, 1, True, "5,000 usable rows, at most SmallRows, 5,000."),
        (1, 1, True, "1 usable row, at most"),
        (5001, 2, False, "5,001 usable rows, more than SmallRows, 5,000."),
        (5000, way.AT_ONCE, True, "5,000 usable rows"),
        (5000, way.AT_ONCE + 1, False, "21 shards; the function takes at most 20."),
    ],
)
def test_a_file_of_few_rows_and_shards_goes_to_the_function(
    rows: int, shards: int, by_function: bool, why: str
) -> None:
    chosen = way.choose(run(), rows, shards)
    assert (chosen.by_function, why in chosen.why) == (by_function, True)


def test_without_a_function_every_file_goes_to_batch_which_says_so() -> None:
    chosen = way.choose({}, 1, 1)  # type: ignore[typeddict-item]
    assert not chosen.by_function
    assert "no function for small files" in chosen.why


@pytest.mark.parametrize("rows", [2, 3])
def test_rejected_rows_do_not_count_and_the_shards_are_named(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setenv("CLAIMFLOW_SMALL_FUNCTION", "arn:aws:lambda:label")
    monkeypatch.setenv("CLAIMFLOW_SMALL_ROWS", "2")
    stack.live()
    text = "id,text\n" + "".join(f"{number},word\n" for number in range(rows)) + "9,\n"
    checked = stack.validated("predict", text, {"rows_per_shard": 1})["validation"]["predict"]
    assert checked.get("at_once") == ([0, 1] if rows == 2 else None)


@pytest.mark.parametrize(
    ("prediction", "fallback", "told"),
    [
        ({"succeeded": True, "calls": []}, None, ("lambda", "at most SmallRows")),
        ({"succeeded": True}, None, ("batch", "at most SmallRows")),
        ({"succeeded": True}, {"Error": "Sandbox.Timedout"}, ("batch", "failed: Sandbox.Timedout.")),
    ],
)
def test_the_results_say_what_labelled_them_and_why(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    prediction: dict[str, Any],
    fallback: dict[str, str] | None,
    told: tuple[str, str],
) -> None:
    monkeypatch.setenv("CLAIMFLOW_SMALL_FUNCTION", "arn:aws:lambda:label")
    stack.live()
    state = stack.validated("predict", "text\nx\ny\n")
    state |= {"model": stack.predicted(state), "prediction": prediction}
    if fallback:
        state["validation"]["predict"]["fallback"] = fallback
    document = stack.json(stack.collect(state)["manifest"])["labelled_by"]
    assert document["service"] == told[0]
    assert told[1] in document["why"]
