"""validate: how a file to predict is cut up."""

import hashlib
from typing import Any

import pytest

from contract.errors import InvalidData
from tests.unit.functions.stack import ARTIFACTS, RESULTS, Stack, csv_text, labelled
from validate import sharding


@pytest.fixture
def live(stack: Stack) -> Stack:
    stack.live()
    return stack


def test_shards_hold_every_usable_row_in_order(live: Stack) -> None:
    rows = [(n, f"text {n}" if n % 10 else " ") for n in range(95)]
    state = live.validated("predict", csv_text(["id", "text"], rows), {"rows_per_shard": 20})
    found = state["validation"]["predict"]
    manifest = live.json(found["manifest"])
    shards = [live.table(shard["uri"]) for shard in manifest["shards"]]
    assert (
        [len(shard) for shard in shards]
        == [shard["rows"] for shard in manifest["shards"]]
        == [20, 20, 20, 20, 5]
    )
    assert [(int(r["row"]), r["text"]) for shard in shards for r in shard] == [
        row for row in rows if row[0] % 10
    ]
    assert (found["shards"], found["rows"], found["rejected"], found["single"]) == (5, 95, 10, False)


def test_the_manifest_is_what_the_contract_says(live: Stack) -> None:
    state = live.validated("predict", "id,review,label\n1,x,Engine\n2,,b\n")
    run = state["run"]["id"]
    data, shard = state["run"]["data"], f"s3://{ARTIFACTS}/runs/{run}/predict/shard-00000.csv"
    assert live.json(state["validation"]["predict"]["manifest"]) == {
        "schema": 1,
        "run": run,
        "output": f"s3://{ARTIFACTS}/runs/{run}/predict/parts",
        "shards": [{"uri": shard, "rows": 1, "sha256": hashlib.sha256(live.read(shard)).hexdigest()}],
        "source": {key: data[key] for key in ("uri", "version", "etag", "size")},
        "columns": ["id", "review", "label"],
        "text_column": "review",
        "label_column": "label",
        "rows": 2,
        "rejected": 1,
        "rejected_uri": f"s3://{RESULTS}/{state['run']['name']}/claims.rejected.csv",
        "rejected_rows": f"s3://{ARTIFACTS}/runs/{run}/predict/rejected.csv",
        "explain": False,
        "target_precision": None,
        "reading": {
            "format": "csv",
            "encoding": "utf-8",
            "delimiter": ",",
            "byte_order_mark": False,
            "sheet": None,
            "described": "",
        },
    }


def test_the_manifest_says_that_explanations_are_asked_for(live: Stack) -> None:
    state = live.validated("predict", "text\nx\n", {"explain": True})
    manifest = live.json(state["validation"]["predict"]["manifest"])
    assert (manifest["explain"], manifest["schema"]) == (True, 1)


@pytest.mark.parametrize(("rows", "shards"), [(1, 1), (4, 1), (5, 1), (6, 2), (10, 2), (11, 3)])
def test_one_shard_is_single(live: Stack, rows: int, shards: int) -> None:
    content = csv_text(["text"], [(f"t{n}",) for n in range(rows)])
    found = live.validated("predict", content, {"rows_per_shard": 5})["validation"]["predict"]
    assert (found["shards"], found["single"]) == (shards, shards == 1)


def test_a_label_is_not_needed_and_an_empty_one_is_fine(live: Stack) -> None:
    found = live.validated("predict", "text,label\na,\nb,x\n")["validation"]["predict"]
    assert (found["rows"], found["rejected"]) == (2, 0)


