"""Workbooks that Excel, openpyxl and pandas read back as they were written."""

from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from shared.table import Table
from shared.workbook import CELL_LIMIT, TooLarge, Workbook

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    "_x000dD5F=\r\n\t <&>\x0b\x1f", max_size=12
)


def written(path: Path, rows: list[list[str]]) -> bytes:
    workbook = Workbook(path)
    for row in rows:
        workbook.write(row)
    workbook.close(whole=True)
    return path.read_bytes()


@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_every_cell_comes_back(tmp_path: Path, rows: list[list[str]]) -> None:
    written(tmp_path / "a.xlsx", rows)
    for read_only in (True, False):
        book = openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=read_only)
        found = [[unescape(cell.value or "") for cell in row] for row in book.worksheets[0].iter_rows()]
        book.close()
        width = max(map(len, found))
        filled = [row + [""] * (width - len(row)) for row in rows]
        assert [row + [""] * (width - len(row)) for row in found] == filled


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    rows = [["text"], ["x"]]
    assert written(tmp_path / "a.xlsx", rows) == written(tmp_path / "b.xlsx", rows)


def test_a_cell_that_excel_could_not_hold_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "a.xlsx", [["x" * CELL_LIMIT]])
    for cell in ("x" * (CELL_LIMIT + 1), "\U0001f600" * (CELL_LIMIT // 2 + 1)):
        with pytest.raises(TooLarge, match="32,767"):
            Workbook(tmp_path / "b.xlsx").write([cell])


@pytest.mark.parametrize(
    ("value", "number_format", "back"),
    [
        (12.5, "0.00", 12.5),
        (-1234.5, '#,##0.00 "EUR"', -1234.5),
        (12.5, "General", 12.5),
        (12.567, "0.00", "12.57"),
        (0.5, "00.00", "00.50"),
        (45352, "dd.mm", "01.03"),
        ("12.50", "@", "12.50"),
    ],
)
def test_an_amount_of_a_workbook_is_written_as_a_number_again_and_looks_the_same(
    tmp_path: Path, value: object, number_format: str, back: object
) -> None:
    made = openpyxl.Workbook()
    made.worksheets[0].append(["amount"])
    made.worksheets[0].append([value])
    made.worksheets[0]["A2"].number_format = number_format
    made.save(tmp_path / "a.xlsx")
    with (tmp_path / "a.xlsx").open("rb") as stream:
        cells = next(iter(Table(stream, "a.xlsx"))).cells
    written(tmp_path / "b.xlsx", [["amount"], cells])
    assert openpyxl.load_workbook(tmp_path / "b.xlsx").worksheets[0]["A2"].value == back
    with (tmp_path / "b.xlsx").open("rb") as stream:
        assert next(iter(Table(stream, "b.xlsx"))).cells == cells
