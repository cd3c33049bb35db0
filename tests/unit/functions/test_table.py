"""The CSV reader: every awkward file is either read exactly, or refused with the line and what to do."""

import contextlib
import csv
import gzip
import io
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.errors import InvalidData
from contract.plain import is_blank
from shared.reading import quoting, text
from shared.table import Row, Table


def read(content: bytes | str) -> list[Row]:
    return list(opened(content))


def opened(content: bytes | str) -> Table:
    body = content.encode() if isinstance(content, str) else content
    return Table(io.BytesIO(body), "claims.csv")


def refused(content: bytes | str) -> str:
    with pytest.raises(InvalidData) as error:
        read(content)
    return str(error.value)


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("claims.csv", "text")
    return packed.getvalue()


def test_rows_have_a_number_and_the_line_on_which_they_start() -> None:
    assert read('a,b\n1,"x\ny\nz"\n2,w\n') == [Row(0, 2, ["1", "x\ny\nz"]), Row(1, 5, ["2", "w"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(end: str) -> None:
    assert read(f"a,b{end}1,2{end}3,4") == [Row(0, 2, ["1", "2"]), Row(1, 3, ["3", "4"])]


def test_a_blank_line_is_no_row_and_still_a_line() -> None:
    assert read("\n\na,b\n\n1,2\n\n\n3,4\n\n") == [Row(0, 5, ["1", "2"]), Row(1, 8, ["3", "4"])]


def test_line_ends_inside_a_cell_stay_as_they_are() -> None:
    assert read('a\n"x\r\ny\rz\n"\n')[0].cells == ["x\r\ny\rz\n"]


def test_quotes_commas_and_strange_separators_survive() -> None:
    assert read('a,b\n"say ""hi"", then","\u2028\x0b\x1c"\n')[0].cells == ['say "hi", then', "\u2028\x0b\x1c"]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    marked = opened(b"\xef\xbb\xbftext,b\n1,2\n")
    assert (marked.header, marked.reading.byte_order_mark) == (["text", "b"], True)
    assert opened("text\n1").reading.byte_order_mark is False


def test_gzip_is_known_by_content_not_by_name() -> None:
    assert read(gzip.compress(b"\xef\xbb\xbfa,b\n1,2\n")) == [Row(0, 2, ["1", "2"])]


def test_the_last_line_needs_no_end() -> None:
    assert read("a\nx") == [Row(0, 2, ["x"])]


@pytest.mark.parametrize("content", [b"", b"\n\n\r\n", b"\xef\xbb\xbf", gzip.compress(b"")])
def test_an_empty_file_is_refused(content: bytes) -> None:
    assert "claims.csv is empty; upload a file" in refused(content)


def test_a_header_of_blanks_is_refused() -> None:
    assert "names no column" in refused(" , ,\n1,2,3\n")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (zipped(), "is a zip archive"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "a PNG picture"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "old Excel"),
        (b"PAR1rest", "a Parquet file"),
        (gzip.compress(zipped()), "is a zip archive"),
        (gzip.compress(gzip.compress(b"a\n1\n")), "gzipped twice"),
        ("a,b\n1,2\n".encode("utf-32"), "is UTF-32,"),
        (b"\0\0\xfe\xff" + "a,b\n".encode("utf-32-be"), "is UTF-32,"),
    ],
)
def test_what_is_no_csv_file_is_named(content: bytes, kind: str) -> None:
    said = refused(content)
    assert kind in said
    assert "claims.csv" in said


def test_a_cut_gzip_file_is_refused() -> None:
    whole = gzip.compress(b"a,b\n" + bytes(range(33, 120)) * 5000)
    assert "damaged or cut short" in refused(whole[:-20])


def test_a_damaged_gzip_file_is_refused() -> None:
    whole = bytearray(gzip.compress(("a,b\n" + "\n".join(f"{n},{n * n}" for n in range(9000))).encode()))
    whole[200:260] = b"\xff" * 60
    assert "claims.csv" in refused(bytes(whole))


@pytest.mark.parametrize("before", [0, 1, 7, 40_000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_byte_that_is_not_utf8_is_named_with_its_line(before: int, end: str) -> None:
    start = (f"text{end}" + f"smä text{end}" * before + f"grün{end}").encode()
    said = refused(start + b"caf\xe9" + end.encode())
    assert f"line {before + 3}: the byte 0xE9 (byte {len(start) + 4:,} of the file) is not UTF-8" in said
    assert "CSV UTF-8" in said


def test_a_letter_cut_off_at_the_end_is_not_utf8() -> None:
    assert "line 2: the byte 0xC3" in refused(b"text\ncaf\xc3")


def test_the_line_of_a_bad_byte_in_a_quoted_cell_is_the_files_line() -> None:
    assert "line 4" in refused('text\n"öne\ntwo\n'.encode() + b'\xff"\n')


@pytest.mark.parametrize("line", [1, 2, 30_000])
def test_a_nul_byte_is_named_with_its_line(line: int) -> None:
    assert f"line {line}: a NUL byte" in refused("some text\n" * (line - 1) + "a\0b\n")


def test_a_quote_that_is_never_closed_is_named_with_the_line_where_it_opens() -> None:
    said = refused('a,b\n1,2\n3,"open\n5,6\n')
    assert "claims.csv, line 3: the cell whose quote opens here is never closed" in said


def test_the_line_is_that_of_the_quote_and_not_of_the_row() -> None:
    assert "line 3: the cell whose quote opens here is never closed" in refused('a,b\n"x\ny","open\n5,6\n')


def test_text_after_a_closing_quote_is_refused_with_its_line() -> None:
    said = refused('a,b\n1,2\n"he said "hi" to me",3\n')
    assert "line 3: the cell whose quote opens here is followed by more text, on line 3" in said


def test_a_quote_that_swallows_rows_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quoting, "CELL_LIMIT", 1000)
    said = refused('a,b\n1,"open\n' + "5,6\n" * 1000)
    assert "line 2: the cell whose quote opens here is longer than 1,000 characters" in said


def test_a_file_without_line_ends_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "LINE_LIMIT", 1000)
    assert "line 2: the line does not end" in refused("a\n" + "x" * 600_000)


def test_columns_without_names_may_be_several() -> None:
    assert opened("text,,\n1,2,3\n").header == ["text", "", ""]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12), st.sampled_from(["\r\n", "\n"]))
