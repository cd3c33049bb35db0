"""From texts to n-grams: which ones a text holds, as numbers, each as often as it counts.

An n-gram of words is `words` or fewer words in a row; a pair of words with up to `skip` others between them
counts too (a skip-gram), and so do the runs of `chars` characters within a word and its two edges. The words
and pairs of words among the last `end` of a text count once more, apart: people conclude at the end. With
`repeats` a word that is twice in a text counts once more, and four times again, or every n-gram counts by the
logarithm of its times: a long text is about what it says often. Each is hashed into one of BUCKETS; those in
enough training texts get a number, from 1, the most frequent ones first: what is looked up most stands
together in the processor's cache. Two n-grams that share a bucket share a number: with a million n-grams, one
in seventeen does.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from model.encoder import Shares, in_vocabulary_ratios
from model.ngram_buckets import (
    BUCKETS,
    Bits,
    Grams,
    all_buckets,
    bits,
    count_into,
    find,
    phrases,
)
from model.sparse_rows import Ids, SparseRows
from model.tokenizer import grouped, groups, tokenize

Scale: TypeAlias = Literal["none", "idf", "nb", "nb-idf"]
Norm: TypeAlias = Literal["none", "sqrt"]
Optimizer: TypeAlias = Literal["adam", "sgd"]
Buckets: TypeAlias = npt.NDArray[np.int32]

LEAST_TEXTS = 2
MOST_COUNTED = np.uint16(2**16 - 1)


@dataclasses.dataclass(frozen=True)
class EncodedNgrams:
    """Texts as the numbers of their n-grams, and how much of each is known: its share of words, 0 to 1."""

    texts: SparseRows
    in_vocabulary_ratios: Shares  # (texts,), signs not counted


@dataclasses.dataclass(frozen=True)
class NgramEncoder:
    """The n-grams that are known; the same text always gives the same numbers."""

    grams: Grams
    buckets: Buckets  # of the n-gram with the number i + 1
    seq_len: int  # words that are read of one text

    @classmethod
    def fit(
        cls, texts: Iterable[str], grams: Grams, seq_len: int, most: int, least_texts: int = LEAST_TEXTS
    ) -> tuple["NgramEncoder", SparseRows]:
        """Learn the n-grams of `least_texts` texts or more, at most `most`, those in more texts first.

        Gives the encoder and the texts encoded with it.
        """
        counts = np.zeros(BUCKETS, dtype=np.int32)
        every = np.full(BUCKETS // 8, 255, dtype=np.uint8)
        encoded = []
        for group in grouped(texts):
            found = find(tokenize(group, seq_len), grams, every)
            count_into(counts, found)
            encoded.append(SparseRows(found.buckets.astype(np.int32), found.offsets))
        encoder = cls(grams, _frequent(counts, most, least_texts), seq_len)
        for place, rows in enumerate(encoded):
            encoded[place] = rows.renumbered(encoder.numbers)
        return encoder, SparseRows.joined(encoded)

    def only(self, known: npt.NDArray[np.bool_]) -> "NgramEncoder":
        """Return one that knows some of these n-grams only, shape (size,); the numbers begin at 1 again."""
        return dataclasses.replace(self, buckets=self.buckets[known[1:]])

    @property
    def size(self) -> int:
        """How many numbers there are, 0 for padding included."""
        return len(self.buckets) + 1

    def encode(self, texts: Sequence[str]) -> EncodedNgrams:
        """Return the numbers of each text's n-grams, and the share of its words that are known."""
        encoded, ratios = [], []
        for group in groups(texts):
            tokens = tokenize(group, self.seq_len)
            found = find(tokens, self.grams, self.known)
            encoded.append(SparseRows(self.numbers[found.buckets], found.offsets))
            ratios.append(in_vocabulary_ratios(tokens, found.known_words))
        return EncodedNgrams(SparseRows.joined(encoded), np.concatenate([*ratios, np.empty(0)]))

    def phrases(self, text: str) -> list[tuple[int, str]]:
        """Return the number of every known n-gram of one text and how a person would write it, like `encode`.

        An n-gram of characters is written as the word that it is in.
        """
        tokens = tokenize([text], self.seq_len)
        written: list[tuple[int, str]] = []
        names: dict[int, str] = {}
        times: Counter[int] = Counter()
        numbers: list[int] = self.numbers[all_buckets(tokens, self.grams)].tolist()
        for number, phrase in zip(numbers, phrases(tokens, self.grams), strict=True):
            if number:
                times[number] += 1
                counts = times[number].bit_count() == 1 if self.grams.repeats == "log" else times[number] == 1
                written += [(number, names.setdefault(number, phrase))] * counts
        return written

    @cached_property
    def numbers(self) -> Ids:
        """The number of each bucket, 0 where there is none."""
        table = np.zeros(BUCKETS, dtype=np.int32)
        table[self.buckets] = np.arange(1, self.size, dtype=np.int32)
        return table

    @cached_property
    def known(self) -> Bits:
        """Which buckets have a number, a bit for each."""
        return bits(self.buckets)


def _frequent(counts: Buckets, most: int, least_texts: int) -> Buckets:
    """Return the buckets of n-grams in enough texts, those in the most texts first, at most `most`."""
    enough = np.flatnonzero(counts >= least_texts)
    # Sixteen bits are sorted ten times as fast; beyond them the order does not matter.
    by_count = np.argsort(
        MOST_COUNTED - np.minimum(counts[enough], MOST_COUNTED).astype(np.uint16), kind="stable"
    )
    frequent: Buckets = enough[by_count[:most]].astype(np.int32)
    return frequent
