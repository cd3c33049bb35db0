"""The one tokenizer: how a text becomes words, the same in training, prediction and explanation.

- A text is read up to its first MOST_CHARACTERS characters, in Unicode form NFKC, case folded: composed and
  decomposed accents, ligatures, full-width letters and every blank are one. Of more than 30 combining
  marks in a row the rest is left out. An HTML line break (`<br>`, `<br />`) is a space.
- What is not seen is not there: format characters (soft hyphens, joiners and non-joiners, word joiners,
  direction marks, byte order marks) and the others that Unicode calls default-ignorable, variation selectors
  among them. That holds for every script and for emoji, a family of them being as many words. Blanks are
  what is seen as a blank (fillers, the empty Braille cell), and the zero-width space, as it is Unicode's sign
  for a border of words (Standard Annex 29, which excludes it from the format characters for that).
- Curly apostrophes and quotation marks are straight, and all dashes are `-`. Raised and lowered digits,
  fractions and a trade mark's sign do not join the word before them (`m²` is `m`, `2`).
- A run of letters is a word, combining marks and numbers that are no decimal digits included, and keeps an
  inner apostrophe (`don't`).
- A run of decimal digits is a word and keeps inner points and commas (`1,299.50`).
- Letters and digits next to each other are two words (`45km` is `45`, `km`).
- A character of a script that puts no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese)
  is a word of its own.
- Every other visible sign, punctuation or emoji, is a word of its own.
- White space, underscores and control characters only separate.

Letters, marks, digits and signs are what Unicode's general categories say. The words of ASCII texts are those
that older models were trained with.

It works on all characters of many texts at once, as arrays. A word is known by its hash: the sum of
`code[i] * FACTOR**i` over its characters, modulo 2**64.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from model.folding import ASSIGNED, UNICODE, Codes, folded
from model.folding import codes as character_codes

Hashes: TypeAlias = npt.NDArray[np.uint64]
Places: TypeAlias = npt.NDArray[np.int64]
Kinds: TypeAlias = npt.NDArray[np.uint8]

MOST_CHARACTERS = 2**20
GROUP_CHARACTERS = 2**18  # texts tokenized together: enough for speed, and the arrays stay in the cache
TEXTS_TOGETHER = 1024

NOTHING, LETTER, DIGIT, UNSPACED, SIGN = range(5)  # kinds of characters, and of words
FACTOR = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64

_UNSPACED = [  # from, to: Thai and Lao, Burmese, Khmer, Japanese, Chinese
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x20000, 0x3FFFF),
]
_KIND_OF_CATEGORY = {"L": LETTER, "M": LETTER, "N": LETTER, "P": SIGN, "S": SIGN}
_BREAK = re.compile(r"<br\s*/?>")
_APOSTROPHES, _NUMBER_SIGNS = "'", ".,"


@dataclass(frozen=True)
class Tokens:
    """The words of several texts, one text after the other."""

    text: str  # the texts as they were read, each ended by a line feed
    codes: Codes  # the characters of `text`
    kinds: Kinds  # of the characters
    starts: Places  # of the words in `text`, shape (words,)
    hashes: Hashes  # of the words
    offsets: Places  # the words of text i are offsets[i] to offsets[i + 1], shape (texts + 1,)

    @cached_property
    def ends(self) -> Places:
        """Where each word ends in `text`, exclusive, shape (words,)."""
        changes = (self.kinds[1:] != self.kinds[:-1]) | (self.kinds[1:] >= UNSPACED)
        edges = np.flatnonzero(changes) + 1
        ends: Places = edges[np.searchsorted(edges, self.starts, side="right")]
        return ends

    @cached_property
    def words(self) -> list[str]:
        """The words themselves."""
        return [
            self.text[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        ]

    @cached_property
    def signs(self) -> npt.NDArray[np.bool_]:
        """Which words are signs, shape (words,)."""
        signs: npt.NDArray[np.bool_] = self.kinds[self.starts] == SIGN
        return signs


def words(text: str) -> list[str]:
    """Return the words of one text, in order.

    >>> words("Don't fill above 2.5 litres!")
    ["don't", 'fill', 'above', '2.5', 'litres', '!']
    """
    return tokenize([text], MOST_CHARACTERS).words


def groups(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the texts in order, in groups of few enough characters to be tokenized together."""
    start = size = 0
    for position, text in enumerate(texts):
        if size and size + len(text) > GROUP_CHARACTERS:
            yield texts[start:position]
            start, size = position, 0
        size += min(len(text), MOST_CHARACTERS)
    if start < len(texts):
        yield texts[start:]


