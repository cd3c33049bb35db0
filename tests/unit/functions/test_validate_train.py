"""validate: what becomes of a labelled file, and what is said about one that cannot be used."""

import gzip
import json
from typing import Any

import pytest

from contract.errors import InvalidData
from contract.queue import NONE_OF_THESE
from tests.unit.functions.stack import ARTIFACTS, RESULTS, Stack, csv_text, labelled


def refused(stack: Stack, content: str | bytes, config: dict[str, object] | None = None) -> str:
    with pytest.raises(InvalidData) as error:
        stack.validated("train", content, config)
    return str(error.value)


def sides(stack: Stack, state: dict[str, object]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    run = state["run"]["id"]
    train, validation = (
        stack.table(f"s3://{ARTIFACTS}/runs/{run}/{side}/part-00000.csv") for side in ("train", "validation")
    )
    return train, validation


def test_every_usable_row_is_on_exactly_one_side(stack: Stack) -> None:
    state = stack.validated("train", labelled(100))
    train, validation = sides(stack, state)
    assert sorted(int(row["row"]) for row in train + validation) == list(range(200))
    assert 5 <= len(validation) <= 40
    counts = state["validation"]["train"]
    assert (counts["rows"], counts["rejected"], counts["classes"]) == (200, 0, 2)
    assert (counts["train_rows"], counts["validation_rows"]) == (len(train), len(validation))


def test_texts_with_commas_quotes_and_line_ends_arrive_unchanged(stack: Stack) -> None:
    texts = [f'{n}: a, "b"\r\nc\rd\ne' for n in range(20)]
    state = stack.validated(
        "train", csv_text(["text", "label"], [(text, n % 2) for n, text in enumerate(texts)])
    )
    train, validation = sides(stack, state)
    assert {int(row["row"]): row["text"] for row in train + validation} == dict(enumerate(texts))


def test_a_text_is_on_the_same_side_in_every_run(stack: Stack) -> None:
    few, many = labelled(60), labelled(300)
    before = {row["text"] for row in sides(stack, stack.validated("train", few))[1]}
    train, validation = sides(stack, stack.validated("train", many, {"seed": 7}))
    assert before <= {row["text"] for row in validation}
    assert not before & {row["text"] for row in train}


def test_texts_that_differ_in_case_and_blanks_are_on_one_side(stack: Stack) -> None:
    rows = [(form, n % 2) for n in range(60) for form in (f"Brake {n}", f" brake  {n} ", f"\uff22rake {n}")]
    train, validation = sides(stack, stack.validated("train", csv_text(["text", "label"], rows)))
    assert not {row["text"].split()[-1] for row in train} & {row["text"].split()[-1] for row in validation}


def test_every_class_trains_and_something_judges(stack: Stack) -> None:
    for pairs in (2, 3, 5):
        train, validation = sides(stack, stack.validated("train", labelled(pairs)))
        assert {row["label"] for row in train} == {"brakes", "engine"}
        assert validation


def test_the_channels_are_those_of_sagemaker(stack: Stack) -> None:
    state = stack.validated("train", labelled(20))
    channels = state["validation"]["train"]["channels"]
    prefix = f"s3://{ARTIFACTS}/runs/{state['run']['id']}"
    assert [(one["ChannelName"], one["DataSource"]["S3DataSource"]["S3Uri"]) for one in channels] == [
        ("train", f"{prefix}/train/"),
        ("validation", f"{prefix}/validation/"),
    ]


def test_the_live_model_is_a_channel_too(stack: Stack) -> None:
    live = stack.live()
    channels = stack.validated("train", labelled(21))["validation"]["train"]["channels"]
    assert channels[2]["ChannelName"] == "champion"
    prefix = channels[2]["DataSource"]["S3DataSource"]["S3Uri"]
    assert live["training"]["model_uri"] == prefix + "model.tar.gz"


def test_so_are_the_rows_that_judged_it(stack: Stack) -> None:
    live = stack.live()
    run = live["run"]["id"]

    def names(content: str) -> dict[str, str]:
        made = stack.validated("train", content)["validation"]["train"]["channels"]
        return {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in made}

    assert names(labelled(21))["champion_validation"] == f"s3://{ARTIFACTS}/runs/{run}/validation/"
    for key in [key for key in stack.keys(ARTIFACTS) if key.startswith(f"runs/{run}/validation/")]:
        stack.s3.delete_object(Bucket=ARTIFACTS, Key=key)
    assert "champion_validation" not in names(labelled(21)), "a channel without a file fails the training"
    stack.s3.delete_object(Bucket=ARTIFACTS, Key=live["evaluation"]["card"].split("/", 3)[3])
    assert set(names(labelled(21))) == {"train", "validation", "champion"}


def test_a_row_that_a_person_gave_to_none_of_the_categories_is_not_learned(stack: Stack) -> None:
    state = stack.validated("train", labelled(20) + f"a new kind,{NONE_OF_THESE}\n" * 2)
    rejected = stack.table(f"s3://{RESULTS}/{state['run']['name']}/claims.rejected.csv")
    assert {row["reason"] for row in rejected} == {"none of the categories, as a person said"}
    counts = state["validation"]["train"]
    assert (counts["rejected"], counts["classes"]) == (2, 2)


def test_bad_rows_are_rejected_with_line_and_reason(stack: Stack) -> None:
    bad = 'text,label\n,a\nfine,\n"two\nlines"\na,b,c\n"  \n ",a\n' + labelled(20).split("\n", 1)[1]
    state = stack.validated("train", bad)
    rejected = stack.table(f"s3://{RESULTS}/{state['run']['name']}/claims.rejected.csv")
    assert [(row["line"], row["reason"]) for row in rejected] == [
        ("2", "no text"),
        ("3", "no category"),
        ("4", "wrong number of cells: 1, the header has 2"),
        ("6", "wrong number of cells: 3, the header has 2"),
        ("7", "no text"),
    ]
    assert rejected[3]["raw"] == "a,b,c"
    counts = state["validation"]["train"]
    assert (counts["rows"], counts["rejected"]) == (45, 5)


def test_a_category_with_one_row_is_rejected_as_misspelled(stack: Stack) -> None:
    state = stack.validated("train", labelled(20) + "it squeaks,braeks\r\n,brakes\r\n")
    rejected = stack.table(f"s3://{RESULTS}/{state['run']['name']}/claims.rejected.csv")
    assert [(row["line"], row["reason"]) for row in rejected] == [
        ("43", "no text"),
        ("42", "the only usable row of its category: 'braeks' may be misspelled"),
    ]
    counts = state["validation"]["train"]
    assert (counts["rows"], counts["rejected"], counts["classes"]) == (42, 2, 2)
    assert "braeks" not in {row["label"] for side in sides(stack, state) for row in side}


def test_a_text_that_is_too_long_is_rejected(stack: Stack) -> None:
    state = stack.validated(
        "train", labelled(20) + "x" * 1_000_001 + ",brakes\r\n" + "y" * 1_000_000 + ",brakes\r\n"
    )
    (rejected,) = stack.table(f"s3://{RESULTS}/{state['run']['name']}/claims.rejected.csv")
    assert rejected["line"] == "42"
    assert rejected["reason"] == "text too long: 1,000,001 characters, at most 1,000,000"
    assert len(rejected["raw"]) == 2001


def test_what_is_rejected_cannot_run_as_a_formula(stack: Stack) -> None:
    state = stack.validated("train", labelled(20) + "\"=cmd|' /C calc'!A1\",x,y\r\n")
    (rejected,) = stack.table(f"s3://{RESULTS}/{state['run']['name']}/claims.rejected.csv")
    assert rejected["raw"].startswith("'=cmd")


def test_the_report_tells_columns_counts_duplicates_and_conflicts(stack: Stack) -> None:
    content = labelled(20) + "same,brakes\r\nSAME,engine\r\nonce,Brakes\r\ntwice,Brakes\r\n"
    state = stack.validated("train", content)
    report = stack.json(state["validation"]["report"])["train"]
    assert report["columns"]["text"] == {"index": 0, "name": "text", "found_by": "a common name"}
    assert sum(sum(sides.values()) for sides in report["categories"].values()) == 44
    assert report["duplicate_texts"] == 1
    assert report["texts_with_several_categories"] == 1
    assert report["text_characters"]["longest"] == len("the brakes failed in case 19")
    assert "These categories differ only in case or spaces: 'Brakes', 'brakes'." in report["warnings"]


def test_what_was_noticed_lies_with_the_rows_that_judge_and_in_the_state(stack: Stack) -> None:
    state = stack.validated("train", labelled(20) + "same,brakes\r\nSAME,engine\r\n,x\r\n")
    found = state["validation"]["train"]
    notes = stack.json(f"s3://{ARTIFACTS}/runs/{state['run']['id']}/validation/notes.json")
    assert notes == {
        "schema": 1,
        "file": state["run"]["data"]["uri"],
        "rows": 43,
        "rejected": 1,
        "warnings": found["warnings"],
    }
    assert found["warnings"] == stack.json(state["validation"]["report"])["train"]["warnings"]
    assert found["warnings"] == [
        "1 of 43 rows was left out, as the file of rejected rows tells: no text (1).",
        "1 text stands with more than one category.",
    ]
    assert found["columns"] == {"text_column": "text", "label_column": "category"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            0.4,
            [
                "accuracy_bar 0.4 in the configuration is below the stack's bar of 80.0%, which counts: a "
                "configuration can only raise it."
            ],
        ),
        (0.8, []),
        (0.9, []),
        (None, []),
    ],
)
def test_a_bar_below_the_stacks_is_told_as_it_does_not_count(
    stack: Stack, asked: float | None, told: list[str]
) -> None:
    state = stack.validated("train", labelled(20), {"accuracy_bar": asked})
    assert state["validation"]["train"]["warnings"] == told


