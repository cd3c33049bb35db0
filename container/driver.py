"""Lets MXNet's CUDA build load on a machine without an NVIDIA driver.

libmxnet.so of mxnet-cu112 is linked to libcuda.so.1, which comes with the driver of the host. Where there
is none, a stub with the ten symbols it needs (libcuda_stub.c) stands in, and MXNet then finds no GPU. The
stub is never on the loader's path, where it would hide a real driver.
"""

import ctypes
from pathlib import Path

DRIVER = "libcuda.so.1"
STUB = Path("/opt/cuda-stub/libcuda.so.1")


def ensure_driver(driver: str = DRIVER, stub: Path = STUB) -> bool:
    """Load the driver library, or the stub if there is none. Gives whether there is a driver.

    Call it before MXNet may be imported. With neither (the CPU build of MXNet needs none) nothing is loaded.
    """
    if _loads(driver):
        return True
    if stub.exists():
        ctypes.CDLL(str(stub), mode=ctypes.RTLD_GLOBAL)
    return False


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True
