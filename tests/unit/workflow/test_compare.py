"""`claimflow models compare`: two versions on a file, who is right, and what is said when that cannot be."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from contract import keys
from contract.queue import SCHEMA
from tests.unit.workflow.fakes import add_model
from workflow import cli, display, programs
from workflow.account import Account
from workflow.decisions import Answer, Asked, Decisions, Person

SAVED = programs.ROOT / "tests" / "unit" / "model" / "saved_before"
ROWS = [
    ("the brake squeal disc", "brakes"),
    ("a piston smoke", "engine"),
    ("=squeal smoke", "engine"),
    ("piston brake", "brakes"),
    ("disc smoke smoke", "engine"),
    ("smoke squeal squeal", "Engine"),
    ("", "engine"),
    ("no category at all", ""),
]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the test's user have a cache folder; the consoles write where CliRunner listens."""
    monkeypatch.setattr(display.console, "_file", None)
    monkeypatch.setattr(display.stderr, "_file", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def two(account: Account) -> Account:
    """Return an account with two versions, which know the same categories."""
    for name in ("ngram+cnn", "lstm"):
        key = f"models/{name}/model.tar.gz"
        account.s3.put_object(Bucket="artifacts", Key=key, Body=(SAVED / f"{name}.tar.gz").read_bytes())
        add_model(account, 0.9, archive=f"s3://artifacts/{key}")
    return account


def compare(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["models", "compare", *arguments])


def written(name: str, delimiter: str = ",", *, labelled: bool = True) -> str:
    content = "\r\n".join(
        delimiter.join(row if labelled else row[:1]) for row in [("description", "category"), *ROWS]
    )
    Path(name).write_text(content, encoding="utf-8")
    return name


def differing(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def document(*arguments: str) -> dict[str, Any]:
    found = compare(*arguments, "--json")
    assert found.exit_code == 0, found.output
    return dict(json.loads(found.stdout))


def test_a_labelled_file_tells_who_is_right_and_whether_chance_explains_it(two: Account) -> None:
    found = compare("1", "2", "--on", written("rows.csv"))
    assert found.exit_code == 0, found.output
    assert "7, 1 without a text left out" in found.stdout
    for each in ("Accuracy of 1", "Macro F1 of 2", "Precision of 2", "95% interval", "Only 1 right"):
        assert each in found.stdout
    assert "Version 1 has more rows right, but chance may explain it" in found.stdout
    assert "McNemar's exact test, two-sided" in found.stdout
    assert "out/compare-1-2.csv" in found.stdout


def test_the_figures_for_programs_agree_with_the_rows_that_differ(two: Account) -> None:
    found = document("1", "2", "--on", written("rows.csv"), "--to", "there/differ.csv")
    rows = differing("there/differ.csv")
    assert [row["description"] for row in rows] == [
        "'=squeal smoke",
        "piston brake",
        "disc smoke smoke",
        "smoke squeal squeal",
    ]
    assert found["differing"] == len(rows)
    assert found["same"] == pytest.approx(1 - len(rows) / found["rows"])
    assert [each["version"] for each in found["versions"]] == [1, 2]
    judged = found["judged"]
    assert (judged["rows"], found["learned"]) == (6, 0)
    assert (judged["only_first_right"], judged["only_second_right"], round(judged["p_value"], 9)) == (
        3,
        1,
        0.625,
    )
    assert [each["accuracy"] for each in found["versions"]] == [pytest.approx(5 / 6), 0.5]
    assert sum(each["support"] for each in judged["categories"]) == judged["rows"]
    assert Path("there/differ.csv").stat().st_mode & 0o077 == 0
    for row in rows:
        assert row["prediction_1"] != row["prediction_2"]
        assert {row["agrees_1"], row["agrees_2"]} == {"True", "False"}


def test_a_file_without_categories_tells_where_they_differ_only(two: Account) -> None:
    name = written("rows.csv", labelled=False)
    assert document("1", "2", "--on", name)["judged"] is None
    found = compare("1", "2", "--on", name)
    assert "No row has a category, so nothing says which of the two is right." in found.stdout


@pytest.mark.parametrize("kind", ["semicolon.csv", "rows.csv.gz", "rows.jsonl", "rows.xlsx"])
def test_a_table_is_read_in_each_of_its_forms(kind: str, two: Account) -> None:
    expected = document("1", "2", "--on", written("rows.csv"))
    frame = pd.DataFrame(
        [(f"'{text}" if text.startswith("=") else text, label) for text, label in ROWS],
        columns=["description", "category"],
    )
    if kind == "semicolon.csv":
        written(kind, ";")
    elif kind.endswith("gz"):
        Path(kind).write_bytes(gzip.compress(Path("rows.csv").read_bytes()))
    elif kind.endswith("jsonl"):
        frame.to_json(kind, orient="records", lines=True)
    else:
        frame.to_excel(kind, index=False)
    assert document("1", "2", "--on", kind) == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1", "1", "--on", "rows.csv"), "Version 1 is compared with itself: name two versions."),
        (("1", "9", "--on", "rows.csv"), "There is no model version 9: the versions are 2, 1."),
        (("1", "2", "--on", "gone.csv"), "gone.csv cannot be used: No such file or directory."),
        (("1", "2", "--on", "empty.csv"), "empty.csv cannot be read as a table: "),
        (("1", "2", "--on", "bad.xlsx"), "bad.xlsx cannot be read as a table: "),
        (("1", "2", "--on", "latin.csv"), "latin.csv cannot be read as a table: "),
        (
            ("1", "2", "--on", "other.csv"),
            "The table has no column for the text: looked for was a common name",
        ),
        (("1", "2", "--on", "rows.csv", "--label", "topic"), "looked for was 'topic'"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(arguments: tuple[str, ...], said: str, two: Account) -> None:
    written("rows.csv")
    Path("empty.csv").write_bytes(b"")
    Path("bad.xlsx").write_bytes(b"no workbook")
    Path("latin.csv").write_bytes("description\ngrün\n".encode("latin-1"))
    Path("other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    found = compare(*arguments)
    assert found.exit_code == 1
    assert said in found.stderr
    assert "Traceback" not in found.output
    assert not Path("out").exists()


RUN = "predict-claims-1"
COLUMNS = ["description", "category", "prediction", "needs_review"]


def labelled_run(account: Account) -> None:
    """Leave what collect leaves of a run without categories, three rows of which people decided."""
    shown = [[f"'{text}" if text.startswith("=") else text, "", "engine", "true"] for text, _ in ROWS]
    body = "\r\n".join(",".join(row) for row in [COLUMNS, *shown])
    form = {
        "uri": f"s3://results/{RUN}/claims.results.csv",
        "format": "csv",
        "delimiter": ",",
        "columns": COLUMNS,
        "category_column": 2,
        "review_column": 3,
    }
    index = {"schema": SCHEMA, "file": "claims.csv", "columns": COLUMNS[:2], "text": 0, "results": form}
    account.s3.put_object(Bucket="results", Key=f"{RUN}/claims.results.csv", Body=body.encode())
    queue = json.dumps(index).encode()
    account.s3.put_object(Bucket="results", Key=f"{RUN}/{keys.QUEUE_INDEX}", Body=queue)


def decide(account: Account, **categories: str) -> None:
    decisions = Decisions(account.dynamodb, "decisions", RUN)
    for number, category in categories.items():
        asked = Asked(int(number[1:]), "engine", 1, audit=False)
        decisions.decide(asked, Answer(category, number), Person("ann", "window"))


def test_what_people_decided_of_a_run_tells_who_is_right(two: Account) -> None:
    labelled_run(two)
    decide(two, _0="brakes", _2="engine", _3="engine")
    found = document("1", "2", "--run", RUN)
    assert (found["rows"], found["left_out"], found["judged"]["rows"]) == (7, 1, 3)
    assert (found["judged"]["only_first_right"], found["judged"]["only_second_right"]) == (2, 0)
    assert differing("out/compare-1-2.csv")[0]["description"] == "'=squeal smoke"
    said = compare("1", "2", "--run", RUN).stdout
    assert "People decided 3 of the 8 rows: mostly those that the model" in said


def test_a_run_of_which_nobody_decided_a_row_tells_where_they_differ_only(two: Account) -> None:
    labelled_run(two)
    found = compare("1", "2", "--run", RUN)
    assert found.exit_code == 0, found.output
    assert "No row has a category, so nothing says which of the two is right." in found.stdout


@pytest.mark.parametrize("more", [(), ("--on", "rows.csv", "--run", RUN), ("--run", RUN, "--label", "topic")])
def test_the_rows_are_named_in_one_way(more: tuple[str, ...], two: Account) -> None:
    found = compare("1", "2", *more)
    assert found.exit_code == 1
    assert found.stderr.startswith("Name the rows: --on FILE")
