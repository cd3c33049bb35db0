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

A word is known by its hash: the sum of `code[i] * FACTOR**i` over its characters, modulo 2**64.
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

from model.compiled import compiled
from model.folding import ASSIGNED, UNICODE, Codes, folded
from model.folding import codes as character_codes

Hashes: TypeAlias = npt.NDArray[np.uint64]
Places: TypeAlias = npt.NDArray[np.int64]
Kinds: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.bool_]

MOST_CHARACTERS = 2**20
GROUP_CHARACTERS = 2**18  # of texts tokenized together: enough for speed, and little memory
TEXTS_TOGETHER = 1024

NOTHING, LETTER, DIGIT, UNSPACED, SIGN = range(5)  # kinds of characters, and of words
APOSTROPHE, POINT, COMMA = ord("'"), ord("."), ord(",")  # which stand inside words and numbers
FACTOR = 0x9E3779B97F4A7C15

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


@dataclass(frozen=True)
class Tokens:
    """The words of several texts, one text after the other."""

    text: str  # the texts as they were read, each ended by a line feed
    codes: Codes  # the characters of `text`
    starts: Places  # of the words in `text`, shape (words,)
    ends: Places  # exclusive, shape (words,)
    hashes: Hashes  # of the words
    signs: Flags  # which words are signs, shape (words,)
    offsets: Places  # the words of text i are offsets[i] to offsets[i + 1], shape (texts + 1,)

    @cached_property
    def words(self) -> list[str]:
        """The words themselves."""
        return [
            self.text[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        ]


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
    joined = "\n".join([*plain, ""])
    codes = character_codes(joined)
    text_ends = np.cumsum([len(text) + 1 for text in plain], dtype=np.int64)
    return Tokens(joined, codes, *_read(codes, _kinds(), text_ends, most_words))


def _plain(text: str) -> str:
    head = text[:MOST_CHARACTERS]
    lower = head.lower() if head.isascii() else folded(head)[:MOST_CHARACTERS]
    usual = lower.replace("<br />", " ")  # far faster than the expression
    return _BREAK.sub(" ", usual) if "<br" in usual else usual


@compiled
def _read(
    codes: Codes, kinds: Kinds, text_ends: Places, most_words: int
) -> tuple[Places, Places, Hashes, Flags, Places]:
    """Return where words start and end, their hashes, which are signs, and the words of each text."""
    starts, ends = np.empty(len(codes), np.int64), np.empty(len(codes), np.int64)
    hashes, signs = np.empty(len(codes), np.uint64), np.empty(len(codes), np.bool_)
    offsets = np.zeros(len(text_ends) + 1, np.int64)
    count = place = 0
    for text, text_end in enumerate(text_ends):
        most = count + most_words
        while place < text_end and count < most:
            kind = kinds[codes[place]]
            if kind == NOTHING:
                place += 1
                continue
            starts[count], signs[count] = place, kind == SIGN
            place = _word_end(codes, kinds, place)
            ends[count] = place
            hashes[count] = _hash(codes[starts[count] : place])
            count += 1
        offsets[text + 1] = count
        place = text_end
    return starts[:count].copy(), ends[:count].copy(), hashes[:count].copy(), signs[:count].copy(), offsets


@compiled
def _word_end(codes: Codes, kinds: Kinds, start: int) -> int:
    """Return the place behind the word that starts here; a line feed stands behind the last one."""
    kind, place = kinds[codes[start]], start + 1
    if kind >= UNSPACED:
        return place
    while kinds[codes[place]] == kind or (_is_inner(codes[place], kind) and kinds[codes[place + 1]] == kind):
        place += 1
    return place


@compiled
def _is_inner(code: int, kind: int) -> bool:
    """Return whether a sign between two characters of a kind joins them."""
    return code == APOSTROPHE if kind == LETTER else code in (POINT, COMMA)


@compiled
def _hash(codes: Codes) -> np.uint64:
    hashed, power = np.uint64(0), np.uint64(1)
    for code in codes:
        hashed += np.uint64(code) * power
        power *= np.uint64(FACTOR)
    return hashed


@cache
def _kinds() -> Kinds:
    """Return the kind of every Unicode character, shape (0x110000,)."""
    kinds = np.full(UNICODE, SIGN, dtype=np.uint8)
    for first, last in ASSIGNED:
        categories = map(unicodedata.category, map(chr, range(first, last + 1)))
        kinds[first : last + 1] = [*map(_kind, categories)]
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
