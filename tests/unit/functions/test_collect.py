"""collect: one result for people out of the parts."""

import csv
import hashlib
import io
import json
import threading
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import openpyxl
import pytest
from botocore.exceptions import ClientError

from collect.parts import Parts
from collect.results import Output
from contract import keys
from contract.errors import ObjectDenied, PredictionFailed
from contract.part import levels
from contract.plain import plain
from shared import storage
from shared.aws import CONNECTIONS
from shared.parts import read_manifest
from tests.unit.functions.enforcement import answered
from tests.unit.functions.stack import RESULTS, UPLOADS, Stack, csv_text, facts_of, labelled


@pytest.fixture
def live(stack: Stack) -> Stack:
    stack.live()
    return stack


def doubtful(text: str) -> tuple[str, str, str, str]:
    doubt = "low confidence" if "unsure" in text else "unlike the training texts" if "odd" in text else ""
    return ("engine" if "engine" in text else "brakes"), "0.7512", "wheels", doubt


def predicted(stack: Stack, content: str | bytes, config: dict[str, Any] | None = None) -> dict[str, Any]:
    state = stack.validated("predict", content, config)
    state["model"] = stack.predicted(state, doubtful)
    return state


CLAIMS = """id,text,label
1,brake squeals,brakes
2,engine knocks,brakes
3,,brakes
4,unsure engine,engine
5,odd one,
"""


def test_the_results_are_the_input_and_what_became_of_each_row(live: Stack) -> None:
    found = live.collect(predicted(live, CLAIMS))
    rows = [list(row.values()) for row in live.table(found["results"])]
    assert rows == [
        ["1", "brake squeals", "brakes", "brakes", "0.7512", "wheels", "false", "true", "1", ""],
        ["2", "engine knocks", "brakes", "engine", "0.7512", "wheels", "true", "false", "1", ""],
        ["3", "", "brakes", "", "", "", "", "", "", "no text"],
        ["4", "unsure engine", "engine", "engine", "0.7512", "wheels", "true", "true", "1", ""],
        ["5", "odd one", "", "brakes", "0.7512", "wheels", "true", "", "1", ""],
    ]


def test_the_manifest_names_who_started_the_run_and_what_approved_the_model(live: Stack) -> None:
    state = predicted(live, CLAIMS)
    state["run"]["started_by"] = "ana"
    manifest = live.json(live.collect(state)["manifest"])
    assert manifest["started_by"] == "ana"
    assert manifest["model"]["approval"].startswith("Approved by the gate, in the run train-")


def test_the_header_is_the_inputs_and_the_added_columns(live: Stack) -> None:
    found = live.collect(predicted(live, CLAIMS))
    header = live.read(found["results"]).decode().splitlines()[0]
    assert header == "id,text,label,prediction,confidence,runner_up,needs_review,agrees,model_version,error"
    unlabelled = live.collect(predicted(live, "text\nx\n"))
    assert live.read(unlabelled["results"]).decode().splitlines()[0] == (
        "text,prediction,confidence,runner_up,needs_review,model_version,error"
    )


def explained(text: str) -> tuple[str, ...]:
    return (*doubtful(text), "=engine (+2.1), brake (-0.9)" if "engine" in text else "")


def collected(stack: Stack, content: str) -> dict[str, Any]:
    """Return what collect gives for a file whose predictions are explained."""
    state = stack.validated("predict", content, {"explain": True})
    state["model"] = stack.predicted(state, explained)
    return stack.collect(state)


def test_what_decided_a_row_stands_after_the_categories_when_it_was_asked_for(live: Stack) -> None:
    found = collected(live, CLAIMS)
    header = live.read(found["results"]).decode().splitlines()[0]
    assert (
        header
        == "id,text,label,prediction,confidence,runner_up,because,needs_review,agrees,model_version,error"
    )
    rows = [list(row.values())[3:] for row in live.table(found["results"])]
    assert rows == [
        ["brakes", "0.7512", "wheels", "", "false", "true", "1", ""],
        ["engine", "0.7512", "wheels", "'=engine (+2.1), brake (-0.9)", "true", "false", "1", ""],
        ["", "", "", "", "", "", "", "no text"],
        ["engine", "0.7512", "wheels", "'=engine (+2.1), brake (-0.9)", "true", "true", "1", ""],
        ["brakes", "0.7512", "wheels", "", "true", "", "1", ""],
    ]
    review = live.table(found["review"])
    assert [row["because"] for row in review] == ["'=engine (+2.1), brake (-0.9)"] * 2 + [""]
    assert list(review[0])[-1] == "reason"


def test_an_input_with_a_column_because_keeps_it(live: Stack) -> None:
    (row,) = live.table(collected(live, "text,Because\nengine,mine\n")["results"])
    assert (row["Because"], row["claimflow_because"]) == ("mine", "'=engine (+2.1), brake (-0.9)")


