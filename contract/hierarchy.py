"""Categories within categories: with the separator ` > `, `Electrical > Battery` is below `Electrical`."""

from collections.abc import Iterable, Sequence

from contract.text import listed

MOST_LEVELS = 6


def upper(label: str, separator: str) -> list[str]:
    """Return the categories above a label, the topmost first.

    >>> upper("Electrical > Battery > Terminal", " > ")
    ['Electrical', 'Electrical > Battery']
    """
    names = label.split(separator)
    return [separator.join(names[:depth]) for depth in range(1, len(names))]


def depth(labels: Iterable[str], separator: str) -> int:
    """Return how many levels there are, that of the labels included: 1 where none has the separator."""
    return 1 + max((len(upper(label, separator)) for label in labels), default=0)


def too_deep(labels: Sequence[str], separator: str) -> str:
    """Return the sentence for labels of more than MOST_LEVELS levels, which hints at a wrong separator."""
    deepest = max(labels, key=lambda label: len(upper(label, separator)))
    return (
        f"hierarchy_separator {separator!r} cuts the category {listed([deepest])} into "
        f"{depth([deepest], separator)} levels, and at most {MOST_LEVELS} are told: name another separator."
    )
