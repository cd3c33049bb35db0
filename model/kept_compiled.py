"""Keeps what Numba compiled beside its source, where later processes find it."""

import contextlib
import hashlib
from pathlib import Path
from typing import Any

from numba.core import caching


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


class KeptBesideSource(caching.FunctionCache):  # type: ignore[misc]
    """The compiled forms of one function."""

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
