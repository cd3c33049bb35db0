"""The rows of a run that people look at, read a page at a time, and the next one that is nobody's yet."""

import json
from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache
from typing import cast

from contract import keys
from contract.queue import Queue, QueuePage, QueueRow
from workflow.account import Account
from workflow.decisions import Decisions, Person
from workflow.errors import CommandError
from workflow.stack import Stack

PAGES_KEPT = 8


def read_index(account: Account, stack: Stack, folder: str) -> Queue:
    """Return the index of a run's queue, that of its prediction if it trained first.

    Raises CommandError for a run that has none.
    """
    for place in (folder, f"{folder}/predict"):
        try:
            body = account.s3.get_object(Bucket=stack.results, Key=f"{place}/{keys.QUEUE_INDEX}")["Body"]
        except account.s3.exceptions.NoSuchKey:
            continue
        with closing(body):
            return cast("Queue", json.loads(body.read()))
    raise CommandError(
        f"The run {folder} has no rows for people: it labelled nothing, or an older version made it; "
        "label the file again."
    )


class QueueReader:
    """One run's queue and what was decided of it."""

    def __init__(self, account: Account, stack: Stack, folder: str) -> None:
        """Read the index and the decisions so far; raises CommandError for a run without a queue."""
        self.index = read_index(account, stack, folder)
        self.decisions = Decisions(account.dynamodb, stack.decisions, folder)
        self.decided = {each.number for each in self.decisions.all() if each.category is not None}
        self._s3 = account.s3
        self._kept = lru_cache(PAGES_KEPT)(self._read)

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

    def next(self, person: Person, skipped: frozenset[int] = frozenset()) -> QueueRow | None:
        """Hold and return the first row that is not decided, skipped or somebody else's; None: no more."""
        for row in self._open(skipped):
            if self.decisions.hold(row["number"], person):
                return row
            found = self.decisions.one(row["number"])
            if found and found.category is not None:  # by somebody else, meanwhile
                self.decided.add(row["number"])
        return None

    def _open(self, skipped: frozenset[int]) -> Iterator[QueueRow]:
        for number in range(len(self.index["pages"])):
            for row in self.page(number):
                if row["number"] not in self.decided and row["number"] not in skipped:
                    yield row

    def _read(self, number: int) -> list[QueueRow]:
        page: QueuePage = self.index["pages"][number]
        bucket, key = self.index["rows"].removeprefix("s3://").split("/", 1)
        bytes_of_page = f"bytes={page['offset']}-{page['offset'] + page['size'] - 1}"
        with closing(self._s3.get_object(Bucket=bucket, Key=key, Range=bytes_of_page)["Body"]) as body:
            return [json.loads(line) for line in body.read().splitlines()]