def test_a_manifest_that_says_nothing_of_explanations_asks_for_none(live: Stack) -> None:
    state = predicted(live, "text\nx\n")
    uri = state["validation"]["predict"]["manifest"]
    manifest = live.json(uri)
    del manifest["explain"]
    live.write(uri, json.dumps(manifest).encode())
    assert "because" not in live.read(live.collect(state)["results"]).decode()


def test_a_manifest_that_is_damaged_ends_in_a_sentence(live: Stack) -> None:
    state = predicted(live, "text\nx\n")
    live.write(state["validation"]["predict"]["manifest"], b'{"schema": 1}')
    with pytest.raises(
        PredictionFailed, match=r"^s3://\S+/manifest.json is not a shard manifest: it has no run.$"
    ):
        live.collect(state)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [(False, r"doubt\S*, not row,.*,because"), (True, "because, not row,.*,doubt")],
)
def test_parts_with_other_columns_than_the_manifest_asks_for_are_refused(
    live: Stack, asked: bool, wanted: str
) -> None:
    state = live.validated("predict", "text\nx\n", {"explain": asked})
    state["model"] = live.predicted(state, explained if asked else doubtful)
    manifest = live.json(state["validation"]["predict"]["manifest"])
    other = manifest | {"explain": not asked}
    uri, shard = f"{manifest['output']}/part-00000.csv", manifest["shards"][0]
    part = live.read(uri)
    live.write(uri, part, facts_of(live, other, shard, state["model"]["model_uri"], part))
    live.write(state["validation"]["predict"]["manifest"], json.dumps(other).encode())
    with pytest.raises(PredictionFailed, match=f"its columns are row,.*,{wanted}"):
        live.collect(state)


def test_the_review_file_has_the_rows_for_people_with_the_reason(live: Stack) -> None:
    found = live.collect(predicted(live, CLAIMS))
    assert [(row["id"], row["reason"]) for row in live.table(found["review"])] == [
        ("2", "the given category disagrees: brakes"),
        ("4", "low confidence"),
        ("5", "unlike the training texts"),
    ]


def test_the_figures_add_up(live: Stack) -> None:
    found = live.collect(predicted(live, CLAIMS))
    figures = {key: found[key] for key in ("rows", "predicted", "rejected", "accepted", "review_rows")}
    assert figures == {"rows": 5, "predicted": 4, "rejected": 1, "accepted": 1, "review_rows": 3}
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert "accuracy" not in live.collect(predicted(live, "text\nx\n"))


def test_the_manifest_is_written_last_and_names_every_file(live: Stack) -> None:
    state = predicted(live, CLAIMS)
    written: list[str] = []

    def record(params: dict[str, Any], **_: object) -> None:
        written.append(params["url_path"].rsplit("/", 1)[-1])

    live.s3.meta.events.register("before-call.s3.PutObject", record)
    found = live.collect(state)
    live.s3.meta.events.unregister("before-call.s3.PutObject", record)
    assert written == [
        *("claims.results.csv", "claims.review.csv", "rows.jsonl", "index.json"),
        *("report.html", "manifest.json"),
    ]
    manifest = live.json(found["manifest"])
    assert set(manifest["files"]) == {"results", "review", "queue", "report", "rejected"}
    assert all(live.read(uri) for uri in manifest["files"].values())


def test_doing_it_again_writes_the_same_objects(live: Stack) -> None:
    state = predicted(live, CLAIMS)
    first, before = live.collect(state), live.everything()
    assert live.collect(state) == first
    assert live.everything() == before


def test_rows_of_another_width_keep_their_place(live: Stack) -> None:
    found = live.collect(predicted(live, "id,text\n1,a\n2\n3,c,x\n4,d\n"))
    rows = live.table(found["results"])
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[1]["error"] == "wrong number of cells: 1, the header has 2"
    assert None not in rows[2]


def test_columns_that_the_input_has_already_do_not_get_mixed_up(live: Stack) -> None:
    found = live.collect(predicted(live, "text,Prediction,error\nx,mine,E7\n"))
    (row,) = live.table(found["results"])
    assert (row["Prediction"], row["error"]) == ("mine", "E7")
    assert (row["claimflow_prediction"], row["claimflow_error"]) == ("brakes", "")


def test_cells_that_would_run_as_formulas_are_made_harmless(live: Stack) -> None:
    content = csv_text(["=id", "text"], [("=1+1", "@SUM(A1)"), ("-3", "+49 30 1234"), ("-2+3", "\tx")])
    state = predicted(live, content)
    rows = live.read(live.collect(state)["results"]).decode().splitlines()
    assert rows[0].startswith("'=id,text")
    assert rows[1].startswith("'=1+1,'@SUM(A1)")
    assert rows[2].startswith("-3,'+49 30 1234")
    assert rows[3].startswith("'-2+3,'\tx")


