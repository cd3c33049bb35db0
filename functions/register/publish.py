"""Copies the live model's files to their fixed addresses."""

import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from contract.errors import StorageError, TrainingFailed
from shared import storage
from shared.archive import members

CONTENT_TYPES = {
    "MODELPARAMSURL": "application/octet-stream",
    "TRANSFORMERURL": "application/json",
    "MODELCONFIGURL": "application/json",
}


def check(model_uri: str) -> None:
    """Look whether the artifact has one file of each kind. Raises TrainingFailed."""
    with _readable(model_uri):
        found = Counter(_address_key(name) for name, _ in members(storage.open_uri(model_uri)))
    if any(found[key] != 1 for key in CONTENT_TYPES):
        raise TrainingFailed(
            f"The model artifact {model_uri} must hold one *.params file, one encoder.json and one "
            "config.json; it "
            f"holds {', '.join(str(found[key]) for key in CONTENT_TYPES)} of them."
        )


def publish(model_uri: str, addresses: dict[str, str]) -> None:
    """Copy weights, encoder and configuration out of the model artifact, as a stream.

    Args:
        model_uri: where model.tar.gz lies
        addresses: the three addresses, by the configuration's keys

    Raises:
        TrainingFailed: the artifact cannot be read

    """
    with _readable(model_uri):
        for name, content in members(storage.open_uri(model_uri)):
            key = _address_key(name)
            if key is not None:
                storage.upload_stream(storage.parse_uri(addresses[key]), content, CONTENT_TYPES[key])


def _address_key(name: str) -> str | None:
    """Return the configuration's key that says where a file of this name goes."""
    if name.endswith(".params"):
        return "MODELPARAMSURL"
    return {"encoder.json": "TRANSFORMERURL", "config.json": "MODELCONFIGURL"}.get(name)


@contextmanager
def _readable(model_uri: str) -> Iterator[None]:
    try:
        yield
    except (StorageError, tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise TrainingFailed(f"The model artifact {model_uri} cannot be read: {error}.") from error
