"""Writes the queue: the rows to review in the order in which people should see them, and audits among them.

Rows come in the order of the input and are kept in a file a kind of reason; audits are drawn by a hash of the
run and their number, so that a step that is taken again draws the same. Knows nothing of AWS.
"""

import hashlib
import heapq
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from contract.part import LOW_CONFIDENCE, MAY_BE, NOTHING_ACCEPTED, UNFAMILIAR
from contract.queue import QueueOrder, QueuePage, QueueRow

DISAGREES = "the given category disagrees"
# What goes first: a row of a category that must not be missed, then what the model knows least about.
ORDER = (MAY_BE, UNFAMILIAR, DISAGREES, LOW_CONFIDENCE)
OTHER = "other reasons"  # of a newer image

AUDIT_SHARE = 0.02  # of the accepted rows
LEAST_AUDITS, MOST_AUDITS = 50, 500  # a run, where as many are accepted
PAGE_ROWS, PAGE_BYTES = 100, 1 << 20
MOST_BYTES = 256 << 20  # of all rows to review; twice as many are needed on the disk
MOST_AUDIT_BYTES = 64 << 20


def group_of(reason: str) -> str:
    """Return the kind of a reason, that of the first in the order if it has several parts.

    >>> group_of("low confidence; the given category disagrees: engine")
    'the given category disagrees'
    """
    kinds = {part.split(":", 1)[0] for part in reason.split("; ")}
    if NOTHING_ACCEPTED in kinds:
        kinds.add(LOW_CONFIDENCE)
    return next((kind for kind in ORDER if kind in kinds), OTHER)


def audits_wanted(accepted: int, share: float) -> int:
    """Return how many of the accepted rows are audited; with a share of 0, none."""
    wanted = min(max(round(share * accepted), LEAST_AUDITS), MOST_AUDITS) if share else 0
    return min(wanted, accepted)


@dataclass
class Written:
    """What the file of rows has."""

    pages: list[QueuePage] = field(default_factory=list)
    rows: list[tuple[int, str, str]] = field(default_factory=list)
    """Number, prediction and group of each row."""
    groups: Counter[str] = field(default_factory=Counter)
    by_category: Counter[str] = field(default_factory=Counter)
    to_review: int = 0
    audits: int = 0
    left_out: int = 0

    def order(self, categories: Sequence[str]) -> QueueOrder:
        """Return what is known of the rows without reading them; `categories` has all predictions."""
        places = {category: place for place, category in enumerate(categories)}
        groups = {group: place for place, group in enumerate(self.groups)}
        return {
            "numbers": [number for number, _, _ in self.rows],
            "predictions": [places[prediction] for _, prediction, _ in self.rows],
            "groups": [groups[group] for _, _, group in self.rows],
        }


class QueueFiles:
    """The rows of a queue while they come in: `folder` holds a file for each kind of reason."""

    def __init__(self, folder: Path, share: float, seed: str) -> None:
        """Begin; `share` of the accepted rows is audited, and `seed` decides which."""
        self.folder, self.share, self.seed = folder, share, seed
        self.accepted = self.left_out = self._bytes = self._audit_bytes = 0
        self._files: dict[str, IO[bytes]] = {}
        self._rows: Counter[str] = Counter()  # of each file
        self._drawn: list[tuple[float, bytes]] = []  # a heap, the largest hash first, as its negative

    def __enter__(self) -> Self:
        """Return the files."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def review(self, row: QueueRow) -> None:
        """Add a row that a person should look at; beyond MOST_BYTES it is only counted."""
        line = _line(row)
        self._bytes += len(line)
        if self._bytes > MOST_BYTES:
            self.left_out += 1
            return
        if row["group"] not in self._files:
            self._files[row["group"]] = self._path(row["group"]).open("wb")
        self._files[row["group"]].write(line)
        self._rows[row["group"]] += 1

    def accept(self, row: QueueRow) -> None:
        """Count an accepted row, and keep it if it may be drawn."""
        self.accepted += 1
        if not self.share:
            return
        drawn = _hash(self.seed, row["number"])
        if len(self._drawn) == MOST_AUDITS and -self._drawn[0][0] < drawn:
            return
        line = _line(row)
        heapq.heappush(self._drawn, (-drawn, line))
        self._audit_bytes += len(line)
        while len(self._drawn) > MOST_AUDITS or self._audit_bytes > MOST_AUDIT_BYTES:
            self._audit_bytes -= len(heapq.heappop(self._drawn)[1])

    def write(self, path: Path) -> Written:
        """Write all rows to one file, kind by kind, the audits spread among them by the seed."""
        for file in self._files.values():
            file.close()
        drawn = sorted(self._drawn, reverse=True)[: audits_wanted(self.accepted, self.share)]
        written = Written(left_out=self.left_out, to_review=self._rows.total(), audits=len(drawn))
        places = [int(_hash(f"{self.seed}\nplace", n) * written.to_review) for n in range(len(drawn))]
        with path.open("wb") as file:
            for line in _mixed(self._lines(), [line for _, line in drawn], places):
                _count(written, line, file.tell())
                file.write(line)
        return written

    def _lines(self) -> Iterator[bytes]:
        for kind in (each for each in (*ORDER, OTHER) if each in self._files):
            with self._path(kind).open("rb") as file:
                yield from file
            self._path(kind).unlink()

    def _path(self, kind: str) -> Path:
        return self.folder / f"queue-{(*ORDER, OTHER).index(kind)}"


def _mixed(reviews: Iterator[bytes], audits: Sequence[bytes], places: Sequence[int]) -> Iterator[bytes]:
    """Yield the lines of all rows, each audit before the row to review of its place, in the group of that."""
    waiting, at = iter(audits), Counter(places)
    for place, line in enumerate(reviews):
        if at[place]:
            group = _neighbours(json.loads(line)["group"])
            yield from (_regrouped(audit, group) for audit in itertools.islice(waiting, at[place]))
        yield line
    yield from (_regrouped(audit, LOW_CONFIDENCE) for audit in waiting)  # where there is nothing to review


def _neighbours(group: str) -> str:
    """Return the group of an audit beside a row of a group: that its category agrees cannot be hidden."""
    return LOW_CONFIDENCE if group == DISAGREES else group


def _regrouped(line: bytes, group: str) -> bytes:
    row: QueueRow = json.loads(line)
    row["group"] = group
    return _line(row)


def _count(written: Written, line: bytes, offset: int) -> None:
    row: QueueRow = json.loads(line)
    written.rows.append((row["number"], sys.intern(row["prediction"]), sys.intern(row["group"])))
    written.groups[row["group"]] += 1
    written.by_category[row["prediction"]] += 1
    last = written.pages[-1] if written.pages else None
    if last is None or last["rows"] == PAGE_ROWS or last["size"] + len(line) > PAGE_BYTES:
        first = last["first"] + last["rows"] if last else 0
        written.pages.append({"first": first, "rows": 1, "offset": offset, "size": len(line)})
    else:
        last["rows"] += 1
        last["size"] += len(line)


def _line(row: QueueRow) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _hash(seed: str, row: int) -> float:
    """Return a number from 0 to 1 that the seed and the row decide."""
    digest = hashlib.sha256(f"{seed}\n{row}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56
