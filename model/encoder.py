"""From a text to the numbers that a network reads word by word: a vocabulary by frequency."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from model.tokenizer import Tokens, grouped, groups, tokenize

Ids: TypeAlias = npt.NDArray[np.signedinteger[Any]]  # a text as numbers: shape (words,) or (n-grams,)
Shares: TypeAlias = npt.NDArray[np.float64]

PADDING = 0
UNKNOWN = 1
FIRST_WORD = 2
LEAST_COUNT = 2  # a word seen once teaches nothing, and leaves the unknown word untrained


@dataclass(frozen=True)
class Encoded:
    """Texts as numbers, and how much of each is known: its share of words, 0 to 1, signs not counted."""

    texts: list[Ids]
    in_vocabulary_ratios: Shares  # (texts,)


@dataclass(frozen=True)
class WordEncoder:
    """A fixed vocabulary; the same text always gives the same numbers."""

    vocabulary: tuple[str, ...]  # the word at position i has the number i + FIRST_WORD
    seq_len: int  # words that are read of one text

    @classmethod
    def fit(cls, texts: Iterable[str], vocab_size: int, seq_len: int) -> "WordEncoder":
        """Learn the `vocab_size` - 2 most frequent words."""
        counts: Counter[str] = Counter()
        for group in grouped(texts):
            counts.update(tokenize(group, seq_len).words)
        ranked = sorted((-count, word) for word, count in counts.items() if count >= LEAST_COUNT)
        return cls(tuple(word for _, word in ranked[: vocab_size - FIRST_WORD]), seq_len)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Return the numbers of each text's first `seq_len` words; a text with none is one unknown word."""
        encoded: list[Ids] = []
        shares = []
        for group in groups(texts):
            tokens = tokenize(group, self.seq_len)
            numbers = np.array([self._numbers.get(word, UNKNOWN) for word in tokens.words], dtype=np.int32)
            nothing = np.array([UNKNOWN], dtype=np.int32)
            pieces = np.split(numbers, tokens.offsets[1:-1])
            encoded.extend(piece if len(piece) else nothing for piece in pieces)
            shares.append(in_vocabulary_ratios(tokens, numbers != UNKNOWN))
        return Encoded(encoded, np.concatenate(shares) if shares else np.empty(0))

    @property
    def size(self) -> int:
        """How many numbers a word can have, padding and unknown included."""
        return len(self.vocabulary) + FIRST_WORD

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary, FIRST_WORD)}


def in_vocabulary_ratios(tokens: Tokens, known: npt.NDArray[np.bool_]) -> Shares:
    """Return the share of each text's words that are `known`; signs do not count, and of no words none is."""
    counted = ~tokens.signs
    words = np.searchsorted(np.flatnonzero(counted), tokens.offsets)
    known_words = np.searchsorted(np.flatnonzero(counted & known), tokens.offsets)
    shares: Shares = np.diff(known_words) / np.maximum(np.diff(words), 1)
    return shares
