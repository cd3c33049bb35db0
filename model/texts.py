"""What counts as the same text: 64 bits each."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Hashes: TypeAlias = npt.NDArray[np.uint64]

# Soft hyphens, joiners, variation selectors, bidirectional and byte order marks.
_INVISIBLE = re.compile(
    "[\xad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+"
)


def hash_texts(texts: Iterable[str]) -> Hashes:
    """Return 64 bits a text; texts that differ only in case, white space or what cannot be seen get the same.

    They are saved with a model (`artifact.LEARNED`): another way of counting needs another name there.
    """
    digests = (hashlib.blake2b(_plain(text).encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def _plain(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return " ".join(text.casefold().split())
