"""Decides which texts train and which judge, by the text alone.

A text's side depends on nothing but its own hash and the fraction, so it is the same in every run: a model
is not judged on a text that another run's model was trained on. Two corrections depart from that, so that
every category with two different texts is trained and judged: a category whose texts all fell on the
validation side gets its last one back, and one that nothing judges gives its first one up.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract.plain import plain

Hashes = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

_SPAN = 2**64


def hash_texts(texts: Iterable[str]) -> Hashes:
    """Return 64 bits a text; texts that people take for the same get the same (see `normalise`)."""
    digests = (hashlib.blake2b(normalise(text).encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def normalise(text: str) -> str:
    """Return the text in its plain form: without case, runs of white space and what cannot be seen."""
    return " ".join(text.casefold().split()) if text.isascii() else plain(text)


def assign(hashes: Hashes, codes: Codes, fraction: float) -> Mask | None:
    """Choose the validation rows.

    Args:
        hashes: (rows,) what `hash_texts` gave
        codes: (rows,) the number of each row's class, from 0 without gaps
        fraction: the share of texts that judge, between 0 and 1

    Returns:
        (rows,) True for a validation row; every class has a training row, and every class with two different
        texts a validation row, as far as texts with several classes allow both; or None when no text can be
        spared to judge

    """
    texts, row_texts = np.unique(hashes, return_inverse=True)
    sides = texts < np.uint64(min(int(fraction * _SPAN), _SPAN - 1))
    classes = _Classes.of(row_texts, codes)
    training, judging = classes.count(~sides), classes.count(sides)
    for code in np.flatnonzero(training == 0).tolist():
        if not training[code]:
            # The largest hash is the closest to the border, so it would be the first to train with a smaller
            # fraction; the smallest, below, would be the first to judge with a larger one.
            text = classes.texts_of(code)[-1]
            sides[text] = False
            training[classes.of_text(text)] += 1
            judging[classes.of_text(text)] -= 1
    for code in np.flatnonzero(judging == 0).tolist():
        if not judging[code]:
            _give_up_one(classes, code, sides, training, judging)
    return sides[row_texts] if sides.any() else None


def again(hashes: Hashes) -> Hashes:
    """Return other hashes of the same texts, which say nothing of the sides that the first ones chose.

    Multiplying by an odd number is one-to-one (Fibonacci hashing: Knuth, The Art of Computer Programming,
    volume 3, 6.4).
    """
    return hashes * np.uint64(0x9E3779B97F4A7C15)


def duplicates(hashes: Hashes) -> int:
    """Count the rows whose text stands in an earlier row too."""
    return int(len(hashes) - len(np.unique(hashes)))


def conflicting(hashes: Hashes, codes: Codes) -> int:
    """Count the texts that carry more than one label."""
    order = np.lexsort((codes, hashes))
    texts, labels = hashes[order], codes[order]
    differ = (texts[1:] == texts[:-1]) & (labels[1:] != labels[:-1])
    return len(np.unique(texts[1:][differ]))


def _give_up_one(classes: "_Classes", code: int, sides: Mask, training: Counts, judging: Counts) -> None:
    """Let the first text of a class judge that each of its classes can spare."""
    for text in classes.texts_of(code).tolist():
        of_text = classes.of_text(text)
        if (training[of_text] > 1).all():
            sides[text] = True
            training[of_text] -= 1
            judging[of_text] += 1
            return


@dataclass(frozen=True)
class _Classes:
    """Which texts a class has, and which classes a text: each pair once, in both orders."""

    size: int
    by_text: tuple[Counts, Counts]  # texts and their classes, by text
    by_class: tuple[Counts, Counts]  # classes and their texts, by class and then text

    @classmethod
    def of(cls, row_texts: Counts, codes: Codes) -> "_Classes":
        size = int(codes.max()) + 1
        texts, classes = np.divmod(np.unique(row_texts * size + codes), size)
        order = np.argsort(classes, kind="stable")
        return cls(size, (texts, classes), (classes[order], texts[order]))

    def count(self, chosen: Mask) -> Counts:
        """Return how many of the chosen texts each class has."""
        texts, classes = self.by_text
        return np.bincount(classes[chosen[texts]], minlength=self.size).astype(np.int64)

    def texts_of(self, code: int) -> Counts:
        """Return the texts of a class, the smallest hash first."""
        return _values(self.by_class, code)

    def of_text(self, text: int) -> Counts:
        """Return the classes of a text."""
        return _values(self.by_text, text)


def _values(pairs: tuple[Counts, Counts], key: int) -> Counts:
    start, end = np.searchsorted(pairs[0], [key, key + 1])
    return pairs[1][start:end]