def test_a_byte_order_mark_comes_back(live: Stack) -> None:
    found = live.collect(predicted(live, b"\xef\xbb\xbftext\nGr\xc3\xb6\xc3\x9fe\n"))
    assert live.read(found["results"]).startswith(b"\xef\xbb\xbftext,")
    assert live.read(found["review"]).startswith(b"\xef\xbb\xbftext,")


def collected_as(stack: Stack, name: str, content: bytes, config: dict[str, Any]) -> dict[str, Any]:
    state = stack.validated("predict", content, config, name=name)
    state["model"] = stack.predicted(state, doubtful)
    return {
        **stack.collect(state),
        "rejected": stack.json(state["validation"]["predict"]["manifest"])["rejected_uri"],
    }


@pytest.mark.parametrize(
    ("name", "delimiter", "encoding", "written"),
    [
        ("claims.csv", ";", "utf-8", "claims.{}.csv"),
        ("claims.csv.gz", "|", "utf-8-sig", "claims.{}.csv"),
        ("Schäden.tsv", "\t", "windows-1252", "Schäden.{}.tsv"),
        ("claims.txt", "\t", "utf-16", "claims.{}.txt"),
        ("claims.csv", ",", "windows-1252", "claims.{}.csv"),
    ],
)
def test_all_files_come_in_the_form_of_the_input(
    live: Stack, name: str, delimiter: str, encoding: str, written: str
) -> None:
    lines = ["id,text,label", "1,Grüße unsure,brakes", "2,fine,brakes", "3,,brakes"]
    content = "\r\n".join(line.replace(",", delimiter) for line in lines).encode(encoding)
    found = collected_as(live, name, content, {})
    for kind in ("results", "review", "rejected"):
        assert found[kind].endswith(written.format(kind))
        body = live.read(found[kind])
        assert body.startswith(b"\xef\xbb\xbf") == (encoding != "utf-8")
        lines = io.StringIO(body.decode(), newline="")
        widths = {len(row) for row in csv.reader(lines, delimiter=delimiter, strict=True)}
        assert len(widths) == 1
        assert widths.pop() >= 3


@pytest.mark.parametrize("content", [b"text;label\nx;=1\n", b"\xef\xbb\xbftext,label\nx,=1\n"])
def test_csv_that_excel_opens_can_be_asked_for(live: Stack, content: bytes) -> None:
    found = collected_as(live, "claims.csv", content, {"output": "csv"})
    assert live.read(found["results"]).startswith("\ufefftext,label,prediction".encode())
    assert live.read(found["rejected"]).startswith("\ufeffline,reason,raw".encode())


def sheet(stack: Stack, uri: str) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(stack.read(uri)), read_only=True)
    return [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]


def test_a_workbook_can_be_asked_for_and_none_of_its_cells_is_a_formula(live: Stack) -> None:
    rows = [("=1+1", "unsure"), ("-3", " two\r\nlines "), ("'=x", "<&>")]
    content = csv_text(["=id", "text"], [*rows, ("4", "")])
    found = collected_as(live, "claims.csv", content.encode(), {"output": "xlsx"})
    assert found["results"].endswith("/claims.results.xlsx")
    header, *written = sheet(live, found["results"])
    assert header[:3] == ["=id", "text", "prediction"]
    assert [tuple(row[:2]) for row in written[:3]] == rows
    assert sheet(live, found["review"])[1][:2] == ["=1+1", "unsure"]
    book = openpyxl.load_workbook(io.BytesIO(live.read(found["results"])))
    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row[:2] if cell.value} == {
        "s"
    }
    assert [cell.value for cell in book.worksheets[0]["D"]] == ["confidence", 0.7512, 0.7512, 0.7512, None]


def test_a_workbook_comes_back_as_one_with_its_numbers_as_numbers(live: Stack) -> None:
    book = openpyxl.Workbook()
    rows = [["claim", "text", "code", "cost"], [17, "unsure", "007", 12.5], [18, "=1+1", "12", -3]]
    for row in rows[:2]:
        book.active.append(row)
    book.active.append([18, "x", "12", -3])
    cell = book.active["B3"]
    cell.value, cell.data_type = "=1+1", "s"
    packed = io.BytesIO()
    book.save(packed)
    found = collected_as(live, "claims.xlsx", packed.getvalue(), {})
    assert [row[:4] for row in sheet(live, found["results"])] == rows


