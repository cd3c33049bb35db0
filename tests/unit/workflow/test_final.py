"""The final file: every row once, in order, with the category that counts and who gave it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from contract import keys
from contract.queue import NONE_OF_THESE, SCHEMA
from workflow import final, stack
from workflow.account import Account
from workflow.cli import app
from workflow.decisions import Answer, Asked, Decisions, Person
from workflow.errors import CommandError
from workflow.final import Counts
from workflow.queue import read_index

RUN = "predict-claims-1"
COLUMNS = ["id", "text", "prediction", "confidence", "runner_up", "needs_review", "error"]
ROWS = [
    ["1", "brake squeals", "brakes", "0.9912", "engine", "false", ""],
    ["2", "odd; one", "engine", "0.5100", "brakes", "true", ""],
    ["3", "", "", "", "", "", "no text"],
    ["4", "'=SUM(1)", "engine", "0.9000", "brakes", "false", ""],
]


def csv_text(delimiter: str) -> bytes:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([COLUMNS, *ROWS])
    return file.getvalue().encode("utf-8-sig")


def workbook() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in [COLUMNS, *ROWS[:3], ["4", "=SUM(1)", *ROWS[3][2:]]]:
        book.active.append(row)
        for cell in book.active[book.active.max_row]:
            cell.data_type = "s"
    book.save(file)
    return file.getvalue()


def put(account: Account, content: bytes, folder: str = RUN, form: str = "csv", delimiter: str = ",") -> None:
    """Leave what collect leaves."""
    index: dict[str, Any] = {
        "schema": SCHEMA,
        "file": "claims.csv",
        "results": {
            "uri": f"s3://results/{folder}/claims.results.{form}",
            "format": form,
            "delimiter": delimiter,
            "columns": COLUMNS,
            "category_column": 2,
            "review_column": 5,
        },
    }
    account.s3.put_object(Bucket="results", Key=f"{folder}/claims.results.{form}", Body=content)
    body = json.dumps(index).encode()
    account.s3.put_object(Bucket="results", Key=f"{folder}/{keys.QUEUE_INDEX}", Body=body)


def decide(account: Account, number: int, category: str | None, by: str = "ana", revision: int = 0) -> None:
    answer = Answer(category, f"{number}-{revision}", revision)
    Decisions(account.dynamodb, "decisions", RUN).decide(
        Asked(number, "engine", 1, audit=False), answer, Person(by, "window")
    )


def written(account: Account, to: Path, delimiter: str = ",") -> tuple[list[dict[str, str]], Counts]:
    path, counts = final.write(account, stack.read_stack(account), RUN, to)
    assert path == to / "claims.final.csv"
    assert [each.name for each in to.iterdir()] == ["claims.final.csv"]
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter)), counts


def test_a_row_has_the_category_of_the_model_or_of_the_person_who_decided(
    account: Account, tmp_path: Path
) -> None:
    put(account, csv_text(","))
    decide(account, 1, "brakes")
    rows, counts = written(account, tmp_path / "to")
    assert [(row["id"], row["category"], row["decided_by"]) for row in rows] == [
        ("1", "brakes", "model"),
        ("2", "brakes", "ana"),
        ("3", "", ""),
        ("4", "engine", "model"),
    ]
    assert rows[1]["decided_at"].startswith("20")
    assert rows[0]["decided_at"] == ""
    assert counts == Counts(rows=4, by_model=2, by_people=1, none=0, open=1)


def test_a_row_of_none_of_the_categories_says_so_and_is_counted(account: Account, tmp_path: Path) -> None:
    put(account, csv_text(","))
    decide(account, 1, NONE_OF_THESE)
    rows, counts = written(account, tmp_path / "to")
    assert (rows[1]["category"], rows[1]["decided_by"]) == ("(none of these)", "ana")
    assert counts == Counts(rows=4, by_model=2, by_people=1, none=1, open=1)


def test_what_the_results_have_stands_there_as_it_was(account: Account, tmp_path: Path) -> None:
    put(account, csv_text(";"), delimiter=";")
    rows, _ = written(account, tmp_path / "to", ";")
    assert [[row[name] for name in COLUMNS] for row in rows] == ROWS


def test_a_row_that_nobody_decided_is_open(account: Account, tmp_path: Path) -> None:
    put(account, csv_text(","))
    rows, counts = written(account, tmp_path / "to")
    assert (rows[1]["category"], rows[1]["decided_by"], counts.open) == ("", "", 2)


def test_a_decision_that_was_taken_back_leaves_the_row_open_again(account: Account, tmp_path: Path) -> None:
    put(account, csv_text(","))
    decide(account, 1, "brakes")
    decide(account, 1, None, revision=1)
    rows, _ = written(account, tmp_path / "to")
    assert rows[1]["category"] == ""


def test_a_person_overrules_the_model_in_an_audit(account: Account, tmp_path: Path) -> None:
    put(account, csv_text(","))
    decide(account, 0, "wheels")
    rows, counts = written(account, tmp_path / "to")
    assert (rows[0]["category"], rows[0]["decided_by"]) == ("wheels", "ana")
    assert (counts.by_model, counts.by_people) == (1, 1)


def test_no_cell_that_people_gave_runs_as_a_formula(account: Account, tmp_path: Path) -> None:
    put(account, csv_text(","))
    decide(account, 1, "=brakes", by="@ana")
    rows, _ = written(account, tmp_path / "to")
    assert (rows[1]["category"], rows[1]["decided_by"]) == ("'=brakes", "'@ana")


def test_a_workbooks_final_file_is_a_csv_file_no_cell_of_which_runs(account: Account, tmp_path: Path) -> None:
    put(account, workbook(), form="xlsx")
    decide(account, 1, "brakes")
    rows, counts = written(account, tmp_path / "to")
    assert [[row[name] for name in COLUMNS] for row in rows] == ROWS
    assert counts == Counts(rows=4, by_model=2, by_people=1, none=0, open=1)


def test_columns_of_the_same_names_are_kept(account: Account, tmp_path: Path) -> None:
    content = csv_text(",").replace(b"id,text", b"id,category")
    put(account, content)
    rows, _ = written(account, tmp_path / "to")
    assert (rows[0]["category"], rows[0]["final_category"]) == ("brake squeals", "brakes")


def test_a_second_final_file_takes_the_place_of_the_first(account: Account, tmp_path: Path) -> None:
    put(account, csv_text(","))
    written(account, tmp_path / "to")
    decide(account, 1, "brakes")
    rows, _ = written(account, tmp_path / "to")
    assert rows[1]["category"] == "brakes"


def test_a_run_that_trained_first_has_its_queue_with_its_prediction(account: Account) -> None:
    put(account, csv_text(","), folder=f"{RUN}/predict")
    queue = read_index(account, stack.read_stack(account), RUN)
    assert queue["results"]["uri"] == f"s3://results/{RUN}/predict/claims.results.csv"


def test_a_run_without_rows_for_people_is_told(account: Account, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=f"^The run {RUN} has no rows for people: it labelled nothing"):
        final.write(account, stack.read_stack(account), RUN, tmp_path)


def test_the_command_says_who_decided_and_where_the_file_is(account: Account) -> None:
    put(account, csv_text(","))
    decide(account, 1, "brakes")
    said = CliRunner().invoke(app, ["final", RUN])
    assert said.exit_code == 0, said.output
    assert "4 rows: 2 with the category of the model, 1 decided by people, 1 still open." in said.output
    assert (Path("out") / RUN / "claims.final.csv").is_file()


def test_what_the_file_will_have_is_known_without_reading_the_results(
    account: Account, tmp_path: Path
) -> None:
    put(account, csv_text(","))
    made = Decisions(account.dynamodb, "decisions", RUN)
    made.decide(Asked(0, "brakes", 1, audit=True), Answer("engine", "token-0"), Person("ana", "window"))
    made.decide(Asked(3, "engine", 1, audit=True), Answer("engine", "token-3"), Person("ana", "window"))
    made.decide(Asked(3, "engine", 1, audit=True), Answer(None, "token-4", 1), Person("ana", "window"))
    decide(account, 1, "brakes")
    counted: Any = {"rows": 4, "accepted": 2}
    _, counts = written(account, tmp_path / "to")
    assert final.expected(counted, made.all()) == counts
    assert made.count() == counts.by_people == 2
