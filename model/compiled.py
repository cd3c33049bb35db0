"""Compiles loops over numbers to machine code with Numba, so that they can be written as loops.

The first call of a function compiles it, which takes a second or two, and keeps the result beside its source
for all later processes.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return the function, compiled when it is first called; its types are those of that call."""
    return cast("Function", njit(cache=True, error_model="numpy", fastmath={"contract", "arcp"})(function))
