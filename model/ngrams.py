"""From texts to n-grams: which ones a text holds, as numbers, each once.

An n-gram of words is `words` or fewer words in a row; a pair of words with up to `skip` others between them
counts too (a skip-gram), and so do the runs of `chars` characters within a word and its two edges. The words
and pairs of words among the last `end` of a text count once more, apart: people conclude at the end. Each is
hashed into one of BUCKETS; those in enough training texts get a number, from 1, the most
frequent ones first: what is looked up most stands together in the processor's cache. Two n-grams that share
a bucket share a number: with a million n-grams, one in seventeen does.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from model.encoder import Encoded, Ids, in_vocabulary_ratios
from model.tokenizer import Hashes, Places, Tokens, grouped, groups, tokenize

Scale: TypeAlias = Literal["none", "idf", "nb", "nb-idf"]
Norm: TypeAlias = Literal["none", "sqrt"]
Buckets: TypeAlias = npt.NDArray[np.int32]

BITS = 24
BUCKETS = 2**BITS
LEAST_TEXTS = 2
MOST_COUNTED = np.uint16(2**16 - 1)
END_WORDS = 2  # longest n-gram of the last words
NOWHERE = -1  # the bucket of an n-gram that would reach into the next text or word
SKIPPED, AT_THE_END = " … ", " (at the end)"

_MIX, _SPREAD, _SHIFT = 0xBF58476D1CE4E5B9, 0xC2B2AE3D27D4EB4F, 29
_PAIR, _CHARACTERS, _END = 977, 7919, 0xD6E8FEB86659FD93  # so that the same words differ by their place
_LEFT_EDGE, _RIGHT_EDGE = 2, 3  # of a word: code points that no word contains


@dataclasses.dataclass(frozen=True)
class Grams:
    """Which n-grams are looked for in a text."""

    words: int  # longest run of words
    skip: int  # most words between the two of a pair; 0: no such pairs
    chars: tuple[int, int] | None  # shortest and longest run of characters within a word
    end: int  # last words of a text that count once more


@dataclasses.dataclass(frozen=True)
class _Found:
    """The n-grams of one kind: a line for each place, a column for each sort."""

    buckets: Places  # (places, sorts)
    offsets: Places  # the places of text i are offsets[i] to offsets[i + 1]


@dataclasses.dataclass(frozen=True)
class NgramEncoder:
    """The n-grams that are known; the same text always gives the same numbers."""

    grams: Grams
    buckets: Buckets  # of the n-gram with the number i + 1
    seq_len: int  # words that are read of one text

    @classmethod
    def fit(
        cls, texts: Iterable[str], grams: Grams, seq_len: int, most: int, least_texts: int = LEAST_TEXTS
    ) -> tuple["NgramEncoder", list[Ids]]:
        """Learn the n-grams of `least_texts` texts or more, at most `most`, those in more texts first.

        Gives the encoder and the texts encoded with it.
        """
        counts = np.zeros(BUCKETS + 1, dtype=np.int32)
        distinct = _Distinct(BUCKETS + 1)
        raw = []
        for group in grouped(texts):
            found = _find(tokenize(group, seq_len), grams)
            for numbers in distinct.of([(part.buckets + 1, part.offsets) for part in found]):
                counts[numbers] += 1
                raw.append(numbers.astype(np.int32))
        encoder = cls(grams, _frequent(counts[1:], most, least_texts), seq_len)
        for text, numbers in enumerate(raw):
            known = encoder.numbers[numbers - 1]
            raw[text] = known[known > 0]
        return encoder, raw

    def only(self, known: npt.NDArray[np.bool_]) -> "NgramEncoder":
        """Return one that knows some of these n-grams only, shape (size,); the numbers begin at 1 again."""
        return dataclasses.replace(self, buckets=self.buckets[known[1:]])

    @property
    def size(self) -> int:
        """How many numbers there are, 0 for padding included."""
        return len(self.buckets) + 1

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Return the numbers of each text's n-grams, each once, and the share of its words that are known."""
        encoded: list[Ids] = []
        shares = []
        for group in groups(texts):
            tokens = tokenize(group, self.seq_len)
            found = _find(tokens, self.grams)
            numbers = [(self.numbers[part.buckets], part.offsets) for part in found]
            encoded.extend(self._distinct.of(numbers))
            shares.append(in_vocabulary_ratios(tokens, numbers[0][0][:, 0] > 0))
        return Encoded(encoded, np.concatenate(shares) if shares else np.empty(0))

    def phrases(self, text: str) -> list[tuple[int, str]]:
        """Return the number of every known n-gram of one text and how a person would write it, each once.

        An n-gram of characters is written as the word that it is in.
        """
        tokens = tokenize([text], self.seq_len)
        found = _find(tokens, self.grams)
        written: dict[int, str] = {}
        for numbers, names in zip(
            (self.numbers[part.buckets] for part in found), _names(tokens, self.grams), strict=True
        ):
            for place, sort in zip(*np.nonzero(numbers), strict=True):
                written.setdefault(int(numbers[place, sort]), names(int(place), int(sort)))
        return list(written.items())

    @cached_property
    def numbers(self) -> Ids:
        """The number of each bucket, 0 where there is none; the last place is that of NOWHERE."""
        table = np.zeros(BUCKETS + 1, dtype=np.int32)
        table[self.buckets] = np.arange(1, self.size, dtype=np.int32)
        return table

    @cached_property
    def _distinct(self) -> "_Distinct":
        return _Distinct(self.size)