def test_shards_go_on_across_chunks(live: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validate.rows.CHUNK_ROWS", 7)
    content = csv_text(["text"], [(f"t{n}",) for n in range(50)])
    state = live.validated("predict", content, {"rows_per_shard": 10})
    manifest = live.json(state["validation"]["predict"]["manifest"])
    assert [shard["rows"] for shard in manifest["shards"]] == [10] * 5


def test_long_texts_end_a_chunk_early(live: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validate.rows.CHUNK_CHARACTERS", 100)
    content = csv_text(["text"], [("x" * 60,) for _ in range(9)])
    assert live.validated("predict", content)["validation"]["predict"]["rows"] == 9


def sizes_of(live: Stack, content: str, config: dict[str, Any] | None = None) -> list[int]:
    state = live.validated("predict", content, config)
    return [shard["rows"] for shard in live.json(state["validation"]["predict"]["manifest"])["shards"]]


def test_a_shard_ends_with_very_much_text_too(live: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validate.sharding.SHARD_CHARACTERS", 100)
    monkeypatch.setattr("validate.rows.CHUNK_ROWS", 4)
    content = csv_text(["text"], [("x" * size,) for size in (60, 40, 99, 200, 1, 2, 3, 94, 5)])
    assert sizes_of(live, content) == [2, 2, 4, 1]


def test_the_shards_of_a_long_file_grow_so_that_there_are_never_too_many(
    live: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = csv_text(["text"], [(f"t{n}",) for n in range(70)])
    assert sizes_of(live, content) == [70]
    monkeypatch.setattr("validate.sharding.FIRST_SHARDS_ROWS", 5)
    monkeypatch.setattr("validate.sharding.SHARDS_OF_A_SIZE", 2)
    assert sizes_of(live, content) == [5, 5, 10, 10, 20, 20]
    assert sizes_of(live, content, {"rows_per_shard": 40}) == [40, 30]


def test_a_hundred_million_rows_make_a_thousand_shards() -> None:
    rows = shards = 0
    while rows < 100_000_000:
        rows, shards = rows + sharding.rows_of(shards), shards + 1
    assert 1_000 < shards < 1_500


def test_more_rows_than_collect_has_time_for_are_refused_before_anything_is_labelled(
    live: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("validate.sharding.ROW_SECONDS", 100)
    content = csv_text(["text"], [(f"t{n}",) for n in range(10)])
    told = r"too many rows .* 900 seconds of a function, .* about 10: cut it up into several files"
    with pytest.raises(InvalidData, match=told):
        live.validated("predict", content)
    monkeypatch.setenv("CLAIMFLOW_COLLECT_SECONDS", "1001")
    assert sizes_of(live, content) == [10]


def test_too_many_shards_are_refused_with_what_to_do(live: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validate.sharding.SHARD_LIMIT", 3)
    content = csv_text(["text"], [(f"t{n}",) for n in range(7)])
    with pytest.raises(InvalidData, match=r"more than 6 usable rows, .*larger rows_per_shard"):
        live.validated("predict", content, {"rows_per_shard": 2})
    assert live.validated("predict", content, {"rows_per_shard": 3})["validation"]["predict"]["shards"] == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\n", "has a header and no rows"),
        ("id,text\n1, \n2,\n", "none of its 2 rows can be used"),
        ("id\n1\n", "no column holds the text"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(live: Stack, content: str, said: str) -> None:
    with pytest.raises(InvalidData, match=said):
        live.validated("predict", content)


def test_doing_it_again_writes_the_same_objects(live: Stack) -> None:
    state = live.validated(
        "predict", csv_text(["text"], [(f"t{n}",) for n in range(9)]), {"rows_per_shard": 4}
    )
    before = live.everything()
    assert live.validate(state) == state["validation"]
    assert live.everything() == before


def test_why_rows_of_a_file_to_label_are_rejected_is_told_with_how_many(live: Stack) -> None:
    content = "id,text\n1,x\n2, \n3,y,z\n4\n5,u\n"
    assert live.validated("predict", content)["validation"]["predict"]["warnings"][0] == (
        "3 of 5 rows cannot be labelled, as the results tell: wrong number of cells (2), no text (1)."
    )


def test_a_training_with_a_prediction_checks_both_files_and_keeps_their_rejected_rows_apart(
    stack: Stack,
) -> None:
    data = stack.upload("train/a.csv", labelled(10) + ",brakes\r\n")
    new = stack.upload("requests/new.csv", "id,text\n1,x\n2, \n3,y\n")
    run = stack.prepare({"action": "train", "data": data, "predict": new})
    validation = stack.validate({"run": run})
    assert validation["train"]["rejected"] == 1
    assert validation["predict"]["rejected"] == 1
    assert len(stack.table(f"s3://{RESULTS}/{run['name']}/a.rejected.csv")) == 1
    manifest = stack.json(validation["predict"]["manifest"])
    assert manifest["rejected_uri"] == f"s3://{RESULTS}/{run['name']}/predict/new.rejected.csv"