def test_what_no_sheet_holds_comes_as_csv_and_the_report_says_so(live: Stack) -> None:
    content = csv_text(["text"], [("x" * 40_000,), ("short",)])
    found = collected_as(live, "claims.csv", content.encode(), {"output": "xlsx"})
    assert found["results"].endswith("/claims.results.csv")
    said = "The results are CSV files, as a cell of an Excel sheet holds at most 32,767 characters."
    assert said in live.read(found["report"]).decode()
    assert said in found["message"]
    assert [len(row["text"]) for row in live.table(found["results"])] == [40_000, 5]


ADDED = ["prediction", "confidence", "runner_up", "needs_review", "model_version", "error"]


@pytest.mark.parametrize(
    "header",
    [
        ["text", *ADDED, "reason"],
        ["text", "PREDICTION", "claimflow_prediction", "Claimflow_Prediction_2"],
        ["text", "ｐｒｅｄｉｃｔｉｏｎ", "conf\xadidence", "claimflow_error", " error "],
        ["text", "note", "note", "note_2", "", "", "reason", "claimflow_reason"],
    ],
)
def test_no_column_name_stands_in_any_file_twice(live: Stack, header: list[str]) -> None:
    row = ["unsure", *map(str, range(1, len(header)))]
    content = csv_text(header, [row, ["", *row[1:]]])
    found = collected_as(live, "claims.csv", content.encode(), {})
    for kind in ("results", "review", "rejected"):
        (names, *_) = csv.reader(io.StringIO(live.read(found[kind]).decode(), newline=""))
        assert len(set(names)) == len(names)
        assert len({plain(name) for name in names if name.startswith("claimflow")}) == len(
            [name for name in names if name.startswith("claimflow")]
        )
    table = live.table(found["results"])
    assert list(table[0].values())[: len(header)] == row


def test_results_that_are_predicted_again_and_again_stay_readable(live: Stack) -> None:
    content = csv_text(["text", "=note"], [("unsure =x", "'=1"), ("fine", "=1")])
    for _ in range(3):
        content = live.read(collected(live, content)["results"]).decode()
    header, *rows = csv.reader(io.StringIO(content, newline=""))
    assert len(set(header)) == len(header) == 2 + 3 * 7
    assert header[:2] == ["text", "'=note"]
    assert header[2::7] == ["prediction", "claimflow_prediction", "claimflow_prediction_2"]
    assert [row[1] for row in rows] == ["''=1", "'=1"]


@pytest.mark.parametrize("given", ["brakes", "BRAKES ", "bra\xadkes", "ｂｒａｋｅｓ", "\ufeffbrakes"])
def test_a_given_category_that_only_looks_different_agrees(live: Stack, given: str) -> None:
    found = live.collect(predicted(live, csv_text(["text", "label"], [("fine", given)])))
    assert (found["accuracy"], found["review_rows"]) == (1.0, 0)
    assert live.table(found["results"])[0]["label"] == given


def test_another_category_of_the_model_is_never_taken_for_the_prediction(tmp_path: Path) -> None:
    output = Output(["text"], 0, categories=frozenset({"1.1", "1.10"}))
    assert output.agrees("01.1", "1.1")
    assert not output.agrees("1.10", "1.1")


def test_a_category_that_looks_like_a_formula_is_compared_as_it_is(stack: Stack) -> None:
    stack.live(labels=["=1", "-"])
    state = stack.validated("predict", csv_text(["text", "label"], [("a", "=1"), ("b", "-"), ("c", "'=1")]))
    state["model"] = stack.predicted(state, lambda text: ("-" if text == "b" else "=1", "0.9900", "-", ""))
    first = stack.collect(state)
    assert [row["agrees"] for row in stack.table(first["results"])] == ["true", "true", "false"]
    assert [row["prediction"] for row in stack.table(first["results"])] == ["'=1", "'-", "'=1"]
    again = stack.validated("predict", stack.read(first["results"]))
    again["model"] = state["model"]
    stack.predicted(again, lambda text: ("-" if text == "b" else "=1", "0.9900", "-", ""))
    assert [row["claimflow_agrees"] for row in stack.table(stack.collect(again)["results"])] == [
        "true",
        "true",
        "false",
    ]


THREE_SHARDS = csv_text(["text"], [(f"t{n}",) for n in range(9)])


def without_part(stack: Stack, number: int, said: bytes = b"", **config: object) -> dict[str, Any]:
    """Return the state of a prediction of three shards of which one has no part, but maybe a sentence."""
    state = predicted(stack, THREE_SHARDS, {"rows_per_shard": 3, **config})
    output = parts_of(stack, state)
    bucket, key = output.removeprefix("s3://").split("/", 1)
    stack.s3.delete_object(Bucket=bucket, Key=f"{key}/part-{number:05}.csv")
    if said:
        stack.write(f"{output}/failure-{number:05}.txt", said)
    return state


