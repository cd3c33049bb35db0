"""Compiles loops over numbers to machine code with Numba, so that they can be written as loops.

The first call of a function compiles it, which takes a second or two, and keeps the result beside its
source for all later processes. Where nothing can be written, as in the image, what was kept there before is
read all the same; `python -m container.compile` keeps all of it when the image is built.
"""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import caching

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return the function, compiled when it is first called; its types are those of that call."""
    dispatcher = njit(error_model="numpy", fastmath={"contract", "arcp"})(function)
    dispatcher._cache = _Cache(function)
    return cast("Function", dispatcher)


class _BesideSource(caching._InTreeCacheLocator):  # type: ignore[misc]
    """Finds what was compiled of a source file, in `__pycache__` beside it, which need not be writable."""

    def ensure_cache_path(self) -> None:
        with contextlib.suppress(OSError):
            Path(self.get_cache_path()).mkdir(exist_ok=True)

    def get_source_stamp(self) -> str:
        """Return what must be the same for the code to be used: the source, as copying changes its time."""
        return hashlib.sha256(Path(self._py_file).read_bytes()).hexdigest()


class _Files(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_BesideSource,)


class _Cache(caching.FunctionCache):  # type: ignore[misc]
    _impl_class = _Files

    def load_overload(self, *signature: Any) -> Any:  # noqa: ANN401  Numba's own types
        """Return what was kept of a compiled function, or None."""
        with contextlib.suppress(OSError):
            return super().load_overload(*signature)
        return None

    def save_overload(self, *compilation: Any) -> None:  # noqa: ANN401  as above
        """Keep a compiled function, if that can be done."""
        with contextlib.suppress(OSError):
            super().save_overload(*compilation)