def test_a_sheet_named_for_a_file_that_is_no_workbook_is_told(stack: Stack) -> None:
    said = "sheet 'May' in the configuration was not used: claims.csv is no workbook and has no sheets."
    assert stack.validated("train", labelled(20), {"sheet": "May"})["validation"]["train"]["warnings"] == [
        said
    ]
    stack.live()
    state = stack.validated("predict", "text\r\na noise\r\n", {"sheet": "May"})
    assert said in state["validation"]["predict"]["warnings"]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("BRAKES", "only in case or spaces"),
        ("bra\u00adkes", "cannot be seen"),
        ("bra\u200bkes", "cannot be seen"),
        ("br\u00e0kes", "accents"),
        ("bra kes", "blanks"),
        ("\uff42rakes", "cannot be seen"),
    ],
)
def test_categories_that_a_person_takes_for_one_are_told(stack: Stack, other: str, said: str) -> None:
    content = labelled(20) + f"once,{other}\r\ntwice,{other}\r\n"
    warning = stack.validated("train", content)["validation"]["train"]["warnings"][0]
    assert warning.startswith("These categories differ only in ")
    assert said in warning


@pytest.mark.parametrize(
    ("other", "shown"),
    [
        ("brakes\u200b", "'brakes', 'brakes<U+200B>'"),
        ("bra\u00adkes", "'brakes', 'bra<U+00AD>kes'"),
        ("BRAKES", "'BRAKES', 'brakes'"),
        ("br\u00e0kes", "'brakes', 'br\u00e0kes'"),
    ],
)
def test_categories_that_look_the_same_are_shown_with_what_cannot_be_seen(
    stack: Stack, other: str, shown: str
) -> None:
    content = labelled(20) + f"once,{other}\r\ntwice,{other}\r\n"
    warning = stack.validated("train", content)["validation"]["train"]["warnings"][0]
    assert warning.endswith(f": {shown}.")


