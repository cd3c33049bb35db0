"""Whether the promise is still true: what people decided of accepted rows, against the promised precision."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from contract.binomial import at_most
from contract.text import count, percent

INDEX = "Audits"  # of the table of decisions: it has the accepted rows that people looked at, and no others
INDEX_KEY = "audited"  # its key, the version that had accepted the row

ALL_WEEKS = "all"
TAIL = 0.025  # of the chances at either side of a 95% interval


def blind(categories: Sequence[str | None], told: int | None) -> str | None:
    """Return the answer that counts for an audit, of all that was decided of its row, the first one first.

    That is the last one of before it was told how sure the model was, which was after `told` decisions; None
    for `told`: not yet. None as the answer: there is none, as it was taken back.

    >>> blind(["brakes", "engine", "wheels"], 2), blind(["brakes", None], None)
    ('engine', None)
    """
    before = categories[:told]
    return before[-1] if before else None


@dataclass(frozen=True)
class Audited:
    """The accepted rows of one model version that people looked at, all of them or those of a week."""

    version: int
    week: str
    """When they were decided, as ISO 8601 writes weeks; ALL_WEEKS: at any time."""
    rows: int
    right: int
    target: float | None
    """The precision that was promised; None: it is not known."""

    @property
    def precision(self) -> float:
        """The share of the rows that the model had labelled right."""
        return self.right / self.rows

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the precision (Clopper & Pearson 1934)."""
        return (
            _bound(lambda share: _at_least(self.right, self.rows, share) < TAIL) if self.right else 0.0,
            _bound(lambda share: at_most(self.right, self.rows, share) >= TAIL)
            if self.right < self.rows
            else 1.0,
        )

    @property
    def broken(self) -> bool:
        """Whether the interval lies below the target: chance hardly explains it."""
        return self.target is not None and self.interval[1] < self.target

    @property
    def verdict(self) -> str:
        """What the rows say of the promise."""
        if self.target is None:
            return "no target known"
        if self.broken:
            return "broken"
        return "holds" if self.precision >= self.target else "may hold"


def query(table: str, version: int) -> dict[str, Any]:
    """Return the arguments of DynamoDB's query for the audits of one version."""
    return {
        "TableName": table,
        "IndexName": INDEX,
        "KeyConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": INDEX_KEY},
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }


def sentence(audited: Audited) -> str:
    """Return what the audits say, in words."""
    low, high = audited.interval
    said = (
        f"Of {count(audited.rows, 'row')} that version {audited.version} had accepted and people looked at, "
        f"{percent(audited.precision)} are right (95% interval: {percent(low)} to {percent(high)})"
    )
    if audited.target is None:
        return f"{said}; what it promised is not known."
    promised = f"{said}; promised are {percent(audited.target)}."
    if audited.broken:
        return (
            f"{promised} The promise is broken, and chance hardly explains it: train with the rows that were "
            "decided, and set a higher target until then (`claimflow models threshold`)."
        )
    if audited.precision < audited.target:
        return f"{promised} That is fewer, but chance may explain it: more audits will tell."
    return promised


def _bound(is_above: Callable[[float], bool]) -> float:
    """Return the share, 0 to 1, up to which the condition holds, by halving."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if is_above(middle) else (low, middle)
    return low


def _at_least(right: int, rows: int, share: float) -> float:
    return 1 - at_most(right - 1, rows, share)
