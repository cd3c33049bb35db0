"""Excel workbooks are read as they are shown."""

import datetime
import io
import zipfile
from typing import Any

import openpyxl
import pytest

from contract.errors import InvalidData
from shared.reading import parts
from shared.table import Row, Table


def workbook(
    rows: list[list[Any]], formats: dict[str, str] | None = None, **sheets: list[list[Any]]
) -> bytes:
    made = openpyxl.Workbook()
    assert made.active is not None
    made.active.title = "Claims"
    for row in rows:
        made.active.append(row)
    for cell, shown in (formats or {}).items():
        made.active[cell].number_format = shown
    for name, others in sheets.items():
        sheet = made.create_sheet(name)
        for row in others:
            sheet.append(row)
    packed = io.BytesIO()
    made.save(packed)
    return packed.getvalue()


def changed(content: bytes, member: str, before: str, after: str) -> bytes:
    """Return a workbook with something in one of its parts replaced."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            body = source.read(name).decode()
            if name == member:
                assert before in body
                body = body.replace(before, after)
            target.writestr(name, body)
    return packed.getvalue()


def shared(strings: str) -> bytes:
    """Return a workbook as Excel writes it, with its texts in a part of their own; the header first."""
    package = "http://schemas.openxmlformats.org/package/2006/"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rows = "".join(
        f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{n}</v></c></row>' for n in range(strings.count("</si>"))
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}content-types"/>')
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="A" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}relationships">'
            f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{office}/sharedStrings" Target="/xl/sharedStrings.xml"/>'
            "</Relationships>",
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>"
        )
        archive.writestr("xl/sharedStrings.xml", f"<sst {main}>{strings}</sst>")
    return packed.getvalue()


def opened(content: bytes, sheet: str | None = None) -> Table:
    return Table(io.BytesIO(content), "claims.xlsx", sheet)


def refused(content: bytes, sheet: str | None = None) -> str:
    with pytest.raises(InvalidData) as error:
        list(opened(content, sheet))
    return str(error.value)


def test_the_first_sheet_is_read_with_its_own_row_numbers_and_said() -> None:
    table = opened(workbook([["text", "label"], ["laut", "x"], [], [None, None], ["leise", None]]))
    assert list(table) == [Row(0, 2, ["laut", "x"]), Row(1, 5, ["leise", ""])]
    assert table.reading.described == "an Excel workbook, sheet 'Claims'"


def test_a_named_sheet_is_read_and_the_others_are_told() -> None:
    content = workbook([["a"], ["1"]], Other=[["text"], ["laut"]])
    table = opened(content, "other")
    assert (table.header, [row.cells for row in table]) == (["text"], [["laut"]])
    assert "Of claims.xlsx only the sheet 'Other' was read; 'Claims' was not" in table.warnings[1]


def test_a_sheet_that_is_not_there_is_told_with_those_that_are() -> None:
    assert "has no sheet 'July', which the configuration names; it has 'Claims'" in refused(
        workbook([["a"]]), "July"
    )


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (1, "General", "1"),
        (1.0, "General", "1"),
        (1.5, "General", "1.5"),
        (0.1 + 0.2, "General", "0.3"),
        (12345678901234, "General", "12345678901234"),
        (42, "00000", "00042"),
        (12.5, "0.00", "12.50"),
        (1234.5, "#,##0.00", "1234.50"),
        (0.05, "0%", "5%"),
        (-3, "0.0", "-3.0"),
        (12.5, '#,##0.00\\ "€"', "12.50"),
        (True, "General", "TRUE"),
        ("007", "@", "007"),
        (" a \r\nb\tc ", "General", " a \r\nb\tc "),
        ("_x000D_ stays", "General", "_x000D_ stays"),
        (datetime.date(2024, 1, 31), "yyyy-mm-dd", "2024-01-31"),
        (datetime.date(2024, 1, 31), "dd.mm.yyyy", "31.01.2024"),
        (datetime.date(2024, 1, 31), "mm-dd-yy", "2024-01-31"),
        (datetime.date(2024, 1, 31), "d. mmmm yyyy", "31. January 2024"),
        (datetime.datetime(2024, 1, 31, 13, 5), "dd/mm/yyyy hh:mm", "31/01/2024 13:05"),
        (datetime.datetime(2024, 1, 31, 13, 5), "m/d/yy h:mm AM/PM", "1/31/24 1:05 PM"),
        (datetime.datetime(2024, 1, 31, 13, 5), "m/d/yy h:mm", "2024-01-31 13:05"),
        (datetime.time(8, 30), "hh:mm:ss", "08:30:00"),
        (datetime.timedelta(hours=30, minutes=5), "[h]:mm", "30:05"),
    ],
)
def test_a_cell_is_as_it_is_shown(value: object, number_format: str, shown: str) -> None:
    written = value
    if isinstance(value, str):
        written = value.replace("_x000D_", "_x005F_x000D_").replace("\r", "_x000D_")
    content = workbook([["text"], [written]], {"A2": number_format})
    assert [row.cells for row in opened(content)] == [[shown]]


def test_a_formula_counts_with_its_value_and_without_one_it_is_refused() -> None:
    content = workbook([["text", "sum"], ["laut", "=1+1"]])
    assert "sheet 'Claims', row 2: a formula there has no value yet" in refused(content)
    valued = changed(content, "xl/worksheets/sheet1.xml", "<v />", "<v>2</v>")
    assert [row.cells for row in opened(valued)] == [["laut", "2"]]


def test_a_sheet_that_tells_a_wrong_size_is_read_whole() -> None:
    content = workbook([["text", "label"], ["laut", "x"]])
    cut = changed(content, "xl/worksheets/sheet1.xml", 'ref="A1:B2"', 'ref="A1"')
    assert [row.cells for row in opened(cut)] == [["laut", "x"]]


def test_formatted_columns_without_values_are_no_columns() -> None:
    content = workbook([["text"], ["laut"]], {"XFD2": "0.00"})
    assert [row.cells for row in opened(content)] == [["laut"]]


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("content.xml", "an OpenDocument file"),
        ("word/document.xml", "a Word document"),
        ("xl/workbook.bin", "an Excel binary workbook (.xlsb)"),
        ("claims/june.csv", "a zip archive that holds 'claims/june.csv': unpack it"),
    ],
)
def test_another_zip_archive_is_named_for_what_it_is(member: str, said: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, "x")
    assert said in refused(packed.getvalue())


def test_a_title_above_the_table_is_refused() -> None:
    said = refused(workbook([["Claims of June"], [], ["text", "label"], ["laut", "x"]]))
    assert (
        "the first line has one cell, and the lines below it have 2 cells: if it is a title, remove it"
        in said
    )


def test_a_damaged_workbook_is_told() -> None:
    content = workbook([["text"], *([f"laut {n}"] for n in range(500))])
    assert "claims.xlsx is a damaged or unusual workbook" in refused(content[: len(content) // 2])
    assert "claims.xlsx is a damaged or unusual workbook" in refused(
        changed(content, "xl/worksheets/sheet1.xml", "</sheetData>", "")
    )


def test_texts_in_several_styles_are_one_text() -> None:
    runs = "<r><t>very </t></r><r><rPr><b/></rPr><t>loud</t></r><rPh><t>aloud</t></rPh>"
    content = shared(f"<si><t>text</t></si><si>{runs}</si><si><t>_x005F_x000D_ and _x0009_</t></si>")
    assert [row.cells for row in opened(content)] == [["very loud"], ["_x000D_ and \t"]]


def test_a_workbook_that_declares_entities_is_refused() -> None:
    content = changed(shared("<si><t>text</t></si>"), "xl/sharedStrings.xml", "<sst", "<!DOCTYPE x []><sst")
    assert "is no workbook that a spreadsheet wrote (declarations of entities)" in refused(content)


def test_a_workbook_that_swells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = shared("<si><t>text</t></si><si><t>" + "x" * 100_000 + "</t></si>")
    monkeypatch.setattr(parts, "TABLE_LIMIT", 20_000)
    assert "(more than 20,000 bytes in xl/sharedStrings.xml)" in refused(content)
    monkeypatch.setattr(parts, "TABLE_LIMIT", 2_000_000)
    monkeypatch.setattr(parts, "ELEMENT_LIMIT", 20_000)
    assert "(more than 20,000 bytes in one row)" in refused(content)
