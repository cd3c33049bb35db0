"""The one tokenizer: how a text becomes words, the same in training, prediction and explanation.

- A text is read up to its first MOST_CHARACTERS characters, in Unicode NFC and lower case; an HTML line
  break (`<br>`, `<br />`) is a space. Of more than MOST_MARKS combining marks in a row the rest is left out.
- A run of letters is a word, combining marks and numbers that are no decimal digits (`m²`) included, and
  keeps an inner apostrophe (`don't`).
- A run of decimal digits is a word and keeps inner points and commas (`1,299.50`).
- Letters and digits next to each other are two words (`45km` is `45`, `km`).
- A character of a script that puts no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese)
  is a word of its own.
- Every other visible sign, punctuation or emoji, is a word of its own.
- White space, underscores, control and format characters (zero-width ones too) only separate.

Letters, marks, digits and signs are what Unicode's general categories say.

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

Hashes: TypeAlias = npt.NDArray[np.uint64]
Places: TypeAlias = npt.NDArray[np.int64]
Kinds: TypeAlias = npt.NDArray[np.uint8]
Codes: TypeAlias = npt.NDArray[np.uint32]

MOST_CHARACTERS = 2**20
GROUP_CHARACTERS = 2**18  # texts tokenized together: enough for speed, and the arrays stay in the cache
TEXTS_TOGETHER = 1024
MOST_MARKS = 30  # combining marks in a row (Unicode Standard Annex 15, "Stream-Safe Text Format")

NOTHING, LETTER, DIGIT, UNSPACED, SIGN = range(5)  # kinds of characters, and of words
FACTOR = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64

_UNICODE = 0x110000
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
_ASSIGNED = [(0, 0x323AF), (0xE0000, 0xE01EF)]  # beyond them Unicode has no characters but private ones
_VARIATION_SELECTORS = (0xFE00, 0xFE0F)  # marks by category, but they follow an emoji
_KIND_OF_CATEGORY = {"L": LETTER, "M": LETTER, "N": LETTER, "P": SIGN, "S": SIGN}
_BREAK = re.compile(r"<br\s*/?>")
_APOSTROPHES, _NUMBER_SIGNS = "'\u2019", ".,"


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
    """Give the words of one text, in order."""
    return tokenize([text], MOST_CHARACTERS).words


def groups(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give the texts in order, in groups of few enough characters to be tokenized together."""
    start = size = 0
    for position, text in enumerate(texts):
        if size and size + len(text) > GROUP_CHARACTERS:
            yield texts[start:position]
            start, size = position, 0
        size += min(len(text), MOST_CHARACTERS)
    if start < len(texts):
        yield texts[start:]


def grouped(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    """Give all texts in such groups, without holding them all."""
    stream = iter(texts)
    while some := list(itertools.islice(stream, TEXTS_TOGETHER)):
        yield from groups(some)


def tokenize(texts: Sequence[str], most_words: int) -> Tokens:
    """Give the first `most_words` words of each text."""
    plain = [_plain(text) for text in texts]
    joined = "".join([text + "\n" for text in plain])
    codes = _codes(joined)
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
    lower = head.lower() if head.isascii() else _composed(head).lower()
    return _BREAK.sub(" ", lower) if "<br" in lower else lower


def _composed(text: str) -> str:
    """Give a text in NFC, without the marks behind the first MOST_MARKS in a row.

    Putting marks into their order takes the square of their number: minutes for a cell full of them.
    """
    is_mark, too_many = _marks()
    few = too_many.sub(r"\1", text) if is_mark[_codes(text)].any() else text
    return unicodedata.normalize("NFC", few)


@cache
def _marks() -> tuple[npt.NDArray[np.bool_], re.Pattern[str]]:
    """Tell which characters are combining marks, shape (0x110000,), and give what finds too many in a row."""
    is_mark = np.zeros(_UNICODE, dtype=np.bool_)
    for first, last in _ASSIGNED:
        is_mark[first : last + 1] = [unicodedata.combining(chr(code)) > 0 for code in range(first, last + 1)]
    marks = "".join(map(chr, np.flatnonzero(is_mark)))
    return is_mark, re.compile(f"([{marks}]{{{MOST_MARKS}}})[{marks}]+")


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _kinds_in_context(codes: Codes, text: str) -> Kinds:
    """Give the kind of each character; signs inside a word or a number are of its kind."""
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
    """Give the first powers of FACTOR and of its inverse, modulo 2**64."""
    ascending, descending = np.ones((2, count), dtype=np.uint64)
    ascending[1:] = FACTOR
    descending[1:] = pow(FACTOR, -1, 2**64)
    return np.cumprod(ascending, dtype=np.uint64), np.cumprod(descending, dtype=np.uint64)


@cache
def _kinds() -> Kinds:
    """Give the kind of every Unicode character, shape (0x110000,)."""
    kinds = np.full(_UNICODE, SIGN, dtype=np.uint8)
    for first, last in _ASSIGNED:
        places = range(first, last + 1)
        kinds[first : last + 1] = [_kind(unicodedata.category(chr(place))) for place in places]
    for first, last in _UNSPACED:
        unspaced = kinds[first : last + 1]
        unspaced[unspaced == LETTER] = UNSPACED
    kinds[_VARIATION_SELECTORS[0] : _VARIATION_SELECTORS[1] + 1] = NOTHING
    kinds[ord("_")] = NOTHING
    return kinds


@cache
def _kind(category: str) -> int:
    if category == "Nd":
        return DIGIT
    if category in {"Cn", "Co"}:  # unassigned to this Python, as newer emoji are, or for private use
        return SIGN
    return _KIND_OF_CATEGORY.get(category[0], NOTHING)
