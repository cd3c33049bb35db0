"""From a text to the numbers a network reads: the tokenizer, a vocabulary by frequency, the label names.

How a text becomes words:

- Unicode NFC, lower case; an HTML line break (`<br>`, `<br />`) is a space;
- a run of letters is a word and keeps an inner apostrophe (`don't`);
- a run of digits is a word and keeps inner points and commas (`1,299.50`);
- letters and digits next to each other are two words (`45km` is `45`, `km`);
- a Chinese or Japanese character is a word of its own, as those scripts put no spaces;
- every other visible sign, punctuation or emoji, is a word of its own;
- white space, underscores and control characters only separate.
"""

import itertools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ids: TypeAlias = npt.NDArray[np.int32]  # the words of one text, as numbers: shape (words,)

PADDING = 0
UNKNOWN = 1
FIRST_WORD = 2
LEAST_COUNT = 2  # a word seen once teaches nothing, and leaves the unknown word untrained

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_IDEOGRAPH = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(
    rf"[{_IDEOGRAPH}]"
    rf"|\d+(?:[.,]\d+)*"
    rf"|[^\W\d_{_IDEOGRAPH}]+(?:['\u2019][^\W\d_{_IDEOGRAPH}]+)*"
    rf"|[^\w\s\x00-\x1f\x7f-\x9f]"
)


def words(text: str) -> Iterator[str]:
    """Give the words of a text, in order, as this module's first lines describe."""
    plain = text if text.isascii() else unicodedata.normalize("NFC", text)
    return (found.group() for found in _WORD.finditer(_BREAK.sub(" ", plain).lower()))


@dataclass(frozen=True)
class Encoder:
    """A fixed vocabulary and the names of the labels; the same text always gives the same numbers."""

    vocabulary: tuple[str, ...]  # the word at position i has the number i + FIRST_WORD
    labels: tuple[str, ...]  # the label at position i has the number i
    seq_len: int  # words that are read of one text

    @classmethod
    def fit(cls, rows: Iterable[tuple[str, str]], vocab_size: int, seq_len: int) -> "Encoder":
        """Learn the `vocab_size` - 2 most frequent words, and the sorted labels, from (text, label) rows."""
        counts: Counter[str] = Counter()
        labels = set()
        for text, label in rows:
            counts.update(itertools.islice(words(text), seq_len))
            labels.add(label)
        ranked = sorted((-count, word) for word, count in counts.items() if count >= LEAST_COUNT)
        return cls(
            tuple(word for _, word in ranked[: vocab_size - FIRST_WORD]), tuple(sorted(labels)), seq_len
        )

    def encode(self, text: str) -> Ids:
        """Give the numbers of the first `seq_len` words, shape (words,); a text with none is one unknown."""
        number = self._numbers.get
        found = [number(word, UNKNOWN) for word in itertools.islice(words(text), self.seq_len)]
        return np.array(found or [UNKNOWN], dtype=np.int32)

    def known_share(self, ids: Ids) -> float:
        """How much of an encoded text is in the vocabulary, 0 to 1; punctuation does not count."""
        counted = ids[~self._punctuation[ids]]
        return float((counted != UNKNOWN).mean()) if len(counted) else 0.0

    @property
    def size(self) -> int:
        """How many numbers a word can have, padding and unknown included."""
        return len(self.vocabulary) + FIRST_WORD

    @cached_property
    def label_numbers(self) -> dict[str, int]:
        """The number of each label."""
        return {label: number for number, label in enumerate(self.labels)}

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary, FIRST_WORD)}

    @cached_property
    def _punctuation(self) -> npt.NDArray[np.bool_]:
        marks = [unicodedata.category(word[0]).startswith("P") for word in self.vocabulary]
        return np.array([False, False, *marks])

    def save(self, path: Path) -> None:
        """Write the encoder as JSON."""
        content = {"labels": self.labels, "seq_len": self.seq_len, "vocabulary": self.vocabulary}
        path.write_text(json.dumps(content, ensure_ascii=False, indent=0), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Encoder":
        """Read what `save` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(content["vocabulary"]), tuple(content["labels"]), content["seq_len"])
