r"""Writes a workbook of one sheet as a stream; the same rows always make the same bytes.

Every cell is text, which no spreadsheet runs, whatever it begins with, but for numbers that came from a
workbook or are ours (`contract.spreadsheet.Number`). Characters that XML does not know are
written as Excel writes them: `_x000B_`, and `_x005F_` for the first character of what only looks like that.
"""

import re
import zipfile
from collections.abc import Iterable
from html import escape
from pathlib import Path

from contract.spreadsheet import Decimal, Number

ROW_LIMIT = 1_048_576  # rows of a sheet, the header's included: Excel's own
CELL_LIMIT = 32_767  # characters of a cell, as UTF-16 counts them

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    # Style 1 is text also for the one who edits the cell (numFmtId 49 is "@"), 2 to 5 have 1 to 4 decimals.
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="4"><numFmt numFmtId="164" formatCode="0.0"/><numFmt numFmtId="165" formatCode="0.00"/>'
    '<numFmt numFmtId="166" formatCode="0.000"/><numFmt numFmtId="167" formatCode="0.0000"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="6"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" quotePrefix="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="167" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>",
}
_FOUR_DECIMALS = re.compile(r"[0-9]\.[0-9]{4}")
_SHEET = "xl/worksheets/sheet1.xml"
# What XML 1.0 does not know, and what looks escaped.
_ESCAPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class TooLarge(Exception):  # noqa: N818 - it says what the workbook is
    """More rows than a sheet has, or more text than a cell holds; the text says which."""


class Workbook:
    """A workbook that is being written."""

    def __init__(self, path: Path) -> None:
        """Start the file at `path`."""
        self._rows = 0
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        for name, content in _PARTS.items():
            self._archive.writestr(_member(name), _HEAD + content)
        self._sheet = self._archive.open(_member(_SHEET), "w", force_zip64=True)
        self._sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())

    def write(self, cells: Iterable[str]) -> None:
        """Add a row. Raises TooLarge."""
        self._rows += 1
        if self._rows > ROW_LIMIT:
            raise TooLarge(f"an Excel sheet has at most {ROW_LIMIT:,} rows")
        self._sheet.write(f"<row>{''.join(map(_cell, cells))}</row>".encode())

    def close(self, *, whole: bool) -> None:
        """End the file; one that is not whole is left as it is."""
        if whole:
            self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._archive.close()


def _cell(text: str) -> str:
    if not text:
        return "<c/>"
    if isinstance(text, Number):
        fixed = isinstance(text, Decimal) or _FOUR_DECIMALS.fullmatch(text)
        return f'<c s="{1 + len(text.rpartition(".")[2]) if fixed else 0}"><v>{text}</v></c>'
    if len(text) > CELL_LIMIT // 2 and len(text.encode("utf-16-le", "surrogatepass")) > 2 * CELL_LIMIT:
        raise TooLarge(f"a cell of an Excel sheet holds at most {CELL_LIMIT:,} characters")
    known = _ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", escape(text, quote=False))
    known = known.replace("\r", "&#13;")  # readers of XML make a line feed of a bare one
    return f'<c t="inlineStr" s="1"><is><t xml:space="preserve">{known}</t></is></c>'


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    return member
