"""What people have: read as it was meant and said, or refused with a sentence that can be followed."""

import gzip
import io

import pytest

from contract.errors import InvalidData
from shared.reading.reading import Reading
from shared.table import Row, Table

CLAIMS = "id{0}text{0}label\r\n1{0}Bremse quietscht{0}Bremsen\r\n2{0}Öl läuft aus{0}Motor\r\n"
ROWS = [["1", "Bremse quietscht", "Bremsen"], ["2", "Öl läuft aus", "Motor"]]


def opened(content: bytes | str) -> Table:
    return Table(io.BytesIO(content.encode() if isinstance(content, str) else content), "claims.csv")


def read(content: bytes | str) -> tuple[list[list[str]], Reading]:
    table = opened(content)
    rows = [row.cells for row in table]
    return rows, table.reading


def refused(content: bytes | str) -> str:
    with pytest.raises(InvalidData) as error:
        list(opened(content))
    return str(error.value)


@pytest.mark.parametrize(
    ("delimiter", "words"),
    [(",", ""), (";", "semicolon-separated"), ("\t", "tab-separated"), ("|", "vertical bar-separated")],
)
def test_any_delimiter_will_do_and_is_said(delimiter: str, words: str) -> None:
    rows, reading = read(CLAIMS.format(delimiter))
    assert (rows, reading.delimiter, reading.described) == (ROWS, delimiter, words)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", "semicolon-separated"),
        ("utf-8-sig", "semicolon-separated"),
        ("utf-16", "semicolon-separated, UTF-16"),
        ("utf-16-le", "semicolon-separated, UTF-16"),
        ("utf-16-be", "semicolon-separated, UTF-16"),
        ("cp1252", "semicolon-separated, Windows-1252"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_any_encoding_that_is_certain_will_do_and_is_said(encoding: str, words: str, packed: bool) -> None:
    content = CLAIMS.format(";").encode(encoding)
    rows, reading = read(gzip.compress(content) if packed else content)
    assert (rows, reading.described) == (ROWS, words)
    assert reading.byte_order_mark == (encoding in {"utf-8-sig", "utf-16"})


def test_how_the_file_was_read_is_a_warning() -> None:
    table = opened(CLAIMS.format(";").encode("cp1252"))
    list(table)
    assert table.warnings == ["claims.csv was read as semicolon-separated, Windows-1252."]


def test_the_first_accent_may_stand_far_down() -> None:
    rows, reading = read(b"text,label\n" + b"some plain text,x\n" * 60_000 + "trägt,y\n".encode("cp1252"))
    assert (len(rows), rows[-1], reading.encoding) == (60_001, ["trägt", "y"], "windows-1252")


@pytest.mark.parametrize(
    "text",
    [
        "„Groß“ und l’été – 50 €",
        "Ça coûte 20 °C à côté",
        "«ÉCOLE» ÇA NOËL",
        "¿Qué pasó? el año",
        "Fuß“ … weiter",
        "naïve façade",
    ],
)
def test_western_letters_of_windows_are_read(text: str) -> None:
    assert read(f"text,label\n{text},x\n".encode("cp1252"))[0] == [[text, "x"]]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Тормоза скрипят", "cp1251"),
        ("Τα φρένα τρίζουν", "cp1253"),
        ("Öl läuft über die Brücke", "cp850"),
        ("café très grillé", "mac_roman"),
        ("świeży żółty pył złamał się", "iso8859-2"),
        ("ブレーキが鳴る", "shift_jis"),
        ("刹车有噪音问题", "gbk"),
        ("тормоза скрипят", "koi8_r"),
    ],
)
def test_letters_that_are_not_certain_are_refused(text: str, encoding: str) -> None:
    assert "save it as 'CSV UTF-8" in refused(f"text,label\n{text},x\n".encode(encoding))


def test_parts_in_two_encodings_are_refused_with_both_lines() -> None:
    said = refused(b"text,label\ncaf\xe9,x\n" + "grün,y\n".encode())
    assert "line 3 is UTF-8 and line 2 is not" in said


def test_half_a_letter_of_utf16_is_refused_with_its_line() -> None:
    assert "line 2: damaged UTF-16" in refused("text\nab".encode("utf-16") + b"\x00\xd8")


@pytest.mark.parametrize("first", ["sep=;", "sep=;\r", '"sep=;"', "SEP=;;;", "\ufeffsep=;"])
def test_excels_hint_names_the_delimiter_and_is_no_row(first: str) -> None:
    table = opened(f"{first}\ntext;label\na,b;x\n")
    assert (table.header, list(table)) == (["text", "label"], [Row(0, 3, ["a,b", "x"])])


def test_a_text_with_commas_does_not_hide_the_semicolons() -> None:
    rows, reading = read("Text, kurz;Kategorie\nlaut, sehr laut, immer;x\nleise;y\na, b;z\n")
    assert (rows[0], reading.delimiter) == (["laut, sehr laut, immer", "x"], ";")


def test_quotes_in_the_header_tell_its_delimiter() -> None:
    rows, reading = read('id,text,";0"\r\nr0,"112;a",";"\r\n')
    assert (rows, reading.delimiter) == ([["r0", "112;a", ";"]], ",")


def test_two_delimiters_that_fit_equally_well_are_refused() -> None:
    said = refused("a;b,c\n1;2,3\n4;5,6\n")
    assert "both commas and semicolons could separate the columns; put the line sep=, or sep=;" in said


