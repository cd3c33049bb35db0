"""The file of weights: the same bytes as MXNet's, and a damaged one is refused before it takes memory."""

import contextlib
import struct
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.array_file import DATA_TYPES, read, write
from model.errors import ArtifactError

SHAPES = [(1,), (7,), (2, 3), (2, 3, 4), (0,), (0, 3)]
MANY = {
    "ngram.weights": np.arange(6, dtype=np.float32).reshape(2, 3) / 7,
    "ngram.buckets": np.array([0, 1, 2**24 - 1], dtype=np.int32),
    "größe 👍": np.empty(0, dtype=np.int32),
    "": np.array([True, False]),
}
ONE = struct.pack("<QQQ", 0x112, 0, 1)  # the beginning of a file of one array
DENSE = struct.pack("<Ii", 0xF993FAC9, 0)

fuzzed = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write_with_mxnet(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    mx.nd.save(str(path), {name: mx.nd.array(array, dtype=array.dtype) for name, array in arrays.items()})
    return path


def assert_same(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(found[name], array, equal_nan=array.dtype.kind == "f")


def refusal(content: bytes, folder: Path) -> str:
    """The sentence for a file of this content, which must take no memory to speak of."""
    path = folder / "x.params"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ArtifactError) as refused:
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000 + 3 * len(content)
    sentence = str(refused.value)
    assert sentence.startswith("The weights file 'x.params' ")
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("data_type", DATA_TYPES.values(), ids=str)
def test_every_data_type_and_shape_is_written_byte_for_byte_as_mxnet_writes_it_and_read_back(
    data_type: np.dtype, shape: tuple[int, ...], tmp_path: Path
) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(data_type)
    write(tmp_path / "ours", {"a": array})
    theirs = write_with_mxnet(tmp_path / "theirs", {"a": array})
    assert (tmp_path / "ours").read_bytes() == theirs.read_bytes()
    assert_same(read(theirs), {"a": array})


def test_many_arrays_with_names_of_any_letters_are_written_as_mxnet_writes_them(tmp_path: Path) -> None:
    write(tmp_path / "ours", MANY)
    theirs = write_with_mxnet(tmp_path / "theirs", MANY)
    assert (tmp_path / "ours").read_bytes() == theirs.read_bytes()
    assert_same(read(tmp_path / "ours"), MANY)


def test_mxnet_reads_what_is_written(tmp_path: Path) -> None:
    write(tmp_path / "ours", MANY)
    found = {name: array.asnumpy() for name, array in mx.nd.load(str(tmp_path / "ours")).items()}
    assert_same(found, MANY)


def test_arrays_of_mxnets_numpy_mode_are_read_too(tmp_path: Path) -> None:
    with mx.util.np_shape(True):
        theirs = write_with_mxnet(tmp_path / "theirs", {"a": np.ones((2, 3), dtype=np.float32)})
    assert struct.pack("<I", 0xF993FACA) in theirs.read_bytes()
    assert_same(read(theirs), {"a": np.ones((2, 3), dtype=np.float32)})


def test_no_arrays_make_a_file_too(tmp_path: Path) -> None:
    write(tmp_path / "ours", {})
    assert read(tmp_path / "ours") == {}


@pytest.mark.parametrize("layout", ["reversed", "transposed"])
def test_an_array_of_any_layout_in_memory_is_written_row_by_row(layout: str, tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    other = {"reversed": array[::-1], "transposed": array.T}[layout]
    write(tmp_path / "ours", {"a": other})
    assert read(tmp_path / "ours")["a"].tolist() == other.tolist()


@pytest.mark.parametrize("array", [np.float32(1), np.array(["text"]), np.array([None]), np.ones(2, "u2")])
def test_what_the_format_cannot_hold_is_not_written(array: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no place in the file"):
        write(tmp_path / "ours", {"a": array})


@pytest.mark.parametrize("make", [mx.nd.sparse.csr_matrix, mx.nd.sparse.row_sparse_array])
def test_a_sparse_array_is_refused(make: type, tmp_path: Path) -> None:
    mx.nd.save(str(tmp_path / "sparse"), {"a": make(np.eye(2))})
    assert "holds a sparse array" in refusal((tmp_path / "sparse").read_bytes(), tmp_path)


def test_arrays_without_names_are_refused(tmp_path: Path) -> None:
    mx.nd.save(str(tmp_path / "list"), [mx.nd.ones(2)])
    assert "one name for each" in refusal((tmp_path / "list").read_bytes(), tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cut short or damaged"),
        (b"PK\x03\x04" * 10, "not a file of arrays"),
        (b"\x80\x04K\x01." * 10, "not a file of arrays"),
        (struct.pack("<QQQ", 0x112, 0, 2**63), "more arrays than it has bytes"),
        (struct.pack("<QQQQ", 0x112, 0, 0, 2**63), "more arrays than it has bytes"),
        (ONE + struct.pack("<Ii", 0xF993FAC8, 0) + bytes(40), "unknown version"),
        (ONE + DENSE + struct.pack("<i", 0) + bytes(40), "0 dimensions"),
        (ONE + DENSE + struct.pack("<i", -1) + bytes(40), "-1 dimensions"),
        (ONE + DENSE + struct.pack("<i", 2**31 - 1) + bytes(40), "2147483647 dimensions"),
        (ONE + DENSE + struct.pack("<iqiii", 1, -1, 1, 0, 0) + bytes(40), "impossible shape"),
        (ONE + DENSE + struct.pack("<iqiii", 1, 2**62, 1, 0, 0) + bytes(40), "impossible shape"),
        (ONE + DENSE + struct.pack("<i4q", 4, 0, *[2**30] * 3) + bytes(40), "impossible shape"),
        (ONE + DENSE + struct.pack("<iqiii", 1, 2**31 - 1, 1, 0, 0) + bytes(40), "cut short or damaged"),
        (ONE + DENSE + struct.pack("<i3qiii", 3, *[2**20] * 3, 1, 0, 0) + bytes(40), "cut short or damaged"),
        (ONE + DENSE + struct.pack("<iqiii", 1, 1, 1, 0, 12) + bytes(40), "unknown data type (12)"),
        (struct.pack("<QQQQQ", 0x112, 0, 0, 1, 2**63), "cut short or damaged"),
        (struct.pack("<QQQQQ", 0x112, 0, 0, 1, 0), "one name for each"),
        (struct.pack("<QQQQ", 0x112, 0, 0, 0) + b"more", "one name for each"),
    ],
)
def test_a_damaged_file_is_refused_with_what_is_wrong(content: bytes, told: str, tmp_path: Path) -> None:
    assert told in refusal(content, tmp_path)


@pytest.mark.parametrize(("names", "told"), [(b"aa", "one name for each"), (b"a\xff", "not UTF-8")])
def test_names_must_differ_and_be_text(names: bytes, told: str, tmp_path: Path) -> None:
    write(tmp_path / "two", {"a": np.ones(1, np.float32), "b": np.ones(1, np.float32)})
    content = (tmp_path / "two").read_bytes()
    assert content.endswith(b"b")
    altered = content[:-10] + names[:1] + content[-9:-1] + names[1:]
    assert told in refusal(altered, tmp_path)


def test_a_file_that_was_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "whole", MANY)
    content = (tmp_path / "whole").read_bytes()
    for length in range(len(content)):
        refusal(content[:length], tmp_path)


@fuzzed
@given(st.binary(max_size=200), st.booleans())
def test_random_bytes_are_refused(tmp_path: Path, content: bytes, begins_well: bool) -> None:
    refusal((ONE + DENSE if begins_well else b"") + content, tmp_path)


@fuzzed
@given(st.data())
def test_changed_bytes_are_refused_or_read_and_take_no_more_memory_than_the_file(
    tmp_path: Path, data: st.DataObject
) -> None:
    write(tmp_path / "x.params", MANY)
    content = bytearray((tmp_path / "x.params").read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    (tmp_path / "x.params").write_bytes(content)
    tracemalloc.start()
    with contextlib.suppress(ArtifactError):
        assert len(read(tmp_path / "x.params")) == len(MANY)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
