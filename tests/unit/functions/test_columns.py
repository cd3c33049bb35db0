"""Which columns of a file are taken, and what is said about it."""

import io
from typing import Any

import pytest

from contract.errors import InvalidData
from contract.state import ColumnNames
from shared.table import Table
from tests.unit.functions.stack import Stack, csv_text
from validate.columns import Columns, choose


def chosen(
    header: str,
    learned: ColumnNames | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
) -> Columns:
    table = Table(io.BytesIO(f"{header}\n".encode()), "claims.csv")
    wanted: ColumnNames = {"text_column": text_column, "label_column": label_column}
    return choose(table, wanted, labelled=False, learned=learned)


def names(columns: Columns) -> tuple[str, str | None]:
    return columns.text.name, columns.label.name if columns.label else None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("id,Text,Label", ("Text", "Label")),
        ("Nr,Beschreibung,Kategorie", ("Beschreibung", "Kategorie")),
        ("no,Réclamation,Catégorie", ("Réclamation", "Catégorie")),
        ("no,Re\u0301clamation,cate\u0301gorie", ("Re\u0301clamation", "cate\u0301gorie")),
        ("num,Descripción,Categoría", ("Descripción", "Categoría")),
        ("num,Texto,Etiqueta", ("Texto", "Etiqueta")),
        ("\u200btext\u00a0,ＬＡＢＥＬ", ("\u200btext\u00a0", "ＬＡＢＥＬ")),
        ("claim_description_text,claim_category", ("claim_description_text", "claim_category")),
        ("Beschwerdetext,Schadenskategorie", ("Beschwerdetext", "Schadenskategorie")),
        ("text_id,text,comment_date,label_source", ("text", None)),
        ("fields.text,responses.label", ("fields.text", "responses.label")),
        ("text,id,sentiment,annotator,annotation_id,created_at,updated_at,lead_time", ("text", "sentiment")),
    ],
)
def test_a_column_is_found_by_its_name_in_four_languages_or_by_a_part_of_it(
    header: str, found: tuple[str, str | None]
) -> None:
    assert names(chosen(header)) == found


def test_the_common_name_goes_before_a_part_of_a_name() -> None:
    found = chosen("long_description,description")
    assert (found.text.name, found.text.found_by) == ("description", "a common name")
    assert chosen("long_description").text.found_by == "part of its name"


def test_two_columns_with_such_a_part_are_not_guessed_between() -> None:
    with pytest.raises(InvalidData, match="no column holds the text"):
        chosen("first_description,second_description")


@pytest.mark.parametrize("wanted", ["Prüftext", "prüftext", "Pru\u0308ftext", " PRÜFTEXT\u200b"])
def test_the_configuration_may_name_a_column_in_another_form(wanted: str) -> None:
    assert chosen("text,Prüftext", text_column=wanted).text.name == "Prüftext"


def test_a_column_that_is_used_may_not_be_there_twice_and_another_may() -> None:
    assert names(chosen("text,note,note")) == ("text", None)
    with pytest.raises(InvalidData, match="line 1: the header names 'Text' more than once, and the text is"):
        chosen("Text,note,text ")


def test_the_sentence_about_the_category_names_the_column_that_was_taken_for_the_text(stack: Stack) -> None:
    with pytest.raises(InvalidData, match=r"no column holds the category.* 'claim' was taken for the text"):
        stack.validated("train", "id,claim,words\n1,a,b\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("brakes,the left pump failed again\n", "as in files for Amazon Comprehend, and not like the names"),
        ("brakes,the left pump failed again\n", "put a line with their names above it, such as label,text;"),
        ("1,2024-01-31,brakes,it failed\n", "looks like a row, and not like the names of the columns ('1',"),
        ("__label__brakes the pump failed\n", "fastText's format"),
        ("feedback," + "the pump failed again " * 6 + "\n", "the first line looks like a row"),
    ],
)
@pytest.mark.parametrize("learned", [None, {"text_column": "narrative", "label_column": "part"}])
def test_a_file_without_a_header_is_told_what_to_put_above_it(
    content: str, said: str, learned: dict[str, str | None] | None
) -> None:
    with pytest.raises(InvalidData) as error:
        chosen(content, learned)
    assert f"claims.csv, line 1: {'this' if 'fast' in said else 'the first line looks like a row'}" in str(
        error.value
    )
    assert said in str(error.value)


def trained_on(stack: Stack, text: str, label: str) -> None:
    rows = [(f"the {part} failed in case {n}", part) for n in range(20) for part in ("brakes", "engine")]
    config = {"text_column": text, "label_column": label}
    stack.made_live(stack.validated("train", csv_text([text, label], rows), config))


