"""The merge of rows, rejected lines and parts: no row is lost, none comes twice."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collect.merge import ShardPart, merge, predictions
from collect.queue import QueueFiles
from collect.results import Output, write
from contract.errors import PredictionFailed
from contract.part import Prediction, cells, columns
from contract.plain import is_blank
from contract.spreadsheet import harmless
from shared.table import Row, Table
from tests.predictions import prediction

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def said(number: int) -> Prediction:
    return prediction(number, f"class {number % 3}", 0.9, "other")


def part_of(found: list[Prediction]) -> Callable[[], io.StringIO]:
    file = io.StringIO()
    lines = [cells(each, explain=False) for each in found]
    csv.writer(file).writerows([columns(explain=False), *lines])
    return lambda: io.StringIO(file.getvalue(), newline="")


def shard(number: int, found: list[Prediction], rows: int | None = None) -> ShardPart:
    return ShardPart(number, len(found) if rows is None else rows, part_of(found))


@given(
    st.lists(st.tuples(CELLS, CELLS, st.booleans()), min_size=1, max_size=30),
    st.integers(1, 7),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_comes_out_once_in_order_with_its_own_cells(
    tmp_path: Path, rows: list[tuple[str, str, bool]], per_shard: int, marked: bool
) -> None:
    rows = [row for row in rows if not all(map(is_blank, row[:2]))] or [("x", "", False)]
    source = io.StringIO()
    csv.writer(source, quoting=csv.QUOTE_ALL).writerows([("one", "two"), *((a, b) for a, b, _ in rows)])
    table = list(Table(io.BytesIO(source.getvalue().encode()), "f.csv"))
    rejected = [(row.line, "no text") for row, (_, _, bad) in zip(table, rows, strict=True) if bad]
    good = [said(row.number) for row, (_, _, bad) in zip(table, rows, strict=True) if not bad]
    shards = [shard(n, good[at : at + per_shard]) for n, at in enumerate(range(0, len(good), per_shard))]
    results, review = tmp_path / "results.csv", tmp_path / "review.csv"

    merged = merge(table, iter(rejected), predictions(shards))
    with QueueFiles(tmp_path, 0.02, "run") as queue:
        tally = write(merged, Output(["one", "two"], None, marked), results, review, queue)

    with results.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.reader(file))
    assert [tuple(row[:2]) for row in written[1:]] == [(harmless(a), harmless(b)) for a, b, _ in rows]
    assert [row[2] for row in written[1:]] == [
        "" if bad else f"class {number % 3}" for number, (_, _, bad) in enumerate(rows)
    ]
    assert (tally.rows, tally.predicted, tally.rejected.total()) == (len(rows), len(good), len(rejected))


ROWS = [Row(n, n + 2, [f"t{n}"]) for n in range(4)]


@pytest.mark.parametrize(
    ("found", "rejected", "message"),
    [
        ([0, 1, 2], [], r"row 3 \(line 5\) is due, and the parts have nothing more"),
        ([0, 2, 3], [], r"row 1 \(line 3\) is due, and the parts have row 2"),
        ([0, 1, 1, 2, 3], [], r"row 2 \(line 4\) is due, and the parts have row 1"),
        ([1, 0, 2, 3], [], r"row 0 \(line 2\) is due"),
        ([0, 1, 2, 3, 4], [], "The parts have row 4, which is not in the file"),
        ([0, 1, 2, 3], [3], r"The parts have row 1|is due, and the parts have row 1"),
        ([0, 1, 2, 3], [99], "The rejected rows name line 99, on which no row starts"),
    ],
)
def test_rows_that_do_not_fit_are_told(found: list[int], rejected: list[int], message: str) -> None:
    with pytest.raises(PredictionFailed, match=message):
        list(merge(ROWS, iter([(line, "no text") for line in rejected]), (said(n) for n in found)))


PLAIN = ",".join(columns(explain=False))
EXPLAINED = ",".join(columns(explain=True))
WHOLE = prediction(0, "a", 0.9, "b", "", "x (+1.0)")
PLAIN_LINE = ",".join(cells(WHOLE, explain=False))
EXPLAINED_LINE = ",".join(cells(WHOLE, explain=True))


def text_part(text: str) -> ShardPart:
    return ShardPart(3, 1, lambda: io.StringIO(text, newline=""))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (shard(3, [said(0)], rows=2), "Shard 3 cannot be used: it has 1 of 2 rows"),
        (shard(3, [said(0), said(1)], rows=1), "Shard 3 cannot be used: it has 2 of 1 rows"),
        (
            text_part(""),
            "Shard 3 cannot be used: its columns are missing, not .*; if another image made it, start",
        ),
        (text_part("row,prediction\n0,a\n"), "its columns are row,prediction, not row,prediction,confidence"),
        (text_part(f"{PLAIN}\n0,a,0.9\n"), r"a row of it cannot be read \(it has 3 cells, not \d\)"),
        (
            text_part(f"{PLAIN}\n{EXPLAINED_LINE}\n"),
            r"a row of it cannot be read \(it has \d cells, not \d\)",
        ),
        (text_part(f"{EXPLAINED}\n{EXPLAINED_LINE}\n"), f"its columns are {EXPLAINED}, not {PLAIN};"),
        (text_part(f"{PLAIN}\nx{PLAIN_LINE[1:]}\n"), r"a row of it cannot be read \(invalid literal"),
        (text_part(PLAIN + '\n0,"a'), "it is not a whole CSV file"),
    ],
)
def test_a_part_that_is_not_whole_names_its_shard(broken: ShardPart, message: str) -> None:
    with pytest.raises(PredictionFailed, match=message):
        list(predictions([broken]))


@pytest.mark.parametrize("explain", [False, True])
def test_a_part_of_an_image_that_knew_no_hierarchy_is_read_as_one_without(explain: bool) -> None:
    header = [name for name in columns(explain=explain) if name != "levels"]
    line = [0, "a", 0.9, "b", "", *["x (+1.0)"] * explain]
    part = io.StringIO()
    csv.writer(part).writerows([header, line])
    (found,) = predictions([text_part(part.getvalue())], explain=explain)
    assert found == (WHOLE if explain else WHOLE._replace(because=""))


def test_a_part_with_explanations_has_one_more_column() -> None:
    part = text_part(f"{EXPLAINED}\n{EXPLAINED_LINE}\n")
    assert list(predictions([part], explain=True)) == [WHOLE]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{PLAIN}\n{PLAIN_LINE}\n", f"its columns are {PLAIN}, not {EXPLAINED};"),
        (f"{EXPLAINED}\n{PLAIN_LINE}\n", r"a row of it cannot be read \(it has \d cells, not \d\)"),
    ],
)
def test_a_part_without_the_explanations_that_were_asked_for_names_its_shard(text: str, message: str) -> None:
    with pytest.raises(PredictionFailed, match=f"Shard 3 cannot be used: {message}"):
        list(predictions([text_part(text)], explain=True))
