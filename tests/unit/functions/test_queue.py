"""The queue: which rows people look at, in which order, a page at a time, and audits that nobody can tell."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from collect import queue
from collect.queue import DISAGREES, OTHER, QueueFiles, audits_wanted, group_of
from contract.part import LOW_CONFIDENCE as LOW
from contract.part import MAY_BE
from contract.part import UNFAMILIAR as UNLIKE
from contract.queue import QueueRow
from tests.unit.functions.stack import Stack
from tests.unit.functions.test_collect import CLAIMS, predicted


def row(number: int, reason: str = "", text: str = "text") -> QueueRow:
    return {
        "number": number,
        "line": number + 2,
        "cells": [text],
        "prediction": f"class {number % 3}",
        "confidence": 0.9,
        "second": "class 9",
        "decided": "",
        "reason": reason,
        "group": group_of(reason),
        "audit": not reason,
    }


def written(folder: Path, reviews: list[QueueRow], accepted: int = 0, share: float = 0.02) -> Any:
    """Return the rows of a queue, in its order, and what was written."""
    with QueueFiles(folder, share, "run") as files:
        for each in reviews:
            files.review(each)
        for number in range(accepted):
            files.accept(row(10_000 + number))
        made = files.write(folder / "rows")
    return [json.loads(line) for line in (folder / "rows").read_bytes().splitlines()], made


@pytest.mark.parametrize(
    ("reason", "group"),
    [
        ("low confidence", LOW),
        ("nothing is accepted at this target", LOW),
        ("unlike the training texts", UNLIKE),
        ("may be another category: Fire", MAY_BE),
        ("the given category disagrees: engine", DISAGREES),
        ("low confidence; the given category disagrees: engine", DISAGREES),
        ("may be another category: Fire; the given category disagrees: Water", MAY_BE),
        ("what a newer image says", OTHER),
        ("what a newer image says; low confidence", LOW),
    ],
)
def test_a_row_is_of_the_first_kind_of_its_reasons(reason: str, group: str) -> None:
    assert group_of(reason) == group


def test_the_kinds_come_in_order_and_rows_of_one_kind_as_in_the_file(tmp_path: Path) -> None:
    reasons = ["low confidence", "unlike the training texts", "may be another category: Fire", "new"]
    rows, made = written(tmp_path, [row(n, reasons[n % 4]) for n in range(8)])
    assert [each["number"] for each in rows] == [2, 6, 1, 5, 0, 4, 3, 7]
    assert dict(made.groups) == {MAY_BE: 2, UNLIKE: 2, LOW: 2, OTHER: 2}
    assert (made.to_review, made.audits, made.left_out) == (8, 0, 0)


@pytest.mark.parametrize(
    ("accepted", "share", "wanted"),
    [(0, 0.02, 0), (30, 0.02, 30), (1_000, 0.02, 50), (10_000, 0.02, 200), (100_000, 0.02, 500), (100, 0, 0)],
)
def test_some_of_the_accepted_rows_are_audited(accepted: int, share: float, wanted: int) -> None:
    assert audits_wanted(accepted, share) == wanted


def test_the_same_rows_are_drawn_again_and_others_for_another_run(tmp_path: Path) -> None:
    def drawn(seed: str) -> set[int]:
        with QueueFiles(tmp_path, 0.02, seed) as files:
            for number in range(1_000):
                files.accept(row(number))
            files.write(tmp_path / seed)
        return {json.loads(line)["number"] for line in (tmp_path / seed).read_bytes().splitlines()}

    assert drawn("one") == drawn("one")
    assert len(drawn("one")) == 50
    assert drawn("one") != drawn("two")


def test_audits_stand_among_the_others_and_in_their_groups(tmp_path: Path) -> None:
    reviews = [row(n, "low confidence" if n % 2 else "unlike the training texts") for n in range(1_000)]
    rows, made = written(tmp_path, reviews, accepted=2_000)
    places = [place for place, each in enumerate(rows) if each["audit"]]
    assert (made.audits, len(rows)) == (50, 1_050)
    assert min(places) < 200
    assert max(places) > 800
    groups = Counter(rows[place]["group"] for place in places)
    assert set(groups) == {LOW, UNLIKE}
    assert [each["number"] for each in rows if not each["audit"]] == [
        *range(0, 1_000, 2),
        *range(1, 1_000, 2),
    ]


def test_an_audit_never_stands_among_rows_whose_given_category_disagrees(tmp_path: Path) -> None:
    rows, _ = written(tmp_path, [row(n, "the given category disagrees: x") for n in range(10)], accepted=100)
    assert {each["group"] for each in rows if each["audit"]} == {LOW}


def test_a_file_of_which_all_is_accepted_has_audits_only(tmp_path: Path) -> None:
    rows, made = written(tmp_path, [], accepted=80)
    assert len(rows) == made.audits == 50
    assert made.pages[0]["rows"] == 50


def test_pages_are_ranges_of_the_file_in_its_order(tmp_path: Path) -> None:
    rows, made = written(tmp_path, [row(n, "low confidence", "é" * n) for n in range(250)])
    content = (tmp_path / "rows").read_bytes()
    read: list[Any] = []
    for page in made.pages:
        assert page["first"] == len(read)
        lines = content[page["offset"] : page["offset"] + page["size"]].splitlines()
        assert len(lines) == page["rows"] <= queue.PAGE_ROWS
        read += [json.loads(line) for line in lines]
    assert read == rows
    assert sum(page["size"] for page in made.pages) == len(content)


def test_long_rows_make_short_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "PAGE_BYTES", 1_000)
    _, made = written(tmp_path, [row(n, "low confidence", "x" * 600) for n in range(5)])
    assert [page["rows"] for page in made.pages] == [1] * 5


def test_what_the_queue_has_no_room_for_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST_BYTES", 1_000)
    rows, made = written(tmp_path, [row(n, "low confidence") for n in range(20)])
    assert 0 < len(rows) < 20
    assert made.left_out == 20 - len(rows)


def test_long_accepted_rows_are_not_all_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST_AUDIT_BYTES", 2_000)
    _, made = written(tmp_path, [], accepted=1_000)
    assert 0 < made.audits < 50


def index_of(stack: Stack, state: Any) -> Any:
    return stack.json(stack.json(stack.collect(state)["manifest"])["files"]["queue"])


def rows_of(stack: Stack, index: Any) -> list[Any]:
    return [json.loads(line) for line in stack.read(index["rows"]).splitlines()]


def test_a_run_leaves_its_queue_and_an_index_of_it(stack: Stack) -> None:
    stack.live()
    index = index_of(stack, predicted(stack, CLAIMS))
    assert (index["file"], index["model"], index["columns"]) == ("claims.csv", 1, ["id", "text", "label"])
    assert (index["text"], index["label"], index["categories"]) == (1, 2, ["brakes", "engine"])
    assert (index["to_review"], index["audits"], index["left_out"]) == (3, 1, 0)
    assert sum(index["groups"].values()) == 4
    assert index["by_category"] == {"brakes": 2, "engine": 2}
    rows = rows_of(stack, index)
    assert {(each["number"], each["audit"]) for each in rows} == {
        (0, True),
        (1, False),
        (3, False),
        (4, False),
    }
    (doubted,) = [each for each in rows if each["number"] == 3]
    assert (doubted["line"], doubted["cells"]) == (5, ["4", "unsure engine", "engine"])
    assert (doubted["prediction"], doubted["confidence"], doubted["second"]) == (
        "engine",
        0.7512,
        "wheels",
    )
    assert (doubted["reason"], doubted["group"]) == ("low confidence", LOW)


def test_the_index_says_how_the_results_are_read_again(stack: Stack) -> None:
    stack.live()
    form = index_of(stack, predicted(stack, CLAIMS.replace(",", ";")))["results"]
    assert (form["format"], form["delimiter"]) == ("csv", ";")
    lines = stack.read(form["uri"]).decode("utf-8-sig").splitlines()
    assert lines[0].split(";") == form["columns"]
    assert lines[1].split(";")[form["category_column"]] == "brakes"
    assert lines[1].split(";")[form["review_column"]] == "false"


def test_without_audits_the_queue_has_the_rows_to_review_alone(stack: Stack) -> None:
    stack.live()
    index = index_of(stack, predicted(stack, CLAIMS, {"audit_share": 0}))
    assert (index["to_review"], index["audits"]) == (3, 0)


def test_the_order_tells_of_each_row_what_its_page_says(tmp_path: Path) -> None:
    reviews = [row(n, reason) for n, reason in enumerate(("low confidence", "unlike the training texts") * 4)]
    rows, made = written(tmp_path, reviews, accepted=60)
    categories = sorted(made.by_category)
    order, groups = made.order(categories), list(made.groups)
    assert order["numbers"] == [each["number"] for each in rows]
    assert [categories[place] for place in order["predictions"]] == [each["prediction"] for each in rows]
    assert [groups[place] for place in order["groups"]] == [each["group"] for each in rows]
