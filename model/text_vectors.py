"""The vectors of many texts, computed once and kept in a file; a computation that was interrupted goes on."""

import contextlib
import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from contract.text import duration
from model.data import Floats
from model.errors import TrainingStopped
from model.sentence_encoder import SentenceEncoder

if TYPE_CHECKING:
    from model.training import Session

VECTORS, STATE = "vectors.float32", "vectors.json"
TELL_SECONDS = 10.0  # between two lines of progress


def text_vectors(
    encoder: SentenceEncoder, texts: Callable[[], Iterable[str]], rows: int, folder: Path, session: "Session"
) -> Floats:
    """Return the vectors of `rows` texts, shape (rows, size), float32, which lie in a file of the folder.

    Those that an interrupted call with the same encoder and texts has left there are kept. Raises
    TrainingStopped.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fingerprint = _fingerprint(encoder, texts())
    vectors, done = _opened(folder, fingerprint, (rows, encoder.size))
    started = told = time.monotonic()
    first = done
    for block in encoder.encoded(itertools.islice(texts(), done, None)):
        vectors[done : done + len(block)] = block
        done += len(block)
        if session.should_stop():
            _keep(vectors, folder, fingerprint, done)
            raise TrainingStopped(
                f"The training was asked to stop when {done:,} of {rows:,} texts were read; "
                f"{'a restart goes on from there' if session.checkpoints else 'it had no checkpoint folder'}."
            )
        if (now := time.monotonic()) - told > TELL_SECONDS and done < rows:
            told, left = now, (now - started) / (done - first) * (rows - done)
            _keep(vectors, folder, fingerprint, done)
            session.say(f"{done:,} of {rows:,} texts read, about {duration(left)} left")
    _keep(vectors, folder, fingerprint, done)
    return vectors


def _fingerprint(encoder: SentenceEncoder, texts: Iterable[str]) -> str:
    """Return what the vectors must be of, to be those that are asked for."""
    digest = hashlib.sha256(encoder.digest.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()


def _opened(folder: Path, fingerprint: str, shape: tuple[int, int]) -> tuple[np.memmap, int]:  # type: ignore[type-arg]
    """Return the file of vectors, and how many of them are there."""
    state = folder / STATE
    if state.exists():
        with contextlib.suppress(ValueError, KeyError, OSError):  # of a damaged file nothing is kept
            kept = json.loads(state.read_text(encoding="utf-8"))
            whole = (folder / VECTORS).stat().st_size == shape[0] * shape[1] * np.dtype(np.float32).itemsize
            if whole and kept["fingerprint"] == fingerprint:
                return np.memmap(folder / VECTORS, np.float32, "r+", shape=shape), int(kept["done"])
    state.unlink(missing_ok=True)
    return np.memmap(folder / VECTORS, np.float32, "w+", shape=shape), 0


def _keep(vectors: np.memmap, folder: Path, fingerprint: str, done: int) -> None:  # type: ignore[type-arg]
    """Write down how many vectors are in the file, once they are."""
    vectors.flush()
    fresh = folder / f"{STATE}.new"
    fresh.write_text(json.dumps({"fingerprint": fingerprint, "done": done}), encoding="utf-8")
    fresh.replace(folder / STATE)
