"""Which program this is: what changes whenever its predictions may."""

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

from model.framework import BUILDS

_SOURCES = Path(__file__).resolve().parent.parent
_FOLDERS = ("container", "contract", "model")
_LIBRARIES = ("numpy", *BUILDS)


@cache
def version() -> str:
    """Return a digest of the sources, and of the versions of the libraries that compute."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in _FOLDERS for path in (_SOURCES / folder).rglob("*.py")):
        digest.update(f"{path.relative_to(_SOURCES)}\n".encode() + path.read_bytes())
    digest.update("\n".join(f"{name} {_installed(name)}" for name in _LIBRARIES).encode())
    return digest.hexdigest()[:16]


def _installed(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""