def test_two_blanks_in_a_category_are_shown(stack: Stack) -> None:
    rows = [(f"it squeaks {n}", ("no power", "no  power", "leak")[n % 3]) for n in range(60)]
    state = stack.validated("train", csv_text(["text", "label"], rows))
    assert "'no <U+0020>power', 'no power'" in state["validation"]["train"]["warnings"][0]


def test_numbers_written_in_two_ways_are_told(stack: Stack) -> None:
    rows = [(f"it squeaks {n}", ("1", "1.0", "2")[n % 3]) for n in range(60)]
    warning = stack.validated("train", csv_text(["text", "label"], rows))["validation"]["train"]["warnings"][
        0
    ]
    assert warning == (
        "These categories differ only in case, blanks, accents, how a number is written, or characters that "
        "cannot be seen: '1', '1.0'."
    )


def test_a_column_that_was_guessed_among_several_is_told(stack: Stack) -> None:
    rows = [(f"it squeaks {n}", "fixed", "ab"[n % 2]) for n in range(40)]
    content = csv_text(["claim", "comments", "topic"], rows)
    (warning,) = stack.validated("train", content)["validation"]["train"]["warnings"]
    assert warning == (
        "The text was taken from the column 'claim', found by a common name; 'comments' could be it too. "
        "If it is another, set text_column in the configuration."
    )
    assert (
        stack.validated("train", content, {"text_column": "claim"})["validation"]["train"]["warnings"] == []
    )