def grouped(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    """Yield all texts in such groups, without holding them all."""
    stream = iter(texts)
    while some := list(itertools.islice(stream, TEXTS_TOGETHER)):
        yield from groups(some)


def tokenize(texts: Sequence[str], most_words: int) -> Tokens:
    """Return the first `most_words` words of each text."""
    plain = [_plain(text) for text in texts]
    joined = "".join([text + "\n" for text in plain])
    codes = character_codes(joined)
    kinds = _kinds_in_context(codes, joined)
    begins = kinds != NOTHING
    begins[1:] &= (kinds[1:] != kinds[:-1]) | (kinds[1:] >= UNSPACED)
    starts = np.flatnonzero(begins)
    ends_of_texts = np.cumsum([len(text) + 1 for text in plain])
    offsets = np.concatenate([[0], np.searchsorted(starts, ends_of_texts)]).astype(np.int64)
    tokens = Tokens(joined, codes, kinds, starts, _hashes(codes, kinds, starts), offsets)
    return _cut(tokens, most_words) if np.diff(offsets).max(initial=0) > most_words else tokens


def _plain(text: str) -> str:
    head = text[:MOST_CHARACTERS]
    lower = head.lower() if head.isascii() else folded(head)[:MOST_CHARACTERS]
    return _BREAK.sub(" ", lower) if "<br" in lower else lower


def _kinds_in_context(codes: Codes, text: str) -> Kinds:
    """Return the kind of each character; signs inside a word or a number are of its kind."""
    kinds: Kinds = _kinds()[codes.astype(np.intp)]  # which NumPy indexes with twice as fast
    for signs, kind in ((_APOSTROPHES, LETTER), (_NUMBER_SIGNS, DIGIT)):
        for sign in signs:
            if sign not in text:
                continue
            places = np.flatnonzero(codes[1:-1] == ord(sign)) + 1
            inner = places[(kinds[places - 1] == kind) & (kinds[places + 1] == kind)]
            kinds[inner] = kind
    return kinds


def _hashes(codes: Codes, kinds: Kinds, starts: Places) -> Hashes:
    """Sum each word's `code * FACTOR**place` and divide by FACTOR to the place where the word starts."""
    if not len(starts):
        return np.empty(0, dtype=np.uint64)
    powers, inverses = _powers(1 << (len(codes) - 1).bit_length())
    weighted = codes * (kinds != NOTHING) * powers[: len(codes)]
    hashes: Hashes = np.add.reduceat(weighted, starts) * inverses[starts]
    return hashes


def _cut(tokens: Tokens, most_words: int) -> Tokens:
    counts = np.diff(tokens.offsets)
    place = np.arange(len(tokens.starts)) - np.repeat(tokens.offsets[:-1], counts)
    kept = place < most_words
    offsets = np.concatenate([[0], np.cumsum(np.minimum(counts, most_words))])
    starts, hashes = tokens.starts[kept], tokens.hashes[kept]
    return Tokens(tokens.text, tokens.codes, tokens.kinds, starts, hashes, offsets)


@cache
def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Return the first powers of FACTOR and of its inverse, modulo 2**64."""
    ascending, descending = np.ones((2, count), dtype=np.uint64)
    ascending[1:] = FACTOR
    descending[1:] = pow(FACTOR, -1, 2**64)
    return np.cumprod(ascending, dtype=np.uint64), np.cumprod(descending, dtype=np.uint64)


@cache
def _kinds() -> Kinds:
    """Return the kind of every Unicode character, shape (0x110000,)."""
    kinds = np.full(UNICODE, SIGN, dtype=np.uint8)
    for first, last in ASSIGNED:
        places = range(first, last + 1)
        kinds[first : last + 1] = [_kind(unicodedata.category(chr(place))) for place in places]
    for first, last in _UNSPACED:
        unspaced = kinds[first : last + 1]
        unspaced[unspaced == LETTER] = UNSPACED
    kinds[ord("_")] = NOTHING
    return kinds


@cache
def _kind(category: str) -> int:
    if category == "Nd":
        return DIGIT
    if category in {"Cn", "Co"}:  # unassigned to this Python, as newer emoji are, or for private use
        return SIGN
    return _KIND_OF_CATEGORY.get(category[0], NOTHING)
