"""Erasure: a claim's rows go from every file in all versions, and nobody else's do."""

import csv
import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from botocore.client import BaseClient
from typer.testing import CliRunner

from contract import keys
from contract.columns import REMOVED
from contract.lineage import Lineage
from contract.manifest import Manifest, Reading, Shard, Source
from contract.spreadsheet import csv_line
from shared.table import Table
from tests.unit.workflow import queues
from tests.unit.workflow.fakes import EXECUTIONS, PlayedStepFunctions, add_model
from workflow import final, retraining, runs, stack, suspects
from workflow.account import Account
from workflow.cli import app
from workflow.decisions import Answer, Asked, Decisions, Person
from workflow.errors import CommandError
from workflow.forgetting import erasure, tables
from workflow.forgetting.claims import Claim, removed
from workflow.forgetting.erasure import Erasure

GONE = "Frau Muster, Tel. 0151 2345678: die Pumpe läuft nicht, und sie wartet seit Wochen."
OTHERS = ["The drum leaks.", 'She said "no", twice;\r\nthen left, 47, 4711', "Die Tür klemmt, Größe 4711"]
RUN, WHEN = queues.RUN, "2026-03-01T10:00:00+00:00"
MUTATING = {"PutObject", "DeleteObject", "DeleteObjects", "DeleteItem", "CreateMultipartUpload"}


def claim(*values: str) -> Claim:
    return Claim("claim_id", frozenset(values or ("4711",)))


def rows(*, labelled: bool = True) -> list[list[str]]:
    header = ["claim_id", "text", *(["label"] if labelled else [])]
    texts = [OTHERS[0], GONE, OTHERS[1], OTHERS[2], OTHERS[0]]
    ids = ["1", "4711", "47110", "2", "3"]
    made = [[name, text, "Brakes"] for name, text in zip(ids, texts, strict=True)]
    return [header, *([*row[: len(header)]] for row in made)]


def lines_of(table: list[list[str]], delimiter: str = ",") -> bytes:
    return "".join(csv_line(row, delimiter) + "\r\n" for row in table).encode()


def put(account: Account, bucket: str, key: str, content: bytes) -> str:
    return account.s3.put_object(Bucket=bucket, Key=key, Body=content).get("VersionId", "null")


