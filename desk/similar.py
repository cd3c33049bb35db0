"""Which rows are like another one, by the words that they share."""

import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable

from contract.queue import QueueRow

LEAST = 0.2
_WORD = re.compile(r"\w+")


def most_similar(like: QueueRow, rows: Iterable[QueueRow], text: int, most: int) -> list[QueueRow]:
    """Return the rows whose words are most like those of a row, the most similar one first, itself included.

    The measure is the cosine of the words' presence, weighted by how rare they are among `rows` (TF-IDF,
    Spärck Jones 1972); a row below LEAST is left out. `text` is the column that has the text.
    """
    found = [(row, _words(row, text)) for row in rows]
    rarity = _rarity([words for _, words in found])
    wanted = _words(like, text)
    length = math.sqrt(_squares(wanted, rarity))
    scored = (
        (_squares(wanted & words, rarity) / (length * math.sqrt(_squares(words, rarity)) or 1), -place)
        for place, (_, words) in enumerate(found)
    )
    best = heapq.nlargest(most, (each for each in scored if each[0] >= LEAST))
    return [found[-place][0] for _, place in best]


def _words(row: QueueRow, text: int) -> frozenset[str]:
    return frozenset(_WORD.findall(row["cells"][text].casefold()))


def _rarity(texts: list[frozenset[str]]) -> dict[str, float]:
    """Return the inverse document frequency of each word."""
    counts = Counter(word for words in texts for word in words)
    return {word: math.log((1 + len(texts)) / (1 + rows)) + 1 for word, rows in counts.items()}


def _squares(words: frozenset[str], rarity: dict[str, float]) -> float:
    return math.fsum(rarity.get(word, 0.0) ** 2 for word in words)