class _Distinct:
    """Takes the numbers of each text once. `size` is one more than the largest number; 0 is left out."""

    def __init__(self, size: int) -> None:
        self._last_place = np.zeros(size, dtype=np.int32)

    def of(self, parts: Sequence[tuple[Ids, Places]]) -> Iterator[Ids]:
        kept = [_without_zeros(numbers, offsets) for numbers, offsets in parts]
        slices = [_slices(numbers, offsets.tolist()) for numbers, offsets in kept]
        ramp = np.arange(sum(len(numbers) for numbers, _ in kept), dtype=np.int32)
        for text in zip(*slices, strict=True):
            numbers = text[0] if len(text) == 1 else np.concatenate(text)
            places = ramp[: len(numbers)]
            self._last_place[numbers] = places
            yield numbers[self._last_place[numbers] == places]


def _find(tokens: Tokens, grams: Grams) -> list[_Found]:
    found = [_word_grams(tokens, grams)]
    if grams.chars:
        found.append(_character_grams(tokens, *grams.chars))
    if grams.end:
        found.append(_end_grams(tokens, grams.end))
    return found


def _word_grams(tokens: Tokens, grams: Grams) -> _Found:
    """Hash the words from each place on: 1 word, 2 words, …, then the pairs with 1, 2, … skipped."""
    sorts = [*_runs(tokens.hashes, grams.words), *_pairs(tokens.hashes, grams.skip)]
    buckets = np.full((len(tokens.hashes), len(sorts)), NOWHERE, dtype=np.intp)
    for column, (hashes, reach) in zip(buckets.T, sorts, strict=True):
        _fill(column, hashes, tokens.offsets[1:], reach)
    return _Found(buckets, tokens.offsets)


def _end_grams(tokens: Tokens, end: int) -> _Found:
    """Hash the words and pairs of words among the last `end` of each text."""
    counts = np.minimum(np.diff(tokens.offsets), end)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    places = np.arange(offsets[-1]) + np.repeat(tokens.offsets[1:] - offsets[1:], counts)
    buckets = np.full((len(places), END_WORDS), NOWHERE, dtype=np.intp)
    for column, (hashes, reach) in zip(buckets.T, _runs(tokens.hashes[places], END_WORDS), strict=True):
        _fill(column, hashes * np.uint64(_END), offsets[1:], reach)
    return _Found(buckets, offsets)


def _runs(hashes: Hashes, longest: int) -> Iterator[tuple[Hashes, int]]:
    """Yield the hashes of 1 word, 2 words, … from each place on, and how many words they reach further."""
    running = hashes
    for reach in range(longest):
        if reach:
            running = running[:-1] * np.uint64(_MIX) + hashes[reach:]
        yield running, reach