def test_warnings_are_few_and_short(stack: Stack) -> None:
    names = [f"{'x' * 100} {n}" for n in range(40)]
    rows = [
        (f"{case} {k} {name}", case(name))
        for name in names
        for case in (str.upper, str.lower)
        for k in (1, 2)
    ]
    warnings = stack.validated("train", csv_text(["text", "label"], rows))["validation"]["train"]["warnings"]
    assert len(warnings) == 20
    assert warnings[-1].endswith("more warnings.")
    assert max(map(len, warnings)) <= 300


def test_doing_it_again_writes_the_same_objects(stack: Stack) -> None:
    state = stack.validated("train", labelled(50) + ",x\r\n")
    before = stack.everything()
    assert stack.validate(state) == state["validation"]
    assert stack.everything() == before


def test_the_pinned_version_is_read_even_when_a_newer_one_is_there(stack: Stack) -> None:
    state = stack.validated("train", labelled(20))
    stack.upload("train/claims.csv", "not,a,labelled\nfile\n")
    assert stack.validate(state) == state["validation"]


def test_a_file_that_is_gone_is_told(stack: Stack) -> None:
    state = stack.validated("train", labelled(20))
    data = state["run"]["data"]
    stack.s3.delete_object(Bucket=data["bucket"], Key=data["key"], VersionId=data["version"])
    with pytest.raises(InvalidData, match="gone since the run began"):
        stack.validate(state)