def test_whatever_the_csv_module_writes_is_read_back(rows: list[list[str]], end: str) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["one", "two"], *rows])
    seen = [row for row in rows if not all(map(is_blank, row))]
    assert [row.cells for row in read(file.getvalue())] == seen


@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=8))
@example([["", "\t"], ["\t"]])  # as if tabs separated three cells, a quote torn apart
def test_a_line_is_where_its_row_starts_in_the_file(rows: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    lines = io.StringIO(file.getvalue(), newline="").readlines()
    for row in read(file.getvalue()):
        rest = csv.reader(lines[row.line - 1 :])
        assert next(rest) == row.cells


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_never_anything_else(content: bytes) -> None:
    with contextlib.suppress(InvalidData):
        read(content)


@pytest.mark.parametrize("cell", ["x" * 1001, '"' + "x" * 1001 + '"'])
def test_a_cell_that_is_too_long_is_no_open_quote(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quoting, "CELL_LIMIT", 1000)
    said = refused(f"a,b\n1,2\n3,{cell}\n")
    assert said == "claims.csv, line 3: a cell is longer than 1,000 characters; shorten it."


def test_a_header_that_stands_there_again_is_no_row_and_is_told() -> None:
    table = opened('text,label\na,b\n\ufefftext,label\nc,d\n"Text",LABEL\n text , Label\n')
    assert [row.cells for row in table] == [["a", "b"], ["c", "d"]]
    assert table.warnings == [
        "The header stands on 3 more lines (3, 5, 6), as in a file put together from several; "
        "those are no rows."
    ]


def test_a_header_with_its_columns_in_another_order_is_refused_with_its_line() -> None:
    said = refused("text,label\na,b\nlabel,text\nb,a\n")
    assert "line 3: the header stands here again, with the columns in another order" in said


def test_rows_in_which_nothing_can_be_seen_are_blank() -> None:
    assert read('a,b\n1,2\n,\n , \n"",""\n\u200b,\xa0\n3,4\n') == [
        Row(0, 2, ["1", "2"]),
        Row(1, 7, ["3", "4"]),
    ]


def test_two_columns_may_have_one_name() -> None:
    assert opened("text,b,b\n1,2,3\n").header == ["text", "b", "b"]
