"""Compiles loops over numbers to machine code with Numba, so that they can be written as loops.

The first call of a function compiles it, which takes a second or two, and keeps the result beside its
source for all later processes. Where nothing can be written, as in the image, what was kept there before is
read all the same; `python -m container.compile` keeps all of it when the image is built.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

_settings = {"interpreted": False}


def compiled(function: Function) -> Function:
    """Return the function, compiled when it is first called; its types are those of that call."""
    if _settings["interpreted"]:
        return _as_python(function)
    from numba import njit  # noqa: PLC0415  which takes longer to load than a text or two to label

    from model.kept_compiled import KeptBesideSource  # noqa: PLC0415  as above

    dispatcher = njit(error_model="numpy", fastmath={"contract", "arcp"})(function)
    dispatcher._cache = KeptBesideSource(function)
    return cast("Function", dispatcher)


@contextmanager
def interpreted() -> Iterator[None]:
    """Let the loops of modules that are imported meanwhile run as the Python that they are.

    The numbers are the same. For a text or two it is quicker, as Numba takes long to load.
    """
    _settings["interpreted"] = True
    try:
        yield
    finally:
        _settings["interpreted"] = False


def _as_python(function: Function) -> Function:
    @functools.wraps(function)
    def run(*arguments: Any) -> Any:  # noqa: ANN401  whatever the function takes and gives
        with np.errstate(over="ignore"):  # hashes are taken modulo 2 ** 64, as machine code does
            return function(*arguments)

    return cast("Function", run)
