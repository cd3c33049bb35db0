"""The n-grams of texts, each hashed into one of BUCKETS, in a compiled loop over one text after the other.

First all buckets of a text are written down, then those that are known and not there yet are kept. It is
memory that takes the time: a bit for each bucket says what is known and was not yet seen in the text, and
stays in the processor's cache, where a table of numbers would not.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from model.compiled import compiled
from model.folding import Codes
from model.tokenizer import Flags, Hashes, Places, Tokens

Bits: TypeAlias = npt.NDArray[np.uint8]
Repeats: TypeAlias = bool | Literal["log"]
Numbers: TypeAlias = tuple[int, int, int, int, int, int]  # of `Grams`, in the order of its fields

BITS = 24
BUCKETS = 2**BITS
END_WORDS = 2  # longest n-gram of the last words
OFTEN, MORE_OFTEN = 2, 4  # times that a word is in a text: each counts as one more n-gram
ONCE, APART, LOG = 0, 1, 2  # what `Grams.repeats` is in a compiled loop
SKIPPED, AT_THE_END = " … ", " (at the end)"
TIMES = " ({}+ times)"

_MIX, _SPREAD, _SHIFT = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(29)
_PAIR, _CHARACTERS = np.uint64(977), np.uint64(7919)  # so that the same words differ by their place
_END, _REPEATED = np.uint64(0xD6E8FEB86659FD93), np.uint64(0xA0761D6478BD642F)
_UNUSED_BITS = np.uint64(64 - BITS)
_LEFT_EDGE, _RIGHT_EDGE = np.uint64(2), np.uint64(3)  # of a word: code points that no word contains


@dataclass(frozen=True)
class Grams:
    """Which n-grams are looked for in a text."""

    words: int  # longest run of words
    skip: int  # most words between the two of a pair; 0: no such pairs
    chars: tuple[int, int] | None  # shortest and longest run of characters within a word
    end: int  # last words of a text that count once more
    repeats: Repeats = False
    """True: a word that is in a text OFTEN counts once more, and MORE_OFTEN again, as n-grams of their own.
    `log`: every n-gram counts 1 + log2 of its times in the text, rounded down (sublinear term frequency).
    """

    @property
    def numbers(self) -> Numbers:
        """The same for a compiled loop, which looks for no runs of 1 to 0 characters."""
        repeats = LOG if self.repeats == "log" else APART if self.repeats else ONCE
        return (self.words, self.skip, *(self.chars or (1, 0)), self.end, repeats)


@dataclass(frozen=True)
class Found:
    """The buckets of the known n-grams of texts, each in a text as often as it counts, in a row."""

    buckets: Places  # (n-grams of all texts,)
    offsets: Places  # (texts + 1,): those of text i are buckets[offsets[i] : offsets[i + 1]]
    known_words: Flags  # which words are known by themselves, (words,)


def find(tokens: Tokens, grams: Grams, known: Bits) -> Found:
    """Return the known n-grams of each text. `known` is written to, and is in the end as it was."""
    words = (tokens.codes, tokens.starts, tokens.ends, tokens.hashes, tokens.offsets)
    return Found(*_find(*words, grams.numbers, known))


def all_buckets(tokens: Tokens, grams: Grams) -> Places:
    """Return the bucket of every n-gram of one text, in the order of `phrases`."""
    words = (tokens.codes, tokens.starts, tokens.ends, tokens.hashes)
    buckets = np.empty(_most(tokens.starts, tokens.ends, grams.numbers), np.int64)
    count = _write(*words, grams.numbers, buckets)
    return buckets[:count]


def phrases(tokens: Tokens, grams: Grams) -> Iterator[str]:
    """Yield how a person would write every n-gram of one text; one of characters, as the word it is in."""
    words = tokens.words
    for place in range(len(words)):
        for end in range(place + 1, min(place + grams.words, len(words)) + 1):
            yield " ".join(words[place:end])
        for other in words[place + 2 : place + grams.skip + 2]:
            yield words[place] + SKIPPED + other
    shortest, longest = grams.chars or (1, 0)
    for word in words:
        for place in range(len(word) + 2):
            yield from [word] * max(min(longest, len(word) + 2 - place) - shortest + 1, 0)
    for place in range(max(len(words) - grams.end, 0), len(words)):
        for end in range(place + 1, min(place + END_WORDS, len(words)) + 1):
            yield " ".join(words[place:end]) + AT_THE_END
    if grams.repeats is True:
        by_hash = sorted(zip(tokens.hashes.tolist(), words, strict=True))
        for (_, word), same in itertools.groupby(by_hash):
            times = len(list(same))
            yield from (word + TIMES.format(least) for least in (OFTEN, MORE_OFTEN) if times >= least)


def count_into(counts: npt.NDArray[np.int32], found: Found) -> None:
    """Add 1 to the count of a bucket, shape (BUCKETS,), for each text that has it."""
    _count(counts, found.buckets, found.offsets)


def bits(buckets: npt.NDArray[np.int32]) -> Bits:
    """Return a bit for each bucket, set for those given, shape (BUCKETS / 8,)."""
    known = np.zeros(BUCKETS, dtype=np.bool_)
    known[buckets] = True
    return np.packbits(known, bitorder="little")


@compiled
def _find(  # noqa: PLR0913, PLR0917  a compiled loop takes arrays
    codes: Codes,
    starts: Places,
    ends: Places,
    hashes: Hashes,
    offsets: Places,
    grams: Numbers,
    known: Bits,
) -> tuple[Places, Places, Flags]:
    found = np.empty(_most(starts, ends, grams), np.int64)
    found_offsets = np.zeros(len(offsets), np.int64)
    count = 0
    for text in range(len(offsets) - 1):
        own = slice(offsets[text], offsets[text + 1])
        buckets = found[count:]
        written = _write(codes, starts[own], ends[own], hashes[own], grams, buckets)
        if grams[-1] == LOG:
            kept = _keep_doublings(buckets, written, known)
        else:
            kept = _keep_unseen(buckets, written, known)
            _set(buckets[:kept], known)  # for the next text
        count += kept
        found_offsets[text + 1] = count
    known_words = np.empty(len(hashes), np.bool_)
    for word in range(len(hashes)):
        known_words[word] = _is_set(known, _bucket(hashes[word]))
    return found[:count].copy(), found_offsets, known_words


@compiled
def _most(starts: Places, ends: Places, grams: Numbers) -> int:
    """Return how many n-grams words have at most."""
    words, skip, shortest, longest, _, _ = grams
    characters = 0
    for word in range(len(starts)):
        characters += ends[word] - starts[word] + 2
    repeats = 1  # more than half of the words and a quarter of them
    return len(starts) * (words + skip + END_WORDS + repeats) + characters * (longest - shortest + 1)


@compiled
def _write(  # noqa: PLR0913, PLR0917  a compiled loop takes arrays
    codes: Codes,
    starts: Places,
    ends: Places,
    hashes: Hashes,
    grams: Numbers,
    buckets: Places,
) -> int:
    """Write the bucket of every n-gram of one text; return how many there are."""
    words, skip, shortest, longest, end, repeats = grams
    count, texts_end = 0, len(hashes)
    for place in range(texts_end):
        running = np.uint64(0)
        for other in range(place, min(place + words, texts_end)):
            running = running * _MIX + hashes[other]
            buckets[count] = _bucket(running)
            count += 1
        for other in range(place + 2, min(place + skip + 2, texts_end)):
            buckets[count] = _bucket(hashes[place] * _SPREAD + hashes[other] + _PAIR)
            count += 1
    if longest:
        for word in range(texts_end):
            count = _write_characters(codes[starts[word] : ends[word]], shortest, longest, buckets, count)
    for place in range(max(texts_end - end, 0), texts_end):
        running = np.uint64(0)
        for other in range(place, min(place + END_WORDS, texts_end)):
            running = running * _MIX + hashes[other]
            buckets[count] = _bucket(running * _END)
            count += 1
    return _write_repeats(hashes, buckets, count) if repeats == APART else count


@compiled
def _write_repeats(hashes: Hashes, buckets: Places, count: int) -> int:
    """Write a bucket for each word that the text has OFTEN, and another if it has it MORE_OFTEN."""
    ordered = np.sort(hashes)
    times = 0
    for place in range(len(ordered)):
        times = times + 1 if place and ordered[place] == ordered[place - 1] else 1
        if times in (OFTEN, MORE_OFTEN):
            buckets[count] = _bucket((ordered[place] + np.uint64(times)) * _REPEATED)
            count += 1
    return count


@compiled
def _write_characters(word: Codes, shortest: int, longest: int, buckets: Places, count: int) -> int:
    """Write the buckets of the runs of characters of a word, its two edges included."""
    edge = len(word) + 1
    for start in range(edge + 1):
        running = np.uint64(0)
        for place in range(start, min(start + longest, edge + 1)):
            code = _LEFT_EDGE if place == 0 else _RIGHT_EDGE if place == edge else np.uint64(word[place - 1])
            running = running * _MIX + code
            length = place - start + 1
            if length >= shortest:
                buckets[count] = _bucket(running + _CHARACTERS * np.uint64(length))
                count += 1
    return count


@compiled
def _bucket(hashed: np.uint64) -> np.int64:
    """Spread hashes evenly over the buckets (multiply, shift, multiply; the highest bits)."""
    mixed = hashed * _SPREAD
    mixed ^= mixed >> _SHIFT
    return np.int64((mixed * _MIX) >> _UNUSED_BITS)


@compiled
def _keep_unseen(buckets: Places, count: int, unseen: Bits) -> int:
    """Move those of the first `count` buckets whose bits are set to the front, once each; clear their bits.

    Returns how many there are. Without a branch that a processor could guess wrong.
    """
    kept = 0
    for place in range(count):
        bucket = buckets[place]
        buckets[kept] = bucket
        kept += _is_set(unseen, bucket)
        unseen[bucket >> 3] &= ~_bit(bucket)
    return kept


@compiled
def _keep_doublings(buckets: Places, count: int, known: Bits) -> int:
    """Move the known ones of the first `count` buckets to the front, once and once more at each doubling.

    Returns how many there are; the same bucket stands in a row.
    """
    of_known = 0
    for place in range(count):
        buckets[of_known] = buckets[place]
        of_known += _is_set(known, buckets[place])
    buckets[:of_known].sort()
    kept, times, before = 0, 0, -1
    for place in range(of_known):
        bucket = buckets[place]
        times = times + 1 if bucket == before else 1
        before = bucket
        buckets[kept] = bucket
        kept += times & (times - 1) == 0
    return kept


@compiled
def _set(seen: Places, unseen: Bits) -> None:
    """Set the bits of buckets again."""
    for bucket in seen:
        unseen[bucket >> 3] |= _bit(bucket)


@compiled
def _bit(bucket: np.int64) -> np.uint8:
    return np.uint8(1 << (bucket & 7))


@compiled
def _is_set(known: Bits, bucket: np.int64) -> int:
    bit: int = (known[bucket >> 3] >> (bucket & 7)) & 1
    return bit


@compiled
def _count(counts: npt.NDArray[np.int32], buckets: Places, offsets: Places) -> None:
    for text in range(len(offsets) - 1):
        before = -1
        for bucket in buckets[offsets[text] : offsets[text + 1]]:
            counts[bucket] += bucket != before
            before = bucket
