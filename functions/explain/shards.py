"""Finds what the failed shards of a prediction said."""

from typing import Any

from shared import keys, storage
from shared.errors import StorageError
from shared.storage import Location

SHOWN = 3
LOOKED_AT = 50


def sentences(validation: dict[str, Any]) -> list[str]:
    """Give the first sentences of failed shards, each with its shard's number.

    A shard that failed once and succeeded on its next attempt has a part, and does not count.
    """
    manifest = storage.read_json(validation["predict"]["manifest"])
    folder = storage.parse_uri(manifest["output"])
    found: list[str] = []
    # Of up to 10,000 shards few fail, and asking for each one's sentence would take minutes.
    for key in storage.list_keys(Location(folder.bucket, f"{folder.key}/{keys.FAILURE}"), LOOKED_AT):
        index = int("".join(filter(str.isdigit, key.rsplit("/", 1)[-1])))
        said = _said(folder, index)
        found += [f"shard {index}: {said}"] if said else []
    return found[:SHOWN]


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