def get(account: Account, bucket: str, key: str) -> bytes:
    return account.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def packed(**members: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def results_table() -> list[list[str]]:
    added = ["prediction", "needs_review", "error"]
    header, *data = rows(labelled=False)
    return [[*header, *added], *([*row, "Brakes", "false", ""] for row in data)]


def put_queue(account: Account) -> None:
    """Leave the results of a prediction: two rows for people, of which one is the claim's."""
    made = [queues.row(1), queues.row(3)]
    for row, cells in zip(made, (rows()[2], rows()[4]), strict=True):
        row["cells"] = cells[:2]
    queues.put(account, made)
    index = json.loads(get(account, "results", f"{RUN}/{keys.QUEUE_INDEX}"))
    index["columns"] = ["claim_id", "text"]
    table = results_table()
    index["results"] |= {"columns": table[0], "category_column": 2, "review_column": 3}
    put(account, "results", f"{RUN}/{keys.QUEUE_INDEX}", json.dumps(index).encode())
    put(account, "results", f"{RUN}/claims.results.csv", lines_of(table))
    review = [[*table[0], "reason"], *([*table[place], "low confidence"] for place in (2, 4))]
    put(account, "results", f"{RUN}/claims.review.csv", lines_of(review))


@pytest.fixture
def full(account: Account) -> Account:
    """Return an account in which a claim lies wherever one can."""
    for bucket in ("artifacts", "results"):
        account.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    put(account, "uploads", "train/claims.csv", lines_of([row for row in rows() if row[0] != "4711"]))
    first = put(account, "uploads", "train/claims.csv", lines_of(rows()))
    put(account, "uploads", "train/deleted.csv", lines_of(rows()))
    account.s3.delete_object(Bucket="uploads", Key="train/deleted.csv")
    put(account, "uploads", "predict/more.csv", lines_of(rows(labelled=False), ";"))
    labelled = put(account, "uploads", "predict/more.csv", lines_of(rows(labelled=False), ";"))
    put_queue(account)
    decided = [
        {"text": GONE, "label": "Brakes", "decided_run": RUN, "decided_row": 1, "decided_at": WHEN},
        {"text": OTHERS[0], "label": "Brakes", "decided_run": RUN, "decided_row": 3, "decided_at": WHEN},
    ]
    content = "".join(json.dumps(row) + "\n" for row in decided).encode()
    second = put(account, "uploads", "requests/ab/decided.jsonl", content)
    channel = [["row", "text", "label", "line"], ["0", OTHERS[0], "Brakes", "2"], ["1", GONE, "Brakes", "3"]]
    put(account, "artifacts", "runs/x/train/part-00000.csv", lines_of([*channel, ["5", GONE, "Brakes", "1"]]))
    other = [*channel[:2], ["9", GONE, "Brakes", "77"]]  # the same text, of another claim
    put(account, "artifacts", "runs/other/train/part-00000.csv", lines_of(other))
    work = Manifest(
        run="y",
        output="s3://artifacts/runs/y/predict/parts",
        source=Source("s3://uploads/predict/more.csv", labelled, "e", 1),
        shards=(Shard("s3://artifacts/runs/y/predict/shard-00000.csv", 5),),
        columns=("claim_id", "text"),
        text_column="text",
        label_column=None,
        rows=5,
        rejected=0,
        rejected_uri="",
        rejected_rows="",
        reading=Reading("csv", "utf-8", ";", False, None, ""),
    )
    put(account, "artifacts", "runs/y/predict/manifest.json", work.text().encode())
    put(account, "artifacts", "runs/y/predict/shard-00000.csv", lines_of([["row", "text"], ["1", GONE]]))
    put(account, "artifacts", "runs/y/config.json", b"{}")
    evaluation = {"mistakes": [{"row": 1, "text": GONE}, {"row": 0, "text": OTHERS[0]}], "labels": ["Brakes"]}
    report = f'<td class="text long">{GONE}</td><td class="text long">{OTHERS[0]}</td>'.encode()
    listed = [["line", "text", "label", "likely_label", "chance"]]
    listed += [["2", OTHERS[0], "Brakes", "Engine", "0.1"], ["3", GONE, "Brakes", "Engine", "0.2"]]
    listed += [["5", OTHERS[2], "Brakes", "Engine", "0.3"]]
    document = json.dumps(evaluation).encode()
    put(account, "results", "train-x/evaluation.json", document)
    put(account, "results", "train-x/report.html", report)
    put(account, "results", "train-x/claims.suspects.csv", b"\xef\xbb\xbf" + lines_of(listed))
    raw = [["line", "reason", "raw"], ["3", "no text", csv_line(rows()[2])], ["9", "no text", "4711,a"]]
    put(account, "results", "train-x/claims.rejected.csv", lines_of(raw))
    output = packed(evaluation_json=document, report_html=report, suspects_csv=lines_of(listed))
    put(account, "artifacts", "models/x/j/output/output.tar.gz", output)
    digests = {"evaluation.json": hashlib.sha256(document).hexdigest(), "config.json": "c"}
    manifest = json.dumps({"schema": 2, "files": digests}).encode()
    model = packed(a_params=b"weights", evaluation_json=document, report_html=report, manifest_json=manifest)
    put(account, "artifacts", "models/x/j/output/model.tar.gz", model)
    add_model(account, 0.9, archive="s3://artifacts/models/x/j/output/model.tar.gz")
    files = [("s3://uploads/train/claims.csv", first), ("s3://uploads/requests/ab/decided.jsonl", second)]
    made_of = {
        "files": [{"uri": uri, "version": v, "etag": "e", "size": 1, "sha256": "a"} for uri, v in files],
        "decisions": {"until": WHEN, "file": files[1][0]},
        "config": {},
    }
    put(account, "artifacts", "models/x/j/lineage.json", json.dumps(made_of).encode())
    for run, number in (
        (RUN, 1),
        (RUN, 3),
        (keys.suspects_of("train-x"), 1),
        (keys.suspects_of("train-x"), 2),
    ):
        decide(account, run, number)
    return account


def decide(account: Account, run: str, number: int) -> None:
    kept, person = Decisions(account.dynamodb, "decisions", run), Person("Eva", "w")
    kept.hold(number, person)
    kept.decide(Asked(number, "Brakes", 1, False), Answer("Engine", f"{run}{number}", 0), person)


def forget(account: Account, *values: str, do: bool = True) -> Erasure:
    return erasure.erase(account, stack.read_stack(account), claim(*values), lambda _: None, do=do)


def every_version(account: Account) -> Iterator[tuple[str, bytes]]:
    """Yield the content of all versions of all objects, unpacked."""
    for bucket in ("uploads", "artifacts", "results"):
        for page in account.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for each in page.get("Versions", []):
                body = account.s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])[
                    "Body"
                ]
                content = body.read()
                if each["Key"].endswith(".tar.gz"):
                    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                        files = (archive.extractfile(member) for member in archive)
                        content = b"".join(file.read() for file in files if file)
                yield f"{bucket}/{each['Key']}", content


