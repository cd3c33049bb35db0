"""What counts as the same text or the same label: 64 bits a text, and the plain form of a label."""

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
_NUMBER = re.compile(r"([+-]?)0*([0-9]+)(?:\.([0-9]*?)0*)?")


def hash_texts(texts: Iterable[str]) -> Hashes:
    """Return 64 bits a text; texts that differ only in case, white space or what cannot be seen get the same.

    They are saved with a model (`artifact.LEARNED`): another way of counting needs another name there.
    """
    digests = (hashlib.blake2b(_plain(text).encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def plain_label(label: str) -> str:
    """Return the form in which labels are compared: as of a text; `01`, `1.0` and `1` are one number."""
    plain = _plain(label)
    number = _NUMBER.fullmatch(plain)
    if not number:
        return plain
    sign, whole, fraction = number.groups(default="")
    return f"{sign.replace('+', '')}{whole}{'.' if fraction else ''}{fraction}"


def _plain(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return " ".join(text.casefold().split())
