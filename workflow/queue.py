"""The rows of a run that people look at, read a page at a time, and the next one that is nobody's yet."""

import bisect
import hashlib
import itertools
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import NamedTuple, Self, cast

from botocore.exceptions import BotoCoreError, ClientError

from contract import keys
from contract.queue import SCHEMA, Queue, QueuePage, QueueRow
from workflow import objects
from workflow.account import Account
from workflow.decisions import LEASE_SECONDS, Answer, Asked, Decision, Decisions, NotYoursError, Person, whose
from workflow.errors import CommandError
from workflow.stack import Stack

PAGES_KEPT = 64
RECENT = 100  # decisions of a person that are known by heart
READ_AT_ONCE = 2_000  # decisions that are read again each time that somebody looks around
PAUSE = 50  # times as long as reading more than these took, before they are read again


class Held(NamedTuple):
    """A row that one window holds."""

    row: QueueRow
    revision: int
    """Of its decision, 0 for none: one that was taken back has a revision too."""


@dataclass(frozen=True)
class Wanted:
    """Which rows a person wants to see; None: all."""

    group: str | None = None
    category: str | None = None
    """The predicted one."""


ALL = Wanted()


def read_index(account: Account, stack: Stack, folder: str) -> Queue:
    """Return the index of a run's queue, that of its prediction if it trained first.

    Raises CommandError for a run that has none.
    """
    for place in (folder, f"{folder}/predict"):
        index = objects.read_json(account, f"s3://{stack.results}/{place}/{keys.QUEUE_INDEX}")
        if index and index.get("schema") == SCHEMA:
            return cast("Queue", index)
    raise CommandError(
        f"The run {folder} has no rows for people: it labelled nothing, or another version made it; "
        "label the file again."
    )