def holding(account: Account) -> list[str]:
    """Return the objects of which a version still holds the claim's text or number."""
    marks = [GONE.encode(), json.dumps(GONE).encode(), b"\n4711,", b"\n4711;", b'"4711"']
    return [name for name, content in every_version(account) if any(mark in content for mark in marks)]


def test_a_claim_is_gone_from_all_versions_of_all_files_but_from_another_claims_row(full: Account) -> None:
    assert len(holding(full)) > 10

    forget(full)

    assert holding(full) == ["artifacts/runs/other/train/part-00000.csv"]


def test_without_yes_nothing_is_changed_and_the_same_is_told(full: Account) -> None:
    before = list(every_version(full))

    planned = forget(full, do=False)

    assert list(every_version(full)) == before
    done = forget(full)
    assert [(each.uri, each.rows, each.versions, each.rewritten) for each in planned.effects] == [
        (each.uri, each.rows, each.versions, each.rewritten) for each in done.effects
    ]


def test_a_second_time_nothing_is_found(full: Account) -> None:
    forget(full)

    assert forget(full).effects == []


def test_of_a_rewritten_upload_every_other_row_is_as_it_was(full: Account) -> None:
    made = forget(full)

    (now,) = (each.now for each in made.effects if each.uri == "s3://uploads/predict/more.csv")
    kept = [row for row in rows(labelled=False) if row[0] != "4711"]
    assert get(full, "uploads", now.removeprefix("s3://uploads/")) == lines_of(kept, ";")


def test_a_rewritten_upload_lies_where_it_starts_no_run_and_no_older_version_takes_its_place(
    full: Account,
) -> None:
    made = forget(full)

    assert all(each.now.startswith("s3://uploads/requests/") for each in made.effects if each.now)
    with pytest.raises(full.s3.exceptions.NoSuchKey):
        get(full, "uploads", "train/claims.csv")


def test_the_final_file_still_gives_each_row_its_own_decision(full: Account, tmp_path: Path) -> None:
    forget(full)

    path, counts = final.write(full, stack.read_stack(full), RUN, tmp_path)

    with path.open(encoding="utf-8-sig", newline="") as file:
        _, *found = csv.reader(file)
    assert [(row[0], row[-3]) for row in found] == [
        ("1", "Brakes"),
        ("47110", "Brakes"),
        ("2", "Engine"),
        ("3", "Brakes"),
    ]
    assert (counts.rows, counts.by_people) == (4, 1)


def test_the_queue_is_read_without_the_row(full: Account) -> None:
    forget(full)

    reader = queues.reader(full)

    assert (reader.rows, reader.row(0)["number"], reader.find(1)) == (1, 3, None)


def test_a_suspect_leaves_an_empty_place_so_that_the_others_keep_theirs(full: Account) -> None:
    forget(full)

    _, found = suspects.read(full, stack.read_stack(full), "train-x")
    assert [row.text for row in found] == [OTHERS[0], "", OTHERS[2]]
    kept = Decisions(full.dynamodb, "decisions", keys.suspects_of("train-x"))
    assert (kept.one(1), kept.one(2) is None) == (None, False)


def test_what_people_decided_of_it_is_deleted(full: Account) -> None:
    made = forget(full)

    kept = Decisions(full.dynamodb, "decisions", RUN)
    assert (made.decisions, kept.one(1), kept.one(3) is None) == (2, None, False)


def test_a_models_manifest_has_the_digests_of_its_rewritten_files(full: Account) -> None:
    forget(full)

    with tarfile.open(
        fileobj=io.BytesIO(get(full, "artifacts", "models/x/j/output/model.tar.gz"))
    ) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    named = json.loads(files["manifest.json"])["files"]
    assert named["evaluation.json"] == hashlib.sha256(files["evaluation.json"]).hexdigest()
    assert (named["config.json"], files["a.params"]) == ("c", b"weights")


