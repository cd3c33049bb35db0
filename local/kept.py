"""The folder in which the local AWS keeps what it holds: its format, its size, and how it is forgotten.

    format.json             by what it was written
    services/NAME.json      what a service holds
    services/dynamodb.journal   changes of items since then
    services/lambda-blobs/  the code of functions
    executions/ID.json      an execution of a state machine, its history included
    s3/                     objects, each with a file that describes it

A file is always replaced as a whole, so that a server that is killed in the middle leaves the one before.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.patches import PINNED_VERSION
from local.settings import Settings

FORMAT = {"format": 1, "ministack": PINNED_VERSION}
_SIDECAR = [".meta", ".json"]
_FORGET = "`claimflow local reset` forgets it and lets you begin anew"


class KeptError(Exception):
    """What is kept cannot be used; the message is one sentence for the person who asked."""


def prepare(settings: Settings) -> None:
    """Make the folder, or check that this version can go on with what lies in it.

    Raises:
        KeptError: it was written by another version, or a file in it is damaged.

    """
    told = settings.kept / "format.json"
    if told.exists() and _read(told) != FORMAT:
        raise KeptError(
            f"What the local AWS keeps in {settings.kept} was written by another version of it: {_FORGET}."
        )
    for path in _state_files(settings):
        _read(path)
    mend(objects(settings))
    for folder in (services(settings), executions(settings), objects(settings)):
        folder.mkdir(parents=True, exist_ok=True)
    write(told, json.dumps(FORMAT))


def mend(folder: Path) -> None:
    """Make objects whole that a server was writing when it was killed: nobody was told that they are stored.

    An object's bytes are replaced first and then the file that describes them. Between the two, the bytes are
    newer than their description: the version before takes their place, or else they are described anew.
    """
    for path in folder.rglob("*.tmp"):
        path.unlink()
    for path in folder.glob("[0-9]*/*/**/*"):
        if path.is_file() and path.suffixes[-2:] != _SIDECAR:
            _mend(path, path.with_name(f"{path.name}.meta.json"), folder)


def forget(settings: Settings) -> None:
    """Remove all that is kept."""
    shutil.rmtree(settings.kept, ignore_errors=True)


def size(settings: Settings) -> int:
    """Return how many bytes it takes on the disk."""
    paths = (Path(folder, name) for folder, _, names in os.walk(settings.kept) for name in names)
    return sum(path.lstat().st_size for path in paths if path.exists())


def services(settings: Settings) -> Path:
    """One file a service."""
    return settings.kept / "services"


def executions(settings: Settings) -> Path:
    """One file an execution."""
    return settings.kept / "executions"


def objects(settings: Settings) -> Path:
    """One file an object, and one that describes it."""
    return settings.kept / "s3"


def _mend(path: Path, sidecar: Path, folder: Path) -> None:
    if not sidecar.exists():
        path.unlink()  # new, and never described
        return
    if path.stat().st_mtime_ns <= sidecar.stat().st_mtime_ns:
        return
    description = json.loads(sidecar.read_bytes())
    digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    if description.get("etag", "").strip('"') == digest:
        return
    account, bucket, *key = path.relative_to(folder).parts
    before = folder.joinpath(".versions", account, bucket, description.get("version_id") or "null", *key)
    if before.exists():
        shutil.copyfile(before, path)
    else:
        description.update(etag=f'"{digest}"', size=path.stat().st_size, checksums={})
    write(sidecar, json.dumps(description))


def write(path: Path, text: str) -> None:
    """Replace a file as a whole."""
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_text(text)
    draft.replace(path)


def _state_files(settings: Settings) -> Iterator[Path]:
    yield from services(settings).glob("*.json")
    yield from executions(settings).glob("*.json")


def _read(path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        raise KeptError(f"What the local AWS keeps is damaged ({path}): {_FORGET}.") from None
