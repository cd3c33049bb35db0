"""Rows that are narrower or wider than the header are used where nothing can be mixed up by it."""

import pytest

from shared.table import Row
from validate.widths import fitted

HEADER = ["id", "text", "note"]


def lines(*rows: str) -> list[Row]:
    return [Row(number, number + 2, row.split(",")) for number, row in enumerate(rows)]


def used(header: list[str], needed: int, *rows: str) -> list[str | None]:
    return [row and ",".join(row.cells) for row in fitted(lines(*rows), header, needed)]


def test_an_empty_surplus_cell_is_no_fault() -> None:
    assert used(HEADER, 2, "1,a,b,", "2,a,b,,\xa0", "3,a,b,c") == ["1,a,b", "2,a,b", None]


def test_empty_cells_that_were_left_out_at_the_end_are_empty() -> None:
    assert used(HEADER, 2, "1,a", "2,b,c", "3,d", "4,e") == ["1,a,", "2,b,c", "3,d,", "4,e,"]
    assert used(["text", "label"], 1, "a", "b", "c") == ["a,", "b,", "c,"]


def test_a_row_without_its_text_or_category_is_not_used() -> None:
    assert used(HEADER, 2, "1", "2,b,c") == [None, "2,b,c"]
    assert used(["text", "label"], 2, "a", "b,x") == [None, "b,x"]


def test_a_writer_that_writes_empty_cells_leaves_none_out() -> None:
    assert used(HEADER, 2, "1,a,", "2,b", "3,c,x") == ["1,a,", None, "3,c,x"]


@pytest.mark.parametrize(
    "pieces",
    [
        ("x1 is,half a text", "more of it,a note"),
        ("1,half a text", "more of it,a note"),
        ("1,one", "two", "three,note"),
    ],
)
def test_pieces_of_a_row_that_a_line_break_has_cut_are_not_used(pieces: tuple[str, ...]) -> None:
    found = used(HEADER, 2, "1,a,b", *pieces, "3,c,d")
    assert found == ["1,a,b", *[None] * len(pieces), "3,c,d"]


def test_a_text_alone_before_a_whole_row_may_be_its_first_half() -> None:
    assert used(["text", "label"], 1, "a,x", "half a text", "more of it,y") == ["a,x", None, "more of it,y"]


def test_columns_without_a_name_at_the_end_need_no_cells() -> None:
    assert used(["text", "label", "", " "], 2, "a,x", "b,y,", "c") == ["a,x,,", "b,y,,", None]