def test_the_models_that_learned_from_it_are_named_and_their_lineage_names_what_to_learn_now(
    full: Account,
) -> None:
    made = forget(full)

    assert [(model.version, state) for model, state in made.learned] == [(1, "live")]
    document: Lineage = json.loads(get(full, "artifacts", "models/x/j/lineage.json"))
    for file in document["files"]:
        now = file["rewritten"]
        bucket, key = now["uri"].removeprefix("s3://").split("/", 1)
        there = full.s3.get_object(Bucket=bucket, Key=key, VersionId=now["version"] or "")
        assert hashlib.sha256(there["Body"].read()).hexdigest() == now["sha256"]


def test_the_live_model_is_trained_anew_from_the_rewritten_files_though_nothing_was_decided_since(
    full: Account,
) -> None:
    forget(full)

    planned = retraining.plan(full, stack.read_stack(full))

    document: Lineage = json.loads(get(full, "artifacts", "models/x/j/lineage.json"))
    first, decided = planned.request["data"]
    assert first == document["files"][0]["rewritten"]["uri"]
    bucket, key = decided.removeprefix("s3://").split("/", 1)
    assert GONE not in get(full, bucket, key).decode()


def test_wherever_it_is_interrupted_the_same_command_ends_the_job(
    full: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the first change fail, then the second of the next try, and so on until one goes through."""
    call, made = BaseClient._make_api_call, 0  # type: ignore[attr-defined]
    allowed = 0

    def broken(self: Any, name: str, arguments: dict[str, Any]) -> Any:
        nonlocal made
        if name in MUTATING:
            made += 1
            if made > allowed:
                raise ConnectionError
        return call(self, name, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", broken)
    interrupted = 0
    while True:
        try:
            forget(full)
        except ConnectionError:
            interrupted, allowed, made = interrupted + 1, allowed + 1, 0
        else:
            break
    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    assert interrupted > 5
    assert holding(full) == ["artifacts/runs/other/train/part-00000.csv"]
    assert final.write(full, stack.read_stack(full), RUN, Path("out"))[1].rows == 4
    assert queues.reader(full).rows == 1


def test_a_file_that_a_run_reads_is_refused(full: Account, machine: PlayedStepFunctions) -> None:
    machine.add("train-claims-1", "trained")
    machine.running.add("train-claims-1")
    read = runs.glance(full, f"{EXECUTIONS}:train-claims-1").data["request"]["data"]  # type: ignore[typeddict-item]
    bucket, key = str(read).removeprefix("s3://").split("/", 1)
    full.s3.create_bucket(Bucket=bucket)
    put(full, bucket, key, lines_of(rows()))
    named = replace(stack.read_stack(full), uploads=bucket)
    before = list(every_version(full))

    with pytest.raises(CommandError, match="train-claims-1 goes on and reads"):
        erasure.erase(full, named, claim(), lambda _: None, do=True)

    assert list(every_version(full)) == before


def test_the_command_says_what_it_would_do_and_which_model_to_train_anew(full: Account) -> None:
    said = CliRunner().invoke(app, ["forget", "--column", "Claim_ID", "--value", "4711"])

    assert said.exit_code == 0, said.output
    assert "s3://uploads/train/claims.csv" in said.output
    assert "Model version 1 (live) has learned" in said.output
    assert "claimflow retrain" in said.output
    assert "--yes does it" in said.output


def test_a_value_that_no_file_has_is_told_so(full: Account) -> None:
    said = CliRunner().invoke(app, ["forget", "--column", "claim_id", "--value", "471", "--yes"])

    assert (said.exit_code, "nothing was found" in said.output) == (0, True)


def test_a_file_with_wrong_quotes_is_left_as_it_is_and_named(account: Account) -> None:
    content = b'claim_id,text\r\n4711,"one\r\n5,"two"\r\n'
    put(account, "uploads", "predict/bad.csv", content)

    made = forget(account)

    assert get(account, "uploads", "predict/bad.csv") == content
    assert "quotes of the row on line 2" in made.unread["s3://uploads/predict/bad.csv"]


def test_a_row_that_a_quote_swallowed_is_not_taken_out_with_another(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'claim_id,text\r\n4711,"one\r\n5,two"\r\n')
    table = tables.opened(path, "claim_id")
    assert table
    with pytest.raises(tables.NotReadableError, match="look like rows of their own"):
        table.rewrite(tmp_path / "b.csv", lambda row: None if row.value == "4711" else row.cells)


CELLS = [
    "a",
    "",
    " ",
    "4711",
    'q"q',
    "x,y",
    "x;y",
    "é",
    "ß“",
    "line\nbreak",
    "line\r\nbreak",
    "=1+1",
    "'",
    "日本",
]


@pytest.mark.parametrize("seed", range(150))
def test_of_a_random_table_every_other_row_stays_byte_for_byte(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    delimiter, end = draw.choice(",;\t|"), draw.choice(["\r\n", "\n"])
    encoding = draw.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    known = CELLS if encoding != "cp1252" else CELLS[:-1]
    table = [["a b", "Claim ID", "text"]]
    table += [
        [draw.choice(known), draw.choice(["4711", "1", "47"]), draw.choice(known)]
        for _ in range(draw.randrange(30))
    ]
    raw = [csv_line(row, delimiter) + end for row in table]
    if draw.random() < 0.3:
        raw[-1] = raw[-1].removesuffix(end)
    content = "".join(raw).encode(encoding)
    path, to = tmp_path / "before", tmp_path / "after"
    path.write_bytes(gzip.compress(content) if draw.random() < 0.3 else content)
    found = tables.opened(path, "claim id")
    assert found

    gone = found.rewrite(to, lambda row: None if row.value == "4711" else row.cells)

    left = [text for text, row in zip(raw, table, strict=True) if row[1] != "4711"]
    made = to.read_bytes()
    assert (gzip.decompress(made) if made[:2] == b"\x1f\x8b" else made) == "".join(left).encode(encoding)
    assert gone == len(raw) - len(left)
    seen = [(row.line, row.cells) for row in found.rows()]
    assert seen == [
        (row.line, row.cells) for row in Table(io.BufferedReader(io.BytesIO(path.read_bytes())), "a.csv")
    ]


@pytest.mark.parametrize("made_by", ["claimflow", "openpyxl"])
def test_of_a_workbook_every_other_row_stays_as_it_was(made_by: str, tmp_path: Path) -> None:
    path, to = tmp_path / "before.xlsx", tmp_path / "after.xlsx"
    table = [["claim_id", "text"], ["1", "a & b"], ["4711", GONE], ["2", "ü < ß"], ["4711", "a & b"]]
    if made_by == "claimflow":
        from shared.workbook import Workbook  # noqa: PLC0415

        book = Workbook(path)
        for row in table:
            book.write(row)
        book.close(whole=True)
    else:
        sheet = openpyxl.Workbook()
        for row in table:
            sheet.active.append([int(row[0]) if row[0].isdecimal() else row[0], row[1]])  # type: ignore[union-attr]
        sheet.save(path)
    found = tables.opened(path, "claim_id")
    assert found

    assert found.rewrite(to, lambda row: None if row.value == "4711" else row.cells) == 2

    left = [row for row in openpyxl.load_workbook(to).worksheets[0].iter_rows(values_only=True) if any(row)]
    assert [[str(cell) for cell in row] for row in left] == [row for row in table if row[0] != "4711"]
    assert GONE.encode() not in b"".join(_parts(to))


def test_a_workbook_with_more_than_tables_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "before.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["claim_id"])  # type: ignore[union-attr]
    book.active.append(["4711"])  # type: ignore[union-attr]
    book.active["A2"].comment = openpyxl.comments.Comment("4711 again", "Eva")  # type: ignore[index,union-attr]
    book.save(path)
    found = tables.opened(path, "claim_id")
    assert found

    with pytest.raises(tables.NotReadableError, match="more than tables"):
        found.rewrite(tmp_path / "after.xlsx", lambda row: None if row.value == "4711" else row.cells)


def test_json_lines_lose_the_row_and_keep_the_others_byte_for_byte(tmp_path: Path) -> None:
    path, to = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    lines = ['{"claim_id": 47110, "text": "ü"}\n', '{"text": "x", "claim_id": 4711}\n', '{"claim_id":1}']
    path.write_bytes("".join(lines).encode())
    found = tables.opened(path, "claim_id")
    assert found

    assert found.rewrite(to, lambda row: None if row.value == "4711" else row.cells) == 1
    assert to.read_bytes() == (lines[0] + lines[2]).encode()


def test_an_empty_row_stands_in_the_place_of_one_that_is_counted() -> None:
    assert removed(3) == ["", "", REMOVED]


def _parts(path: Path) -> Iterator[bytes]:
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(path) as book:
        yield from (book.read(name) for name in book.namelist())


def test_a_copy_whose_text_was_masked_is_known_too() -> None:
    found = claim()
    found.learn(tables.Row(1, 3, ["4711", "mail eva@example.org"], "4711"), is_input=True)

    assert found.is_copy("mail [email]", line=3)
    assert not found.is_copy("mail [email]", line=4)
