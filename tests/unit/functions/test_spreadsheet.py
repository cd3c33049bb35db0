"""Cells that nobody's spreadsheet runs, and that come back as they were."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.columns import REJECTED, RESULTS
from contract.plain import plain
from contract.spreadsheet import csv_line, harmless, original
from shared.ours import free_name, is_ours

NASTY = st.text(st.sampled_from("'=+-@\t\r\n \ufeff\u200b\xa0＝－,;|\"01.e%x\x0b\x85\u2028"), max_size=8)
CELLS = st.one_of(NASTY, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))


@pytest.mark.parametrize(
    "number", ["-3", "+1.5", "-1,200.50", "-1.200,50", "-.5", "-1e-5", "+12%", "-0", " -3"]
)
def test_a_number_is_no_formula(number: str) -> None:
    assert harmless(number) == number


@pytest.mark.parametrize(
    "cell",
    [
        *("-", "+", "-1-1", "-A1", "=1", "@x", "\t1", "\r1", "\n1", "-1 ", "+1\n", "-1e", "--1"),
        *(" =1", "\xa0@x", "\ufeff=1", "\u200b \ufeff+A1", "\x0b=1", "\u2060-A1", "\xad=1", "\u3000=1"),
        *("＝1", "＋1", "－1", "＠x", "﹦1", " ＝1"),
    ],
)
def test_all_else_with_such_a_start_is_guarded(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "'", "x", "'x", "a=b", "''", " x", "'-3", "\ufeff", "10-3", "."])
def test_all_other_cells_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell
    assert original(cell) == cell


@given(CELLS)
@example("'=1")
@example("''\ufeff=1")
@example("'-3")
def test_taking_the_guard_off_gives_the_cell_that_was_guarded(cell: str) -> None:
    assert original(harmless(cell)) == cell


@given(CELLS)
def test_a_cell_guarded_twice_needs_two_guards_taken_off(cell: str) -> None:
    assert original(original(harmless(harmless(cell)))) == cell


@given(st.lists(CELLS, min_size=1), st.sampled_from(",;\t|"))
@example([""], ",")
@example(["\ufeff"], ",")
def test_a_line_gives_its_cells_back(cells: list[str], delimiter: str) -> None:
    line = io.StringIO(csv_line(cells, delimiter) + "\r\n", newline="")
    assert list(csv.reader(line, delimiter=delimiter, strict=True)) == [cells]


@pytest.mark.parametrize("cell", ["a\rb", "a\nb", "a\r\nb", "a,b", ' "a"', " a", "a ", "\ufeffa"])
def test_what_a_reader_may_mistake_is_quoted(cell: str) -> None:
    assert csv_line(["x", cell]).startswith('x,"')


def test_what_no_reader_mistakes_is_not_quoted() -> None:
    assert csv_line(["a b", "", "it's", "ü", "1.5"]) == "a b,,it's,ü,1.5"


def test_a_file_of_ours_is_known_by_its_columns() -> None:
    assert is_ours(["text", *RESULTS])
    assert is_ours(["error", "Needs_Review", "runner_up", "confidence", "prediction", "text"])
    assert is_ours(
        ["text", "prediction", "confidence", "runner_up", "needs_review", "a column of a later version"]
    )
    assert is_ours(list(REJECTED))
    assert not is_ours(["text", "prediction", "confidence", "reason"])


def test_an_added_column_gets_a_name_that_no_other_column_has() -> None:
    assert free_name("error", {"text"}) == "error"
    assert free_name("error", {"error"}) == "claimflow_error"
    assert free_name("error", {"error", "claimflow_error"}) == "claimflow_error_2"
    taken = {plain(name) for name in ("ＥＲＲＯＲ", "Claimflow_Er\xadror", "claimflow_error_2")}
    assert free_name("error", taken) == "claimflow_error_3"