def test_a_gzipped_file_whose_name_does_not_say_so_is_read(stack: Stack) -> None:
    assert stack.validated("train", gzip.compress(labelled(20).encode()))["validation"]["train"]["rows"] == 40


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text,label\n", "has a header and no rows"),
        ("text,label\n,a\n,b\nx\n",
         "none of its 3 rows can be used (2 rows: no text, 1 row: wrong number of cells)"),
        ("text,label\na,x\nb,x\n", "every usable row has the category 'x'"),
        ("text,label\na,x\nb,x\nc,y\n", "every usable row has the category 'x'"),
        ("text,label\na,x\nb,y\nc,z\n", "each of its 3 usable rows has a category of its own"),
        ("text,label\na,x\nA,x\na,y\na,y\n", "only 1 different text"),
        ("text,label\na,x\na,x\nb,y\nb,y\n", "only 2 different texts"),
        ("words,label\na,x\n",
         "no column holds the text: the header has 'words', 'label', and looked for was one of"),
        ("text,words\na,x\n", "no column holds the category: the header has 'text', 'words'"),
        ("text,label\n\"a,x\n", "line 2: the cell whose quote opens here is never closed"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(stack: Stack, content: str, said: str) -> None:
    sentence = refused(stack, content)
    assert said in sentence
    assert sentence.startswith("claims.csv")


def test_columns_that_the_configuration_names_must_be_there(stack: Stack) -> None:
    said = refused(stack, labelled(3), {"text_column": "notes"})
    assert "looked for was 'notes', as text_column in the configuration says" in said
    assert said.endswith(" says. Correct text_column in the configuration.")


@pytest.mark.parametrize(("config", "verb"), [({}, "Set"), ({"label_column": "category"}, "Correct")])
def test_a_label_column_that_is_set_already_is_to_be_corrected(
    stack: Stack, config: dict[str, str], verb: str
) -> None:
    content = csv_text(["text", "category"], [(f"t{n}", f"c{n}") for n in range(9)])
    assert f"{verb} label_column in the configuration to" in refused(stack, content, config)


def test_one_column_cannot_be_both(stack: Stack) -> None:
    said = refused(stack, labelled(3), {"text_column": "category", "label_column": "category"})
    assert "cannot be both the text and the category" in said


def test_a_floor_for_a_category_that_no_row_has_is_refused_before_the_training(stack: Stack) -> None:
    said = refused(stack, labelled(3), {"recall_floor": 0.5, "recall_floor_categories": ["engine", "fire"]})
    assert (
        "recall_floor_categories in the configuration names 'fire', but the usable rows have the categories "
        "'brakes', 'engine'. Correct the one or the other."
    ) in said


def test_n_classes_must_agree_with_the_file(stack: Stack) -> None:
    said = refused(stack, labelled(3), {"n_classes": 5})
    assert (
        "n_classes in the configuration is 5, but the usable rows have 2 categories: 'brakes', 'engine'"
        in said
    )
    assert stack.validated("train", labelled(3), {"n_classes": 2})["validation"]["train"]["classes"] == 2


def test_a_column_of_free_text_is_not_taken_for_categories(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("validate.training.CLASS_LIMIT", 10)
    rows = [(f"t{n}", f"c{n}") for n in range(12)]
    assert "the column 'label' has more than 10 different values" in refused(
        stack, csv_text(["text", "label"], rows)
    )


def test_the_state_stays_small(stack: Stack) -> None:
    rows = [(f"text {n}", f"category {n % 1000} " + "x" * 180) for n in range(4000)]
    state = stack.validated("train", csv_text(["text", "label"], rows))
    assert len(json.dumps(state["validation"])) < 5000


def test_when_no_row_is_usable_the_first_one_is_shown(stack: Stack) -> None:
    said = refused(stack, "text,label\n\na,x,y\n,b\n")
    assert "The first is on line 3 (wrong number of cells: 3, the header has 2): correct it" in said


@pytest.mark.parametrize(("length", "rejected"), [(200, 0), (201, 2)])
def test_a_category_of_more_than_200_characters_is_rejected(stack: Stack, length: int, rejected: int) -> None:
    content = labelled(20) + csv_text([], [(f"text {n}", f" {'x' * length} ") for n in range(2)])
    state = stack.validated("train", content)
    assert state["validation"]["train"]["rejected"] == rejected
    rejected = stack.table(f"s3://{RESULTS}/{state['run']['name']}/claims.rejected.csv")
    reasons = {row["reason"] for row in rejected}
    assert reasons == ({"category too long: 201 characters, at most 200"} if rejected else set())


def with_categories(*categories: str) -> str:
    rows = [(f"text {number} of {category}", category) for category in categories for number in range(20)]
    return csv_text(["text", "label"], rows)


def warned(stack: Stack, config: dict[str, Any], *categories: str) -> list[str]:
    found: list[str] = stack.validated("train", with_categories(*categories), config)["validation"]["train"][
        "warnings"
    ]
    return found


def test_a_separator_of_levels_that_no_category_has_is_told(stack: Stack) -> None:
    assert warned(stack, {"hierarchy_separator": " / "}, "A > B", "A > C") == [
        "hierarchy_separator ' / ' in the configuration stands in no category, so they have one level."
    ]
    assert warned(stack, {"hierarchy_separator": " > "}, "A > B", "A > C") == []


def test_a_separator_that_makes_too_many_levels_is_refused_before_the_training(stack: Stack) -> None:
    with pytest.raises(InvalidData, match="cuts the category 'A-B-C-D-E-F-G' into 7 levels, and at most 6"):
        stack.validated("train", with_categories("A-B-C-D-E-F-G", "H"), {"hierarchy_separator": "-"})


@pytest.mark.parametrize(
    ("categories", "told"),
    [
        (("leak", "noise", "leak; noise", "noise; smell", "smell"), True),
        (("leak|noise", "noise|leak"), True),
        (("leak, noise", "noise, smell", "smell, leak"), True),
        (("pipes, hoses and seals", "doors, windows", "noise"), False),
        (("leak", "noise", "leak; noise"), False),
        (("north, bolt", "north, nut", "south, screw", "south, nail", "south, pin"), False),
    ],
)
def test_a_file_that_looks_as_if_rows_had_several_categories_is_told_so(
    stack: Stack, categories: tuple[str, ...], told: bool
) -> None:
    found = warned(stack, {}, *categories)
    assert [each.startswith("Some cells seem to hold several categories") for each in found] == [True] * told