def parts_of(stack: Stack, state: dict[str, Any]) -> str:
    return str(stack.json(state["validation"]["predict"]["manifest"])["output"])


def test_a_failed_shard_costs_its_own_rows_only(live: Stack) -> None:
    state = without_part(live, 1, b"Shard 1 was not labelled: The disk is full.")
    found = live.collect(state)
    rows = live.table(found["results"])
    assert [row["prediction"] for row in rows] == ["brakes"] * 3 + [""] * 3 + ["brakes"] * 3
    assert {row["error"] for row in rows[3:6]} == {"not labelled: The disk is full."}
    assert [row["text"] for row in rows] == [f"t{n}" for n in range(9)]
    assert live.table(found["review"]) == []
    figures = {key: found[key] for key in ("rows", "predicted", "rejected", "accepted", "missing_rows")}
    assert figures == {"rows": 9, "predicted": 6, "rejected": 0, "accepted": 6, "missing_rows": 3}
    assert found["missing_shards"] == 1
    assert live.json(found["manifest"])["missing_rows"] == 3


def test_what_is_missing_is_told_with_what_to_do(live: Stack) -> None:
    found = live.collect(without_part(live, 1, b"Shard 1 was not labelled: The disk is full."))
    assert found["subject"] == "Claimflow: claims.csv is partly done, 3 rows not labelled"
    for part in ("3 rows were not labelled", "The disk is full", "Start the same request again"):
        assert part in found["message"]
    assert "3 rows were not labelled" in live.read(found["report"]).decode()


def test_the_message_says_why_rows_were_rejected(live: Stack) -> None:
    said = live.collect(predicted(live, "id,text\n1,x\n2\n3, \n4\n"))["message"]
    assert "3 of 4 rows cannot be labelled, as the results tell: wrong number of cells (2), no text" in said


def test_a_shard_without_a_word_is_said_to_be_one(live: Stack) -> None:
    rows = live.table(live.collect(without_part(live, 2))["results"])
    assert {row["error"] for row in rows[6:]} == {"not labelled: shard 2 left no part and no reason."}


KILLED = {
    "arrayProperties": {"index": 2},
    "container": {"exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"},
}


@pytest.mark.parametrize("said", ["", "Shard 2 was not labelled: The disk is full."])
def test_a_shard_without_a_word_has_the_reason_that_batch_knows(live: Stack, said: str) -> None:
    asked = Mock(return_value={"jobSummaryList": [KILLED]})
    state = without_part(live, 2, said.encode())
    state["prediction"] = {"Error": "States.TaskFailed", "Cause": '{"JobId":"876da822","JobName":"x"}'}
    with answered("batch", "ListJobs", asked):
        found = live.collect(state)
    told = "The disk is full." if said else "shard 2 left no part: it ran out of memory. Give the stack more"
    assert all(row["error"].startswith(f"not labelled: {told}") for row in live.table(found["results"])[6:])
    assert asked.call_args.kwargs["arrayJobId"] == "876da822"


def test_a_batch_that_does_not_answer_costs_its_reason_only(
    live: Stack,
) -> None:
    busy = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "ListJobs")
    state = without_part(live, 2)
    state["prediction"] = {"Error": "States.TaskFailed", "Cause": '{"JobId":"876da822"}'}
    with answered("batch", "ListJobs", Mock(side_effect=busy)):
        rows = live.table(live.collect(state)["results"])
    assert {row["error"] for row in rows[6:]} == {"not labelled: shard 2 left no part and no reason."}


def test_the_rest_delivered_later_makes_the_results_whole(live: Stack) -> None:
    state = without_part(live, 1)
    assert live.collect(state)["missing_rows"] == 3
    live.predicted(state)
    whole = live.collect(state)
    assert whole["missing_rows"] == 0
    assert [row["error"] for row in live.table(whole["results"])] == [""] * 9


def change_part(stack: Stack, state: dict[str, Any], content: bytes, **facts: str) -> None:
    uri = f"{parts_of(stack, state)}/part-00001.csv"
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    before = stack.s3.head_object(Bucket=bucket, Key=key)["Metadata"]
    stack.write(uri, content, before | {name.replace("_", "-"): value for name, value in facts.items()})


PART = b"row,prediction,confidence,runner_up,doubt\r\n3,a,0.9,b,\r\n4,a,0.9,b,\r\n5,a,0.9,b,low conf"