class QueueReader:
    """One run's queue and what was decided of it. Several threads may use one reader.

    What people at other machines do meanwhile is met when a row is held or decided, and by `refresh`.
    """

    def __init__(
        self, index: Queue, decisions: Decisions, read_page: Callable[[QueuePage], list[QueueRow]]
    ) -> None:
        """Take an index, what was decided of its rows, and what reads a page of them."""
        self.index, self.decisions = index, decisions
        self._kept = lru_cache(PAGES_KEPT)(lambda number: read_page(index["pages"][number]))
        self._places = {number: place for place, number in enumerate(index["order"]["numbers"])}
        self._taken: dict[int, tuple[str, float]] = {}  # of each row that is held: by which window, till when
        self._lock = Lock()
        self._reading = Lock()
        self._meanwhile: dict[int, Decision] | None = None  # what was noted while all was read
        self.refresh()

    @classmethod
    def of_run(cls, account: Account, stack: Stack, folder: str) -> Self:
        """Return the queue of a run's folder of results; raises CommandError for a run without one."""
        index = read_index(account, stack, folder)
        bucket, key = objects.place(index["rows"])

        def read(page: QueuePage) -> list[QueueRow]:
            bytes_of_page = f"bytes={page['offset']}-{page['offset'] + page['size'] - 1}"
            answer = account.s3.get_object(Bucket=bucket, Key=key, Range=bytes_of_page)
            with closing(answer["Body"]) as body:
                return [json.loads(line) for line in body.read().splitlines()]

        return cls(index, Decisions(account.dynamodb, stack.decisions, folder), read)

    def refresh(self) -> list[Decision]:
        """Read all decisions again; returns those of all rows that were ever decided, in their order."""
        with self._reading:
            began = time.monotonic()
            with self._lock:
                meanwhile = self._meanwhile = {}
            try:
                found = list(self.decisions.all())
                self._take_over(found, meanwhile)
            finally:
                with self._lock:
                    self._meanwhile = None
            self._read_again = time.monotonic() + PAUSE * (time.monotonic() - began)
        return found

    def look_around(self) -> None:
        """Take into account what people at other machines have decided.

        Where much was decided, that is read beside, now and then: nobody waits for it.
        """
        if len(self.decided) + len(self._taken_back) <= READ_AT_ONCE:
            self.refresh()
        elif self._read_again < time.monotonic() and not self._reading.locked():
            threading.Thread(target=self._refresh_quietly, name="look around", daemon=True).start()

    def recent(self, name: str) -> list[Decision]:
        """Return what a person decided last of rows read alone, RECENT at most and the newest last."""
        with self._lock:
            return list(self._by[name].values())

    @property
    def rows(self) -> int:
        """How many rows the queue has."""
        return self.index["to_review"] + self.index["audits"]

    @property
    def left(self) -> int:
        """How many of them are not decided, as far as is known here."""
        return self.rows - len(self.decided)

    def page(self, number: int) -> list[QueueRow]:
        """Return the rows of a page, the first page being 0."""
        return self._kept(number)

    def row(self, place: int) -> QueueRow:
        """Return the row at a place of the queue, from 0."""
        pages = self.index["pages"]
        number = bisect.bisect_right(pages, place, key=lambda page: page["first"]) - 1
        return self.page(number)[place - pages[number]["first"]]

    def revision(self, number: int) -> int:
        """Return the revision of an open row, as far as is known here: more than 0 if it was taken back."""
        return self._taken_back.get(number, 0)

    def find(self, number: int) -> QueueRow | None:
        """Return the row with a number of the input file, or None."""
        place = self._places.get(number)
        return None if place is None else self.row(place)

    def open(self, wanted: Wanted = ALL) -> Iterator[int]:
        """Yield the places of the rows that are wanted and not decided, as far as is known here."""
        order, decided = self.index["order"], self.decided
        numbers = order["numbers"]
        with self._lock:
            while self._first_open < len(numbers) and numbers[self._first_open] in decided:
                self._first_open += 1
            places: Iterable[int] = range(self._first_open, len(numbers))
        if wanted.group is not None:
            group = list(self.index["groups"]).index(wanted.group)
            places = (place for place in places if order["groups"][place] == group)
        if wanted.category is not None:
            category = self.index["categories"].index(wanted.category)
            places = (place for place in places if order["predictions"][place] == category)
        return (place for place in places if numbers[place] not in decided)

    def next(
        self, person: Person, skipped: frozenset[int] = frozenset(), wanted: Wanted = ALL
    ) -> Held | None:
        """Hold and return the first row that is not decided, skipped or somebody else's; None: no more.

        Behind a row that somebody at another machine turns out to have, the next ones are likely that
        person's too: the search goes on farther down, twice as far each time, and last in what it left out.
        """
        numbers = self.index["order"]["numbers"]
        open_rows = (numbers[place] for place in self.open(wanted))
        candidates = (each for each in open_rows if each not in skipped and self._reserve(each, person))
        left_out: list[int] = []
        leap = 0
        for number in candidates:
            if held := self._hold(number, person):
                return held
            left_out += itertools.islice(open_rows, leap)
            leap = max(1, 2 * leap)
        again = (each for each in left_out if each not in skipped and self._reserve(each, person))
        return next((held for number in again if (held := self._hold(number, person))), None)

    def take(self, number: int, person: Person) -> Held | None:
        """Hold and return a row; None: it is decided, or somebody else's."""
        if number not in self._places or not self._reserve(number, person):
            return None
        return self._hold(number, person)

    def is_read_alone(self, row: QueueRow) -> bool:
        """Return whether a row is decided by itself and never together with others.

        Each audit is, as what it shows must have been read, and as many of the other rows, drawn by a hash of
        their numbers, from which nobody can tell the audits.
        """
        share = self.index["audits"] / (self.index["to_review"] or 1)
        return row["audit"] or _drawn(self.index["run"], row["number"]) < share

    def take_back(self, row: QueueRow, batch: str, token: str, person: Person) -> None:
        """Open a row again that was decided together with others.

        Raises NotYoursError if it was changed since.
        """
        found = self.decisions.one(row["number"])
        if found is None or found.changes[-1].token == token:  # asked again, as the answer was lost
            return
        if found.changes[-1].batch != batch:
            raise NotYoursError(whose(found))
        self.decide(row, Answer(None, token, found.revision), person)

    def tell(self, decision: Decision) -> None:
        """Keep that it is told now how sure the model was of a row, where that matters."""
        if decision.audit and decision.told is None:
            self.decisions.tell(decision.number, decision.revision)

    def release(self, number: int, person: Person) -> None:
        """Give a row back that this person holds."""
        self.decisions.release(number, person)
        with self._lock:
            if self._taken.get(number, ("", 0.0))[0] == person.window:
                del self._taken[number]

    def decide(self, row: QueueRow, answer: Answer, person: Person) -> Decision:
        """Write what a person decides of a row.

        Raises NotYoursError where somebody else was faster, and for a row of a list that is to be read alone.
        """
        if answer.batch and self.is_read_alone(row):
            raise NotYoursError("This row is to be read by itself.")
        asked = Asked(row["number"], row["prediction"], self.index["model"], row["audit"])
        try:
            made = self.decisions.decide(asked, answer, person)
        except NotYoursError:
            self._look_again(row["number"])
            raise
        self._note(made)
        return made

    def _reserve(self, number: int, person: Person) -> bool:
        """Keep the other threads from a row that is about to be held; False: another window has it."""
        with self._lock:
            window, until = self._taken.get(number, ("", 0.0))
            if window != person.window and until > time.time():
                return False
            self._taken[number] = (person.window, time.time() + LEASE_SECONDS)
            return True

    def _hold(self, number: int, person: Person) -> Held | None:
        revision = self.decisions.hold(number, person)
        if revision is None:
            self._taken[number] = ("", time.time() + LEASE_SECONDS)
            self._look_again(number)
            return None
        return Held(self.row(self._places[number]), revision)

    def _look_again(self, number: int) -> None:
        """Take into account what somebody else has done with a row."""
        if found := self.decisions.one(number):
            self._note(found)

    def _note(self, decision: Decision) -> None:
        with self._lock:
            if self._meanwhile is not None:
                self._meanwhile[decision.number] = decision
            self._take_in(decision)

    def _take_over(self, found: list[Decision], meanwhile: dict[int, Decision]) -> None:
        """Know what was read, and of what was noted meanwhile what is newer."""
        decided = {each.number for each in found if each.category is not None}
        taken_back = {each.number: each.revision for each in found if each.category is None}
        alone = [each for each in found if _is_alone(each)]
        alone.sort(key=lambda each: each.changes[-1].at)
        with self._lock:
            self.decided, self._taken_back = decided, taken_back
            self._first_open = 0  # no row before this place is open
            self._by: defaultdict[str, dict[int, Decision]] = defaultdict(dict)
            for each in alone:
                self._remember(each)
            read = {each.number: each.revision for each in found if each.number in meanwhile}
            for number, noted in meanwhile.items():
                if noted.revision > read.get(number, 0):
                    self._take_in(noted)

    def _take_in(self, decision: Decision) -> None:
        for theirs in self._by.values():
            theirs.pop(decision.number, None)
        if decision.category is not None:
            self.decided.add(decision.number)
            self._taken.pop(decision.number, None)
            self._taken_back.pop(decision.number, None)
            if _is_alone(decision):
                self._remember(decision)
            return
        self.decided.discard(decision.number)
        self._taken_back[decision.number] = decision.revision
        self._first_open = min(self._first_open, self._places[decision.number])

    def _remember(self, decision: Decision) -> None:
        """Keep a decision as the newest one of who made it."""
        theirs = self._by[decision.changes[-1].by]
        theirs[decision.number] = decision
        if len(theirs) > RECENT:
            del theirs[next(iter(theirs))]

    def _refresh_quietly(self) -> None:
        with suppress(BotoCoreError, ClientError):  # the next decision says what is wrong
            self.refresh()


def _is_alone(decision: Decision) -> bool:
    """Return whether a row is decided, and was read by itself."""
    return decision.category is not None and not decision.changes[-1].batch


def _drawn(run: str, number: int) -> float:
    """Return a number from 0 to 1 that a run and one of its rows decide."""
    digest = hashlib.sha256(f"{run}\nalone\n{number}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56
