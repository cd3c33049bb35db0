"""validate: what becomes of several labelled files."""

import pytest

from contract.errors import InvalidData
from evaluate.handler import handler as evaluate
from tests.unit.functions.stack import ARTIFACTS, RESULTS, Stack, csv_text, labelled

Rows = list[dict[str, str]]


def channels(stack: Stack, state: dict[str, dict[str, str]]) -> Rows:
    """Return the rows of both sides in the order of their numbers."""
    folder = f"s3://{ARTIFACTS}/runs/{state['run']['id']}"
    sides = [stack.table(f"{folder}/{side}/part-00000.csv") for side in ("train", "validation")]
    return sorted((row for side in sides for row in side), key=lambda row: int(row["row"]))


def rejected(stack: Stack, state: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    rows = stack.table(f"s3://{RESULTS}/{state['run']['name']}/a.rejected.csv")
    return [(row["line"], row["reason"]) for row in rows]


def test_the_rows_of_all_files_are_learned_in_the_order_of_the_list(stack: Stack) -> None:
    more = csv_text(["description", "kind", "label"], [(f"noise {n}", "x", "engine") for n in range(5)])
    state = stack.validated_files(labelled(20), more)
    rows = channels(stack, state)
    assert [row["row"] for row in rows] == [str(number) for number in range(45)]
    assert [row["text"] for row in rows[40:]] == [f"noise {n}" for n in range(5)]
    assert [row["line"] for row in rows[39:42]] == ["41", "2", "3"]
    assert state["validation"]["train"]["rows"] == 45


def test_each_file_may_have_a_format_and_columns_of_its_own(stack: Stack) -> None:
    lines = b'{"label": "engine", "text": "noise"}\n{"label": "brakes", "text": "squeal"}\n'
    state = stack.validated_files(labelled(20), "topic;complaint\nengine;smoke\n", lines)
    assert [row["text"] for row in channels(stack, state)[40:]] == ["smoke", "noise", "squeal"]
    assert state["validation"]["train"]["columns"] == {"text_column": "text", "label_column": "category"}
    report = stack.json(state["validation"]["report"])["train"]
    assert [file["columns"]["text"]["name"] for file in report["more_files"]] == ["complaint", "text"]
    assert [file["reading"]["format"] for file in report["more_files"]] == ["csv", "jsonl"]


def test_a_text_that_stands_in_several_files_counts_as_in_the_last(stack: Stack) -> None:
    old = labelled(20) + "It squeals,engine\r\nit  SQUEALS,engine\r\nit smokes,engine\r\n"
    new = csv_text(["text", "label"], [("it squeals", "brakes"), ("it squeals", "brakes")])
    state = stack.validated_files(old, new)
    rows = [row for row in channels(stack, state) if "squeals" in row["text"].lower()]
    assert [row["label"] for row in rows] == ["brakes", "brakes"], "those of one file stay"
    assert rejected(stack, state) == [
        ("42", "its text stands in a later file (a.csv)"),
        ("43", "its text stands in a later file (a.csv)"),
    ]
    (warning,) = (each for each in state["validation"]["train"]["warnings"] if "left out" in each)
    assert warning.startswith("2 of 45 rows were left out")


def test_a_row_names_its_file_where_there_are_several(stack: Stack) -> None:
    more = csv_text(["text", "label"], [("noise", "engine"), ("odd", "odd")])
    rows = channels(stack, stack.validated_files(labelled(20), more))
    assert [row["file"] for row in rows] == ["a.csv"] * 40 + ["b.csv"], "also behind a row that was left out"
    assert "file" not in channels(stack, stack.validated_files(labelled(20)))[0]


def test_within_one_file_repeats_stay(stack: Stack) -> None:
    state = stack.validated_files(labelled(20, copies=2))
    assert state["validation"]["train"]["rejected"] == 0
    assert len(channels(stack, state)) == 80


def test_a_category_whose_rows_a_later_file_takes_away_is_gone(stack: Stack) -> None:
    old = labelled(20) + "it squeals,braeks\r\nit screeches,braeks\r\n"
    new = csv_text(["text", "label"], [("it squeals", "brakes")])
    state = stack.validated_files(old, new)
    assert state["validation"]["train"]["classes"] == 2
    assert ("43", "the only usable row of its category: 'braeks' may be misspelled (a.csv)") in rejected(
        stack, state
    )


def test_a_rejected_row_names_its_file(stack: Stack) -> None:
    state = stack.validated_files(labelled(20), "text,label\n,engine\nnoise,engine\n")
    assert rejected(stack, state) == [("2", "no text (b.csv)")]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("text,label\n", "b.csv has a header and no rows"),
        (
            "text,label\n,a\n",
            r"b.csv: none of its 1 row can be used \(1 row: no text\). The first is on line 2",
        ),
        ("text,number\nx,1\n", "b.csv: no column holds the category"),
        ('text,label\n"x,a\n', "b.csv, line 2: the cell whose quote opens here is never closed"),
    ],
)
def test_an_error_names_the_file_that_it_is_in(stack: Stack, second: str, said: str) -> None:
    with pytest.raises(InvalidData, match=said):
        stack.validated_files(labelled(20), second)


def test_an_error_of_all_files_together_names_all(stack: Stack) -> None:
    one, other = (csv_text(["text", "label"], [(f"{name} {n}", "a") for n in range(4)]) for name in "xy")
    with pytest.raises(InvalidData, match=r"a.csv \+ b.csv: every usable row has the category 'a'"):
        stack.validated_files(one, other)


def test_a_guessed_column_is_told_with_its_file(stack: Stack) -> None:
    guessed = csv_text(["claim description", "category"], [("noise", "engine")])
    warnings = stack.validated_files(labelled(20), guessed)["validation"]["train"]["warnings"]
    assert any(each.startswith("b.csv: The text was taken from the column") for each in warnings)


def test_the_message_says_that_there_were_more_files(stack: Stack) -> None:
    state = stack.validated_files(labelled(20), csv_text(["text", "label"], [("noise", "engine")]))
    state["training"] = stack.trained(state)
    message = evaluate(state, None)["message"]
    assert "A model was trained from s3://uploads-bucket/train/a.csv and 1 more file." in message
    notes = stack.json(f"s3://{ARTIFACTS}/runs/{state['run']['id']}/validation/notes.json")
    assert notes["file"] == "s3://uploads-bucket/train/a.csv and 1 more file", "the report shows it"


def test_doing_it_again_writes_the_same_objects(stack: Stack) -> None:
    state = stack.validated_files(labelled(20), csv_text(["text", "label"], [("noise", "engine")]))
    before = stack.everything()
    assert stack.validate(state) == state["validation"]
    assert stack.everything() == before


@pytest.mark.parametrize(("mask", "text"), [(True, "mail [email]"), (False, "mail eva@example.org")])
def test_personal_data_is_masked_before_it_is_stored_for_training_if_that_is_asked_for(
    stack: Stack, mask: bool, text: str
) -> None:
    state = stack.validated_files(labelled(20) + "mail eva@example.org,engine\r\n", mask=mask)
    assert channels(stack, state)[40]["text"] == text