@pytest.mark.parametrize(
    ("content", "facts", "told"),
    [
        (PART, {}, "the part of shard 1 is not whole"),
        (b"", {}, "the part of shard 1 is not whole"),
        (PART, {"sha256": hashlib.sha256(PART).hexdigest(), "made_of": "x"}, "by another model"),
        (PART, {"sha256": hashlib.sha256(PART).hexdigest(), "rows": "4"}, "of other rows"),
    ],
)
def test_a_part_that_is_half_written_or_of_something_else_is_never_taken(
    live: Stack, content: bytes, facts: dict[str, str], told: str
) -> None:
    state = predicted(live, THREE_SHARDS, {"rows_per_shard": 3})
    change_part(live, state, content, **facts)
    found = live.collect(state)
    assert found["missing_rows"] == 3
    assert told in live.table(found["results"])[4]["error"]


def test_nothing_is_delivered_without_a_single_part(live: Stack) -> None:
    state = live.validated("predict", "text\nx\n")
    state["model"] = {"arn": "arn", "version": 1, "model_uri": state["run"]["live_model"]["model_uri"]}
    with pytest.raises(PredictionFailed, match=r"1 row of 1 were not labelled \(100.0%\). Shard 0 left no"):
        live.collect(state)
    assert f"{keys.prediction_results(state['run'])}/manifest.json" not in live.keys(RESULTS)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"allow_partial": False}, "allow_partial in the configuration is false"),
        ({"max_missing_share": 0.3}, "max_missing_share in the configuration allows 30.0%"),
    ],
)
def test_who_asked_for_more_gets_no_part_of_it(live: Stack, config: dict[str, Any], told: str) -> None:
    state = without_part(live, 1, b"Shard 1 was not labelled: The disk is full.", **config)
    with pytest.raises(PredictionFailed, match=f"{told}. Shard 1 was not labelled: The disk is full. Start"):
        live.collect(state)


def test_a_damaged_part_counts_as_missing_too(live: Stack) -> None:
    state = predicted(live, THREE_SHARDS, {"rows_per_shard": 3, "max_missing_share": 0})
    change_part(live, state, b"")
    with pytest.raises(PredictionFailed, match="is not whole, or an older image made it"):
        live.collect(state)


