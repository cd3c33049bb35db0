"""Rows from CSV files, batches by length, padding."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.data import WIDTH, Row, batches, pad, read_file, read_folder, read_notes, rounded_up
from model.errors import DataError

LENGTHS = st.lists(st.integers(1, 700), max_size=200)


def texts_of(lengths: list[int]) -> list[np.ndarray]:
    return [np.full(length, number + 2, dtype=np.int32) for number, length in enumerate(lengths)]


def test_rows_come_back_with_quotes_line_breaks_and_signs_as_they_were(
    tmp_path: Path, write: Callable[[Path, list[Row]], Path]
) -> None:
    rows = [Row(3, 'a "quote", and\na line\r\nbreak', "x"), Row(9, "👍\x00\x07", "größe")]
    assert list(read_file(write(tmp_path / "a.csv", rows))) == rows


def test_a_row_of_several_files_has_the_name_of_its_own(tmp_path: Path) -> None:
    content = "row,text,label,line,file\n0,brake,x,2,old.csv\n1,engine,y,2,new.csv\n"
    (tmp_path / "part.csv").write_text(content, encoding="utf-8")
    assert [row.file for row in read_file(tmp_path / "part.csv")] == ["old.csv", "new.csv"]


def test_a_shard_has_no_label(tmp_path: Path) -> None:
    (tmp_path / "shard.csv").write_text("row,text\n0,brake\n", encoding="utf-8")
    assert list(read_file(tmp_path / "shard.csv")) == [Row(0, "brake", "")]


def test_a_text_of_ten_megabytes_is_read(tmp_path: Path, write: Callable[[Path, list[Row]], Path]) -> None:
    path = write(tmp_path / "a.csv", [Row(0, "brake " * 1_700_000, "x")])
    assert len(next(read_file(path)).text) == 10_200_000


def test_a_missing_column_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("row,review\n0,x\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.csv has no column text"):
        list(read_file(tmp_path / "a.csv"))


def test_the_files_of_a_folder_come_in_the_order_of_their_names(
    tmp_path: Path, write: Callable[[Path, list[Row]], Path]
) -> None:
    for number in (2, 0, 1):
        write(tmp_path / f"part-0000{number}.csv", [Row(number, "t", "x")])
    assert [row.number for row in read_folder(tmp_path)] == [0, 1, 2]


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 50), st.booleans())
def test_every_text_is_in_one_batch(lengths: list[int], size: int, shuffle: bool) -> None:
    order = np.random.default_rng(1) if shuffle else None
    groups = batches(texts_of(lengths), size, order)
    assert sorted(np.concatenate([[], *groups])) == list(range(len(lengths)))
    assert all(1 <= len(group) <= size for group in groups)


def test_texts_in_a_batch_are_of_similar_length() -> None:
    lengths = np.random.default_rng(0).integers(10, 1000, 640)
    for group in batches(texts_of(lengths.tolist()), 32, np.random.default_rng(1)):
        assert lengths[group].max() - lengths[group].min() < 250


def test_the_same_generator_gives_the_same_batches_and_another_gives_others() -> None:
    texts = texts_of(list(range(1, 200)))
    first, again, other = (batches(texts, 16, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    ("length", "padded"), [(1, 16), (16, 16), (17, 32), (33, 64), (64, 64), (65, 128), (500, 512), (513, 576)]
)
def test_lengths_are_rounded_up_to_few_widths(length: int, padded: int) -> None:
    assert rounded_up(length) == padded


@settings(deadline=None)
@given(LENGTHS.filter(bool))
def test_padding_fills_with_zeros(lengths: list[int]) -> None:
    padded = pad(texts_of(lengths), len(lengths) + 3)
    assert padded.shape[0] == len(lengths) + 3
    assert 0 <= padded.shape[1] - max(lengths) < WIDTH
    assert [int((line != 0).sum()) for line in padded] == [*lengths, 0, 0, 0]


def test_the_largest_word_number_is_held_exactly() -> None:
    assert int(pad([np.array([10_000_000 - 1], dtype=np.int32)], 1)[0, 0]) == 10_000_000 - 1


def test_the_notes_of_validation_are_read_and_may_be_missing(tmp_path: Path) -> None:
    assert read_notes(tmp_path) is None
    (tmp_path / "notes.json").write_text('{"schema": 1, "file": "claims.csv"}', encoding="utf-8")
    assert read_notes(tmp_path)["file"] == "claims.csv"


@pytest.mark.parametrize(
    ("content", "said"),
    [("[]", "must hold one JSON object"), ("{", "is not JSON: line 1"), ("[" * 5_000, "nested")],
)
def test_notes_that_cannot_be_read_are_told(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "notes.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=f"notes.json of the validation channel .*{said}"):
        read_notes(tmp_path)
    assert list(read_folder(tmp_path)) == []
