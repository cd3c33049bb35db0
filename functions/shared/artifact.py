"""The files of a model artifact (`model.tar.gz`) that have an address of their own while it is live."""

import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from contract.errors import StorageError, TrainingFailed
from contract.keys import LIVE_KEYS
from shared import storage
from shared.archive import members

WEIGHTS, ENCODER, CONFIG = LIVE_KEYS  # the configuration's keys that name the addresses


def check(model_uri: str) -> None:
    """Check that the artifact has one file of each kind. Raises TrainingFailed."""
    with readable(model_uri):
        counts = Counter(key for key, _ in live_files(model_uri))
    if any(counts[key] != 1 for key in LIVE_KEYS):
        raise TrainingFailed(
            f"The model artifact {model_uri} must hold one *.params file, one encoder.json and one "
            "config.json; it "
            f"holds {', '.join(str(counts[key]) for key in LIVE_KEYS)} of them."
        )


def live_files(model_uri: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield weights, encoder and configuration as streams, each with the configuration's key for its address.

    Read each before asking for the next, and all inside `readable`.
    """
    for name, content in members(storage.open_uri(model_uri)):
        key = _address_key(name)
        if key is not None:
            yield key, content


@contextmanager
def readable(model_uri: str) -> Iterator[None]:
    """Turn what goes wrong while an artifact is read into TrainingFailed, in one sentence."""
    try:
        yield
    except (StorageError, tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise TrainingFailed(f"The model artifact {model_uri} cannot be read: {error}.") from error


def _address_key(name: str) -> str | None:
    if name.endswith(".params"):
        return WEIGHTS
    return {"encoder.json": ENCODER, "config.json": CONFIG}.get(name)
