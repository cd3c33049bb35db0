"""Where the parts of a prediction lie, and what each must have been made of."""

from contract import keys, manifest
from contract.errors import PredictionFailed
from contract.manifest import Manifest, ManifestError
from shared import storage
from shared.storage import Location, ObjectInfo


def read_manifest(uri: str) -> Manifest:
    """Return the shard manifest at `uri`. Raises StorageError, or PredictionFailed when it cannot be used."""
    try:
        return manifest.read(storage.read_bytes(storage.parse_uri(uri)), uri)
    except ManifestError as error:
        raise PredictionFailed(str(error)) from error


def listed(work: Manifest) -> tuple[dict[int, ObjectInfo], set[int]]:
    """Return the parts that are there, by their shards' numbers, and the shards that left a sentence."""
    folder = storage.parse_uri(work.output)
    numbers = range(len(work.shards))
    part_keys = {f"{folder.key}/{keys.part_name(number)}": number for number in numbers}
    failure_keys = {f"{folder.key}/{keys.failure_name(number)}": number for number in numbers}
    there: dict[int, ObjectInfo] = {}
    failed: set[int] = set()
    for info in storage.list_objects(Location(folder.bucket, f"{folder.key}/")):
        if info.location.key in part_keys:
            there[part_keys[info.location.key]] = info
        elif info.location.key in failure_keys:
            failed.add(failure_keys[info.location.key])
    return there, failed


def sentence(work: Manifest, number: int) -> str:
    """Return what a failed shard said, on one line and with its number. Raises StorageError."""
    folder = storage.parse_uri(work.output)
    content = storage.read_bytes(Location(folder.bucket, f"{folder.key}/{keys.failure_name(number)}"))
    line = " ".join(content.decode("utf-8", "replace").split())[:500]
    return line if line.startswith(f"Shard {number} ") else f"shard {number}: {line}"
