"""Where the parts of a prediction lie, and what each must have been made of."""

import hashlib
from typing import Any

from contract import keys
from shared import storage
from shared.storage import Location, ObjectInfo

Manifest = dict[str, Any]


def listed(manifest: Manifest) -> tuple[dict[int, ObjectInfo], set[int]]:
    """Return the parts that are there, by their shards' numbers, and the shards that left a sentence."""
    folder = storage.parse_uri(manifest["output"])
    numbers = range(len(manifest["shards"]))
    part_keys = {f"{folder.key}/{keys.part_name(number)}": number for number in numbers}
    failure_keys = {f"{folder.key}/{keys.failure_name(number)}": number for number in numbers}
    there: dict[int, ObjectInfo] = {}
    failed: set[int] = set()
    for found in storage.list_objects(Location(folder.bucket, f"{folder.key}/")):
        if found.location.key in part_keys:
            there[part_keys[found.location.key]] = found
        elif found.location.key in failure_keys:
            failed.add(failure_keys[found.location.key])
    return there, failed


def made_of(shard: str, model_etag: str, *, explain: bool) -> str:
    """Return the digest of what a part depends on; `container/part.py` has the same."""
    return hashlib.sha256(f"{shard}\n{model_etag}\n{explain}".encode()).hexdigest()[:32]


def sentence(manifest: Manifest, number: int) -> str:
    """Return what a failed shard said, on one line and with its number. Raises StorageError."""
    folder = storage.parse_uri(manifest["output"])
    said = storage.read_bytes(Location(folder.bucket, f"{folder.key}/{keys.failure_name(number)}"))
    line = " ".join(said.decode("utf-8", "replace").split())[:500]
    return line if line.startswith(f"Shard {number} ") else f"shard {number}: {line}"