def test_a_part_that_may_not_be_read_is_said_to_be_one(live: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    state, real = predicted(live, THREE_SHARDS, {"rows_per_shard": 3}), storage.open_with_metadata

    def refuse(info: storage.ObjectInfo) -> Any:
        if info.location.name == "part-00001.csv":
            raise ObjectDenied("this stack may not read it")
        return real(info)

    monkeypatch.setattr(storage, "open_with_metadata", refuse)
    (error,) = {row["error"] for row in live.table(live.collect(state)["results"])} - {""}
    assert error == "not labelled: the part of shard 1 cannot be read: this stack may not read it."


def test_a_model_that_is_gone_is_told(live: Stack) -> None:
    state = predicted(live, THREE_SHARDS)
    bucket, key = state["model"]["model_uri"].removeprefix("s3://").split("/", 1)
    live.s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(PredictionFailed, match=r"The model that labelled the rows is gone: .* is not there"):
        live.collect(state)


def test_parts_of_two_programs_are_told(live: Stack) -> None:
    state = predicted(live, THREE_SHARDS, {"rows_per_shard": 3})
    part = live.read(f"{parts_of(live, state)}/part-00001.csv")
    change_part(live, state, part, program="another")
    found = live.collect(state)
    assert live.json(found["manifest"])["programs"] == ["a-program", "another"]
    assert "2 versions of the program" in found["message"]


def test_parts_are_read_with_one_request_each_and_many_at_once(
    live: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = predicted(live, csv_text(["text"], [(f"t{n}",) for n in range(40)]), {"rows_per_shard": 1})
    asked: list[str] = []
    together, real = threading.Barrier(20), storage.open_with_metadata

    def at_once(info: storage.ObjectInfo) -> Any:
        together.wait(timeout=60)  # for 20 that are read at the same time
        return real(info)

    def count(params: dict[str, Any], **_: object) -> None:
        asked.extend([params["url_path"]] if "/parts/part-" in params["url_path"] else [])

    monkeypatch.setattr(storage, "open_with_metadata", at_once)
    for call in ("GetObject", "HeadObject"):
        live.s3.meta.events.register(f"before-call.s3.{call}", count)
    try:
        assert live.collect(state)["predicted"] == 40
    finally:
        for call in ("GetObject", "HeadObject"):
            live.s3.meta.events.unregister(f"before-call.s3.{call}", count)
    assert len(asked) == len(set(asked)) == 40


def test_only_so_many_parts_are_read_ahead(live: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    state = predicted(live, csv_text(["text"], [(f"t{n}",) for n in range(40)]), {"rows_per_shard": 1})
    begun: list[int] = []
    real = Parts._read

    def read(parts: Parts, number: int, shard: dict[str, Any]) -> Any:
        begun.append(number)
        return real(parts, number, shard)

    monkeypatch.setattr(Parts, "_read", read)
    manifest = read_manifest(state["validation"]["predict"]["manifest"])
    shards = iter(Parts(manifest, state["model"]["model_uri"]))
    next(shards).open_part().close()
    assert len(begun) <= CONNECTIONS + 1 < 40
    shards.close()  # type: ignore[attr-defined]  # it is a generator


def test_a_part_that_is_too_large_for_the_memory_goes_by_the_disk(
    live: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collect.parts.SPOOLED_BYTES", 10)
    assert live.collect(predicted(live, THREE_SHARDS))["predicted"] == 9


def test_a_file_of_a_bucket_whose_versions_are_suspended_is_labelled(live: Stack) -> None:
    live.s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Suspended"})
    assert live.collect(predicted(live, "text\nx\n"))["rows"] == 1


def test_an_input_that_is_gone_is_told(live: Stack) -> None:
    state = predicted(live, "text\nx\n")
    data = state["run"]["data"]
    live.s3.delete_object(Bucket=UPLOADS, Key=data["key"], VersionId=data["version"])
    with pytest.raises(PredictionFailed, match="cannot be read again"):
        live.collect(state)


def test_the_report_can_be_read_and_shows_nothing_unescaped(live: Stack) -> None:
    content = "text,label\nunsure engine,<script>alert(1)</script>\nbrake,brakes\n"
    found = live.collect(predicted(live, content))
    page = live.read(found["report"]).decode()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for part in (
        "<h1>claims.csv</h1>",
        "Categories",
        "Why rows should be looked at",
        "low confidence",
        "Same as given",
    ):
        assert part in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_report_opens_with_the_answer_and_links_the_files_beside_it(live: Stack) -> None:
    found = collected_as(live, "Claims & more.csv", CLAIMS.encode(), {})
    page = live.read(found["report"]).decode()
    answer = page.index("1 row of 5 can be taken as they are")
    for part in (
        'href="Claims%20%26%20more.results.csv"',
        'href="Claims%20%26%20more.review.csv"',
        'href="Claims%20%26%20more.rejected.csv"',
        "Model version 1",
        " UTC</li>",
        "about 24.9% of them are likely to be wrong, and at most 2.0% is what was asked for",
        "<q>unsure engine</q>",
        "<q>brake squeals</q>",
    ):
        assert part in page[answer:], part
    main_text = page[answer : page.index("<details>")]
    for jargon in ("precision", "threshold", "shard", "calibrat", "CSV text"):
        assert jargon not in main_text


ADVICE = "No row is accepted without a person. What would help: about 400 more labelled rows."


@pytest.mark.parametrize("known", [True, False])
def test_where_nothing_is_accepted_report_and_message_say_why_and_what_would_help(
    stack: Stack, known: bool
) -> None:
    acceptance = {"target_precision": 0.98, "threshold": None, "coverage": 0.0, "advice": ADVICE}
    stack.live(acceptance=acceptance if known else None)
    state = stack.validated("predict", csv_text(["text"], [("a",), ("b",)]))
    doubt = "nothing is accepted at this target"
    state["model"] = stack.predicted(state, lambda _: ("brakes", "1.0000", "engine", doubt))
    found = stack.collect(state)
    said = ADVICE if known else "More labelled rows, or a lower target"
    assert said in stack.read(found["report"]).decode()
    assert said in found["message"]
    assert [row["reason"] for row in stack.table(found["review"])] == [doubt] * 2


def test_where_a_target_is_too_high_the_message_names_the_command_and_the_report_whom_to_ask(
    stack: Stack,
) -> None:
    stack.live(acceptance={"target_precision": 0.98, "threshold": 0.99, "coverage": 0.1, "advice": None})
    state = stack.validated("predict", csv_text(["text"], [("a",), ("b",)]))
    state["model"] = stack.predicted(state, lambda _: ("brakes", "0.5000", "engine", "low confidence"))
    found = stack.collect(state)
    report = stack.read(found["report"]).decode()
    assert "a lower target (whoever looks after the model can set it) accepts more." in report
    assert "claimflow" not in report
    assert "a lower target (`claimflow models threshold`) accepts more." in found["message"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("brakes", "of another kind than those that it learned from: check that the right column was read"),
        ("engine", "as the given category often disagrees: check that its column is the right one"),
    ],
)
def test_where_a_good_model_accepts_little_of_a_file_report_and_message_say_why(
    stack: Stack, given: str, said: str
) -> None:
    stack.live(acceptance={"target_precision": 0.95, "threshold": 0.9, "coverage": 0.85, "advice": None})
    state = stack.validated("predict", csv_text(["text", "label"], [("a", given), ("b", given)]))
    doubt = "low confidence" if given == "brakes" else ""
    state["model"] = stack.predicted(state, lambda _: ("brakes", "0.5000", "engine", doubt))
    found = stack.collect(state)
    assert "the model accepts 85.0%, and of this file 0.0%" in found["message"]
    assert said in found["message"]
    assert said in found["advice"]
    assert said in stack.read(found["report"]).decode()


def test_a_model_without_a_card_labels_all_the_same(live: Stack) -> None:
    state = predicted(live, CLAIMS)
    bucket, key = keys.card(state["model"]["model_uri"]).removeprefix("s3://").split("/", 1)
    live.s3.delete_object(Bucket=bucket, Key=key)
    assert live.collect(state)["accepted"] == 1


def test_what_validation_noticed_is_told_again(live: Stack) -> None:
    found = collected_as(live, "claims.csv", b"text;label\nx;y\n", {})
    said = "claims.csv was read as semicolon-separated."
    assert said in live.read(found["report"]).decode()
    assert f"Note: {said}" in found["message"]


def test_the_message_says_what_to_do(live: Stack) -> None:
    found = live.collect(predicted(live, CLAIMS))
    assert found["subject"] == "Claimflow: claims.csv is done, 3 rows to review"
    for part in (
        "4 rows of 5",
        "3 rows should be looked at",
        "1 of 5 rows cannot be labelled",
        found["review"],
    ):
        assert part in found["message"]


def test_a_prediction_after_a_training_has_a_folder_of_its_own(stack: Stack) -> None:
    data, new = stack.upload("train/a.csv", labelled(10)), stack.upload("requests/new.csv", "text\nx\n")
    run = stack.prepare({"action": "train", "data": data, "predict": new})
    state = {"run": run, "validation": stack.validate({"run": run})}
    model_uri = f"{run['output_config']['S3OutputPath']}/job/output/model.tar.gz"
    stack.write(model_uri, b"model")
    about = {"arn": "arn:…/1", "version": 1, "card": None, "job": None}
    run["live_model"] = about | {"model_uri": model_uri}
    state["model"] = stack.predicted(state)
    assert stack.collect(state)["report"] == f"s3://{RESULTS}/{run['name']}/predict/report.html"


def test_the_state_stays_small(live: Stack) -> None:
    content = csv_text(["text", "label"], [("unsure " + "x" * 900, f"label {n}") for n in range(500)])
    assert len(json.dumps(live.collect(predicted(live, content)))) < 4000


def test_the_surplus_cells_of_a_row_stand_in_its_last_cell(live: Stack) -> None:
    found = live.collect(predicted(live, 'id,text,note\n1,a,b,c,"d, e"\n2,x,y\n'))
    rows = live.table(found["results"])
    assert [rows[0][name] for name in ("id", "text", "note")] == ["1", "a", 'b,c,"d, e"']
    assert rows[0]["error"] == "wrong number of cells: 5, the header has 3"
    assert rows[1]["note"] == "y"


def test_the_report_masks_the_texts_that_it_shows_and_the_results_keep_them(live: Stack) -> None:
    found = live.collect(predicted(live, "id,text\n1,mail eva@example.org\n", {"mask": True}))
    page = live.read(found["report"]).decode()
    assert "eva@example.org" not in page
    assert "[email]" in page
    assert live.table(found["results"])[0]["text"] == "mail eva@example.org"


def test_the_levels_of_a_hierarchy_are_columns_of_all_files(stack: Stack) -> None:
    acceptance = {
        "target_precision": 0.95,
        "threshold": 0.9,
        "coverage": 0.9,
        "advice": None,
        "levels": [0.8],
    }
    stack.live(acceptance=acceptance)
    state = stack.validated("predict", csv_text(["text", "id"], [("", "1"), ("unsure", "2")]))
    of_row = levels("A", [("A", 0.97)])
    state["model"] = stack.predicted(
        state, lambda _: ("A > B", "0.5000", "A > C", "low confidence", "", of_row)
    )
    found = stack.collect(state)
    rejected, row = stack.table(found["results"])
    added = ["level_1", "level_1_confidence", "accepted_as"]
    assert list(row)[2:9] == ["prediction", "confidence", "runner_up", *added, "needs_review"]
    assert [row[name] for name in (*added, "needs_review")] == ["A", "0.9700", "A", "true"]
    assert ([rejected[name] for name in added], rejected["error"]) == (["", "", ""], "no text")
    (to_review,) = stack.table(found["review"])
    assert (to_review["prediction"], to_review["accepted_as"]) == ("A > B", "A")
    results = stack.json(stack.json(found["manifest"])["files"]["queue"])["results"]
    columns = [results["columns"][results[place]] for place in ("category_column", "review_column")]
    assert columns == ["prediction", "needs_review"]