def predicted(stack: Stack, content: str, config: dict[str, Any] | None = None) -> tuple[Any, Any]:
    found = stack.validated("predict", content, config)["validation"]["predict"]
    return stack.json(found["manifest"]), found["warnings"]


def test_a_prediction_takes_the_columns_that_the_model_learned_from(stack: Stack) -> None:
    trained_on(stack, "narrative of it", "outcome")
    manifest, warnings = predicted(stack, "text,Narrative of it,label,outcome\nx,the claim,y,Engine\n")
    assert (manifest["text_column"], manifest["label_column"]) == ("Narrative of it", "outcome")
    assert warnings == []


def test_the_configuration_goes_before_the_model(stack: Stack) -> None:
    trained_on(stack, "narrative of it", "outcome")
    manifest, _ = predicted(stack, "text,narrative of it\nx,y\n", {"text_column": "text"})
    assert manifest["text_column"] == "text"


def test_another_column_in_place_of_the_models_is_a_warning(stack: Stack) -> None:
    trained_on(stack, "narrative of it", "outcome")
    manifest, warnings = predicted(stack, "description,label\nx,engine\n")
    assert (manifest["text_column"], manifest["label_column"]) == ("description", "label")
    assert warnings == [
        "The model learned from the column 'narrative of it', which this file does not have: the text "
        "was taken from 'description', found by a common name.",
        "The model learned from the column 'outcome', which this file does not have: the category "
        "was taken from 'label', found by a common name.",
    ]


def test_two_columns_that_could_stand_in_for_the_models_are_refused(stack: Stack) -> None:
    trained_on(stack, "narrative of it", "outcome")
    with pytest.raises(InvalidData, match="and 'text', 'comment' could each stand in for it: set text_"):
        predicted(stack, "text,comment\nx,y\n")
    with pytest.raises(InvalidData, match="'narrative of it', from which the model learned, or one of text,"):
        predicted(stack, "words\nx\n")


def test_a_column_without_any_of_the_models_categories_is_no_label_column(stack: Stack) -> None:
    stack.live()
    manifest, warnings = predicted(stack, "text,category\nx,open\ny,closed\nz,\n")
    assert manifest["label_column"] is None
    assert warnings == [
        "The column 'category' was not taken for the category: none of its values is a category of the "
        "model, which knows 'brakes', 'engine'."
    ]


def test_categories_in_another_form_are_the_models_and_others_are_told(stack: Stack) -> None:
    stack.live()
    manifest, warnings = predicted(stack, "text,category\nx,BRAKES \ny,en\u00adgine\nz,gearbox\nw,\u200b\n")
    assert manifest["label_column"] == "category"
    assert warnings == ["1 of 3 given categories in 'category' is none that the model knows: 'gearbox'."]


def test_a_file_that_waits_for_the_new_model_takes_the_columns_of_its_training(stack: Stack) -> None:
    rows = [(f"the {part} failed in case {n}", part) for n in range(20) for part in ("brakes", "engine")]
    request = {
        "action": "train",
        "data": stack.upload("train/a.csv", csv_text(["story of it", "outcome"], rows)),
        "predict": stack.upload("requests/b.csv", "text,story of it,outcome\nx,y,brakes\n"),
        "config": {"text_column": "story of it", "label_column": "outcome"},
    }
    manifest = stack.json(stack.validate({"run": stack.prepare(request)})["predict"]["manifest"])
    assert (manifest["text_column"], manifest["label_column"]) == ("story of it", "outcome")


def test_a_model_without_a_card_tells_nothing(stack: Stack) -> None:
    stack.live()
    uri = stack.upload("predict/claims.csv", "text,category\nx,open\n")
    run = stack.prepare({"action": "predict", "data": uri})
    run["live_model"]["card"] = None
    manifest = stack.json(stack.validate({"run": run})["predict"]["manifest"])
    assert manifest["label_column"] == "category"


def test_a_card_that_is_gone_is_told(stack: Stack) -> None:
    stack.live()
    uri = stack.upload("predict/claims.csv", "text,category\nx,open\n")
    run = stack.prepare({"action": "predict", "data": uri})
    run["live_model"]["card"] = run["live_model"]["card"].replace("/card.json", "-gone/card.json")
    warnings = stack.validate({"run": run})["predict"]["warnings"]
    assert "What the model learned from is not known, as its card cannot be read" in warnings[0]
