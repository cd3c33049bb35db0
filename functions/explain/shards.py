"""Finds what the failed shards of a prediction said."""

from contract.errors import StorageError
from contract.manifest import Manifest
from contract.state import FileToLabel
from shared import parts
from shared.shards import LOOKED_AT


def sentences(checked: FileToLabel) -> tuple[dict[int, str], bool]:
    """Return the sentences of failed shards by the shards' numbers, and whether these are all.

    A shard that failed once and succeeded on its next attempt has a part, and does not count.
    """
    manifest = parts.read_manifest(checked["manifest"])
    there, failed = parts.listed(manifest)
    numbers = sorted(failed - set(there))
    sentences = {number: _said(manifest, number) for number in numbers[:LOOKED_AT]}
    return {number: said for number, said in sentences.items() if said}, len(numbers) <= LOOKED_AT


def _said(manifest: Manifest, number: int) -> str:
    try:
        return parts.sentence(manifest, number)
    except StorageError:
        return ""