def _pairs(hashes: Hashes, most_skipped: int) -> Iterator[tuple[Hashes, int]]:
    """Yield the hashes of pairs of words with 1, 2, … skipped, and how many words they reach further."""
    for reach in range(2, most_skipped + 2):
        yield hashes[:-reach] * np.uint64(_SPREAD) + hashes[reach:] + np.uint64(_PAIR), reach


def _fill(column: Places, hashes: Hashes, ends: Places, reach: int) -> None:
    """Put hashes into a column, but not those that reach beyond the end of their text."""
    column[: len(hashes)] = _buckets(hashes)
    for back in range(1, reach + 1):
        column[ends[ends >= back] - back] = NOWHERE


def _character_grams(tokens: Tokens, shortest: int, longest: int) -> _Found:
    """Hash the runs of characters of each word, its two edges included."""
    lengths = tokens.ends - tokens.starts + 2
    word = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    codes = tokens.codes[np.arange(len(word)) + (tokens.starts - 1 - starts)[word]].astype(np.uint64)
    codes[starts], codes[ends - 1] = _LEFT_EDGE, _RIGHT_EDGE
    buckets = np.full((len(codes), longest - shortest + 1), NOWHERE, dtype=np.intp)
    running = codes
    for length in range(1, longest + 1):
        if length > 1:
            running = running[:-1] * np.uint64(_MIX) + codes[length - 1 :]
        if length >= shortest:
            within = word[: len(running)] == word[length - 1 :]
            hashed = _buckets(running + np.uint64(_CHARACTERS * length))
            buckets[: len(running), length - shortest] = np.where(within, hashed, NOWHERE)
    return _Found(buckets, np.concatenate([[0], ends])[tokens.offsets])


def _buckets(hashes: Hashes) -> Places:
    """Spread hashes evenly over the buckets (multiply, shift, multiply; the highest bits)."""
    mixed = hashes * np.uint64(_SPREAD)
    mixed ^= mixed >> np.uint64(_SHIFT)
    mixed *= np.uint64(_MIX)
    mixed >>= np.uint64(64 - BITS)
    return mixed.astype(np.intp)


def _frequent(counts: Buckets, most: int, least_texts: int) -> Buckets:
    """Return the buckets of n-grams in enough texts, those in the most texts first, at most `most`."""
    enough = np.flatnonzero(counts >= least_texts)
    # Sixteen bits are sorted ten times as fast; beyond them the order does not matter.
    by_count = np.argsort(
        MOST_COUNTED - np.minimum(counts[enough], MOST_COUNTED).astype(np.uint16), kind="stable"
    )
    frequent: Buckets = enough[by_count[:most]].astype(np.int32)
    return frequent


def _without_zeros(numbers: Ids, offsets: Places) -> tuple[Ids, Places]:
    """Flatten the numbers of each place, leave out the zeros, and say where each text's begin and end."""
    flat = numbers.reshape(-1)
    kept = np.flatnonzero(flat)
    places = np.searchsorted(kept, offsets * numbers.shape[1])
    return flat[kept].astype(np.intp), places  # intp is what NumPy indexes with fastest


def _slices(numbers: Ids, offsets: Sequence[int]) -> list[Ids]:
    return [numbers[start:end] for start, end in itertools.pairwise(offsets)]


def _names(tokens: Tokens, grams: Grams) -> list[Callable[[int, int], str]]:
    """Give, for each kind of n-gram of one text, what writes the one at a place and of a sort."""
    words = tokens.words

    def of_words(place: int, sort: int) -> str:
        if sort < grams.words:
            return " ".join(words[place : place + sort + 1])
        return words[place] + SKIPPED + words[place + sort - grams.words + 2]

    def at_the_end(place: int, sort: int) -> str:
        start = max(len(words) - grams.end, 0) + place
        return " ".join(words[start : start + sort + 1]) + AT_THE_END

    of_place = np.repeat(np.arange(len(words)), tokens.ends - tokens.starts + 2)
    names: list[Callable[[int, int], str]] = [of_words]
    names += [lambda place, _: words[of_place[place]]] * bool(grams.chars)
    return names + [at_the_end] * bool(grams.end)
