"""Finds what the failed shards of a prediction said."""

from typing import Any

from shared import keys, storage
from shared.errors import StorageError
from shared.storage import Location

SHOWN = 3
LOOKED_AT = 50


def sentences(validation: dict[str, Any]) -> tuple[list[str], bool]:
    """Give the sentences of failed shards, each with its shard's number, and whether these are all.

    A shard that failed once and succeeded on its next attempt has a part, and does not count.
    """
    manifest = storage.read_json(validation["predict"]["manifest"])
    folder = storage.parse_uri(manifest["output"])
    found: list[str] = []
    # Of up to 10,000 shards few fail, and asking for each one's sentence would take minutes.
    names = storage.list_keys(Location(folder.bucket, f"{folder.key}/{keys.FAILURE}"), LOOKED_AT)
    for key in names:
        index = int("".join(filter(str.isdigit, key.rsplit("/", 1)[-1])))
        said = _said(folder, index)
        if said:
            found.append(said if said.startswith(f"Shard {index} ") else f"shard {index}: {said}")
    return found, len(names) < LOOKED_AT


def _said(folder: Location, index: int) -> str:
    try:
        content = storage.read_bytes(Location(folder.bucket, f"{folder.key}/{keys.failure_name(index)}"))
    except StorageError:
        return ""
    try:
        storage.head(Location(folder.bucket, f"{folder.key}/{keys.part_name(index)}"))
    except StorageError:
        return " ".join(content.decode("utf-8", "replace").split())[:500]
    return ""
