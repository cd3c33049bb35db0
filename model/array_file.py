"""MXNet's file of named arrays, as `mx.nd.save` of MXNet 1.9 writes it, read and written without MXNet.

    file    u64 0x112, u64 0, u64 number of arrays, arrays, u64 number of names, names
    array   u32 version, i32 storage (0: dense), i32 dimensions, i64 each, i32 device, i32 device number,
            i32 data type, the values row by row
    name    u64 length in bytes, UTF-8

All of it little-endian. No size is believed before the file is seen to be as long, so a damaged file takes
no memory.
"""

import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from model.data import Arrays
from model.errors import ArtifactError

FILE, RESERVED = 0x112, 0
VERSION_2, VERSION_3 = 0xF993FAC9, 0xF993FACA  # 3 may have arrays without a dimension, which 2 calls unknown
DENSE = 0
PROCESSOR = (1, 0)  # the device that arrays are on when they are read again
DATA_TYPES: dict[int, np.dtype[Any]] = {
    0: np.dtype("<f4"),
    1: np.dtype("<f8"),
    2: np.dtype("<f2"),
    3: np.dtype("u1"),
    4: np.dtype("<i4"),
    5: np.dtype("i1"),
    6: np.dtype("<i8"),
    7: np.dtype("?"),
}
MOST_DIMENSIONS = 32  # NumPy's


def write(path: Path, arrays: Mapping[str, npt.ArrayLike]) -> None:
    """Write arrays by name, byte for byte as MXNet would.

    Raises ValueError at an array without a dimension, or of a data type that is not among DATA_TYPES.
    """
    with path.open("wb") as file:
        file.write(struct.pack("<QQQ", FILE, RESERVED, len(arrays)))
        for name, array in arrays.items():
            _write_array(file, name, np.asarray(array))
        file.write(struct.pack("<Q", len(arrays)))
        for encoded in (name.encode() for name in arrays):
            file.write(struct.pack("<Q", len(encoded)) + encoded)


def read(path: Path) -> Arrays:
    """Read arrays by name, in the order of the file. Raises ArtifactError when the file is damaged."""
    with path.open("rb") as file:
        source = _Source(file, path.name)
        if source.unpack("<QQ") != (FILE, RESERVED):
            raise source.error("is not a file of arrays in MXNet's format")
        (count,) = source.unpack("<Q")
        arrays = [_read_array(source) for _ in range(_checked(source, count))]
        (count,) = source.unpack("<Q")
        names = [_read_name(source) for _ in range(_checked(source, count))]
        if source.left or len(set(names)) != len(names) or len(names) != len(arrays):
            raise source.error("does not have one name for each of its arrays, and nothing behind them")
    return dict(zip(names, arrays, strict=True))


class _Source:
    """An open file, and how much of it was not read yet."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name, self.left = file, name, os.fstat(file.fileno()).st_size

    def unpack(self, layout: str) -> tuple[int, ...]:
        self.take(struct.calcsize(layout))
        return struct.unpack(layout, self.file.read(struct.calcsize(layout)))

    def take(self, size: int) -> None:
        """Count bytes as read, or refuse if the file ends before."""
        if size > self.left:
            raise self.error("is cut short or damaged: it names more bytes than it has")
        self.left -= size

    def error(self, problem: str) -> ArtifactError:
        return ArtifactError(f"The weights file {self.name!r} {problem}.")


def _write_array(file: BinaryIO, name: str, array: npt.NDArray[Any]) -> None:
    data_type = next((flag for flag, known in DATA_TYPES.items() if known == array.dtype), None)
    if data_type is None or not array.ndim:
        raise ValueError(
            f"An array of {array.dtype}, shape {array.shape}, has no place in the file ({name})."
        )
    file.write(struct.pack(f"<Iii{array.ndim}q", VERSION_2, DENSE, array.ndim, *array.shape))
    file.write(struct.pack("<iii", *PROCESSOR, data_type))
    file.write(np.ascontiguousarray(array, DATA_TYPES[data_type]).data)


def _read_array(source: _Source) -> npt.NDArray[Any]:
    version, storage = source.unpack("<Ii")
    if version not in (VERSION_2, VERSION_3):
        raise source.error(f"holds an array of an unknown version ({version:#x})")
    if storage != DENSE:
        raise source.error("holds a sparse array, and only dense ones can be read")
    shape = _read_shape(source, least_dimensions=1 if version == VERSION_2 else 0)
    *_, data_type = source.unpack("<iii")
    if data_type not in DATA_TYPES:
        raise source.error(f"holds an array of an unknown data type ({data_type})")
    source.take(math.prod(shape) * DATA_TYPES[data_type].itemsize)
    array = np.empty(shape, DATA_TYPES[data_type])
    source.file.readinto(array.reshape(-1).view(np.uint8))  # type: ignore[attr-defined]
    return array


def _read_shape(source: _Source, least_dimensions: int) -> tuple[int, ...]:
    (dimensions,) = source.unpack("<i")
    if not least_dimensions <= dimensions <= MOST_DIMENSIONS:
        raise source.error(f"holds an array of {dimensions} dimensions")
    shape = source.unpack(f"<{dimensions}q")
    if any(not 0 <= length < 2**31 for length in shape) or math.prod(filter(None, shape)) >= 2**63:
        raise source.error(f"holds an array of the impossible shape {shape}")
    return shape


def _read_name(source: _Source) -> str:
    (length,) = source.unpack("<Q")
    source.take(length)
    try:
        return source.file.read(length).decode()
    except UnicodeDecodeError as error:
        raise source.error("holds a name that is not UTF-8") from error


def _checked(source: _Source, count: int) -> int:
    """Return the number of arrays or names, none of which takes less than eight bytes."""
    if count > source.left // 8:
        raise source.error("is cut short or damaged: it names more arrays than it has bytes")
    return count