def test_a_header_that_its_rows_contradict_is_refused() -> None:
    said = refused("text,label\nlaut;x\nleise;y\n")
    assert "those of the rows by semicolons; write the header with semicolons too" in said


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('1, "b, c",d', ["1", "b, c", "d"]),
        ('1,"b" ,d', ["1", "b", "d"]),
        ('1,\t"say ""b"""\t,d', ["1", 'say "b"', "d"]),
        ('1, "b\nc",d', ["1", "b\nc", "d"]),
        ('1, "",d', ["1", "", "d"]),
        ('1,12" pipe,d', ["1", '12" pipe', "d"]),
        ('1,12" pipe,6" valve', ["1", '12" pipe', '6" valve']),
        ('1,it said "hi" to me,d', ["1", 'it said "hi" to me', "d"]),
        ('1,"Great" pump,d', ["1", '"Great" pump', "d"]),
        ('1, "b" c,d', ["1", ' "b" c', "d"]),
        ('1,„laut" ist es,d', ["1", '„laut" ist es', "d"]),
        ('\ufeff"1",b,d', ["1", "b", "d"]),
    ],
)
def test_a_quote_with_one_meaning_is_read_as_it_was_meant(line: str, cells: list[str]) -> None:
    assert read(f"id,text,label\n{line}\n0,next,d\n")[0] == [cells, ["0", "next", "d"]]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('1,some "text, with comma"', "line 2: the cell whose quote opens here closes in another cell"),
        ('1,"he said "hi" to me",x', "line 2: the cell whose quote opens here is followed by more text"),
        ('1,"a, b" c,x', "line 2: the cell whose quote opens here is followed by more text"),
        ('1,"Great" and "new",x', "line 2: the cell whose quote opens here is followed by more text"),
        ('1,"a \\"b\\" c",x', "line 2: the cell whose quote opens here is followed by more text"),
        ('1, "never closed,x', "line 2: the cell whose quote opens here is never closed"),
        ('1,b,some "text\nmore" here,b,c', "line 2: the cell whose quote opens here closes in another row"),
    ],
)
def test_a_quote_with_two_meanings_is_refused_with_its_line(line: str, said: str) -> None:
    assert said in refused(f"id,text,label\n{line}\n0,next,d\n")


@pytest.mark.parametrize(
    "content",
    [
        'id,text\n1,fine\n2,"Great\n3,Good\n4,12"\n5,fine\n',
        'text,label\nfine,a\nwell,b\n"open,a\nbad,b\nworse",a\nfine,b\n',
        'id,text,label\n1,"open,x\n2,b,y\n3,c" ,x\n4,d,y\n',
        'text,label\n"open,brakes\nfoo,engine\nbar",brakes\n',
        'text,label\n",x\n",y\n',
        'label,text\na,fine\nb,"open\na,bad\nb,19"\nb,fine\n',
    ],
)
def test_rows_that_a_quote_has_swallowed_are_found(content: str) -> None:
    assert "the lines look like rows of their own" in refused(content)


@pytest.mark.parametrize(
    "content",
    [
        'text,label\n"Dear Sir, hello\nthe pump, it fails\nRegards, John",a\nfine,b\n',
        'id,text\n1,"Dear Sir\nRegards, John"\n2,fine\n',
        'id,text\n1,"one\n\ntwo, three"\n2,fine\n',
        'id,text\n"Dear Sir, hello\nRegards, John",1\n2,\n',
    ],
)
def test_a_letter_in_a_cell_is_no_swallowed_row(content: str) -> None:
    assert len(read(content)[0]) == 2


@pytest.mark.parametrize("content", ["Claims of June\n\ntext,label\na,x\n", "# made 2024\ntext;label\na;x\n"])
def test_a_title_above_the_table_is_refused(content: str) -> None:
    assert "the first line has one cell, and the lines below it have 2 cells" in refused(content)


@pytest.mark.parametrize(
    "content",
    [
        "Claims of June,,\n,,\nid,text,label\n1,a,x\n",
        "Claims of June;;;\nmade 2024;;;\nid;text;label;\n1;a;x;\n",
    ],
)
def test_a_title_that_a_spreadsheet_filled_up_with_empty_cells_is_refused(content: str) -> None:
    assert ", line 1: only the first of " in refused(content)
    assert "and line 3 has cells in others: if it is a title, remove what stands above" in refused(content)


def test_columns_of_a_spreadsheet_that_nobody_filled_are_no_fault() -> None:
    assert [row.cells for row in opened("text,,,\na,,,\nb,,,\n")] == [["a", "", "", ""], ["b", "", "", ""]]


@pytest.mark.parametrize("start", ["\ufeff\ufeff", "\ufeffsep=,\n\ufeff"])
def test_a_second_byte_order_mark_is_no_part_of_the_header(start: str) -> None:
    assert opened(f"{start}text,label\na,x\n").header == ["text", "label"]


def test_mixed_line_ends_and_lines_are_the_files_own() -> None:
    rows = list(opened("text,label\r\na,x\nb,y\rc,z\r\n\n\nd,x"))
    assert [(row.line, row.cells[0]) for row in rows] == [(2, "a"), (3, "b"), (4, "c"), (7, "d")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page (HTML)"),
        ("\ufeff\n<html lang='en'>", "is a web page (HTML)"),
        ('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "is an XML document"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "a pointer of Git LFS"),
        ("../../.git/annex/objects/Xx/Yy/SHA256E-s12--4d7a.csv", "a pointer of git-annex"),
        (b"a" * 100 + b"\0" * 157 + b"ustar\x0000" + b"\0" * 300, "is a tar archive"),
        (b"Obj\x01\x04\x14avro.codec", "is an Avro file"),
    ],
)
def test_what_is_no_table_is_named_for_what_it_is(content: bytes | str, said: str) -> None:
    assert said in refused(content)
