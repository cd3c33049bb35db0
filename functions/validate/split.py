"""Decides which texts train and which judge, by the text alone.

A text's side depends on nothing but its own hash and the fraction, so it is the same in every run: the live
model is never judged on a text that it was trained on. Only two corrections depart from that, each by one
text: a class whose texts all fell on the validation side gets one back, and a file so small that none did
gives one up.
"""

import hashlib
import unicodedata
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

_SPAN = 2**64


def hash_texts(texts: Iterable[str]) -> Hashes:
    """Give 64 bits a text; texts that differ only in case, width of letters or white space get the same."""
    digests = (hashlib.blake2b(normalise(text).encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def normalise(text: str) -> str:
    """Give the text in Unicode form NFKC, case folded, runs of white space as one blank."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def assign(hashes: Hashes, codes: Codes, fraction: float) -> Mask | None:
    """Choose the validation rows.

    Args:
        hashes: (rows,) what `hash_texts` gave
        codes: (rows,) the number of each row's class, from 0 without gaps
        fraction: the share of texts that judge, between 0 and 1

    Returns:
        (rows,) True for a validation row; every class has a training row and there is a validation row; or
        None when the texts are too few for both

    """
    validation = hashes < np.uint64(min(int(fraction * _SPAN), _SPAN - 1))
    for code in _without_training_rows(codes, validation):
        # The largest hash is the closest to the border, so it would be the first to train with a smaller
        # fraction.
        validation &= hashes != hashes[codes == code].max()
    if validation.any():
        return validation
    return _one_for_validation(hashes, codes)


def duplicates(hashes: Hashes) -> int:
    """Count the rows whose text stands in an earlier row too."""
    return int(len(hashes) - len(np.unique(hashes)))


def conflicting(hashes: Hashes, codes: Codes) -> int:
    """Count the texts that carry more than one label."""
    order = np.lexsort((codes, hashes))
    texts, labels = hashes[order], codes[order]
    differ = (texts[1:] == texts[:-1]) & (labels[1:] != labels[:-1])
    return len(np.unique(texts[1:][differ]))


def _without_training_rows(codes: Codes, validation: Mask) -> list[int]:
    every, training = np.bincount(codes), np.bincount(codes[~validation], minlength=int(codes.max()) + 1)
    return [int(code) for code in np.flatnonzero((training == 0) & (every > 0))]


def _one_for_validation(hashes: Hashes, codes: Codes) -> Mask | None:
    """Give up the text with the smallest hash whose classes all keep a training row."""
    total = np.bincount(codes)
    for text in np.unique(hashes):
        chosen: Mask = hashes == text
        if (total - np.bincount(codes[chosen], minlength=len(total)) > 0).all():
            return chosen
    return None
