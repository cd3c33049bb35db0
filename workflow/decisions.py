"""What people decide of rows: in DynamoDB one item a run and row, with every change that was made of it.

An item is written on the condition that nobody else has decided or holds the row, so that of two people who
decide one row at once the second is told. Texts stay in the results bucket: the table holds none.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contract.audit import INDEX, INDEX_KEY, blind, query

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEASE_SECONDS = 300  # that a row is one person's to decide
NOTE_CHARACTERS = 2_000

_FREE = "(attribute_not_exists(held_by) OR held_by = :holder OR held_until < :now)"


class NotYoursError(Exception):
    """Somebody else has decided the row meanwhile, or holds it; the text is one sentence."""


@dataclass(frozen=True)
class Change:
    """One decision of a row."""

    category: str | None
    """None: the decision before was taken back."""
    by: str
    at: str
    """In UTC, as ISO 8601."""
    note: str
    token: str
    """Of the request: the same request sent twice makes one change."""
    batch: str = ""
    """Of the request that decided several rows of a list together; empty for a row that was read alone."""


@dataclass(frozen=True)
class Decision:
    """What stands about a row, and how it came to that."""

    number: int
    """Of the data row in the input file, from 0."""
    said: str
    """What the model had said."""
    model: int
    """The version that said it."""
    audit: bool
    """Whether the row had been accepted and was drawn to check that."""
    changes: tuple[Change, ...]
    """The first one first; there is one at least."""
    told: int | None = None
    """After how many changes it was told how sure the model was; None: not yet. Kept for audits only."""

    @property
    def category(self) -> str | None:
        """The category, or None when the decision was taken back."""
        return self.changes[-1].category

    @property
    def blind(self) -> str | None:
        """The answer that counts for the promise (`contract.audit.blind`); None: there is none."""
        return blind([each.category for each in self.changes], self.told)

    @property
    def revision(self) -> int:
        """How often the row was decided; a change names the revision that it is made of."""
        return len(self.changes)


@dataclass(frozen=True)
class Asked:
    """What a decision is about."""

    number: int
    said: str
    model: int
    audit: bool


@dataclass(frozen=True)
class Answer:
    """What a person decides."""

    category: str | None
    """None takes the decision before back."""
    token: str
    """Of the request, by which it is known again when it is sent twice."""
    revision: int = 0
    """Of the decision that the person saw, 0 for none."""
    note: str = ""
    batch: str = ""
    """Of the request that decides several rows together."""


@dataclass(frozen=True)
class Person:
    """Who decides, and in which window: a person may have two, which must not get the same row."""

    name: str
    window: str


class Decisions:
    """The decisions of one run."""

    def __init__(self, client: "DynamoDBClient", table: str, run: str) -> None:
        """Take the run's items of the stack's table."""
        self._client, self._table, self._run = client, table, run

    def hold(self, number: int, person: Person, now: float | None = None) -> int | None:
        """Hold a row that is not decided for LEASE_SECONDS.

        Returns its revision, as Answer takes it, or None where somebody else has the row.
        """
        now = time.time() if now is None else now
        held = self._update(
            number,
            "SET held_by = :holder, held_until = :until",
            f"{_FREE} AND attribute_not_exists(category)",
            {":until": {"N": f"{now + LEASE_SECONDS:.0f}"}, **_holder(person, now)},
        )
        if held is None:
            return None
        return int(held["revision"]["N"]) if "revision" in held else 0

    def release(self, number: int, person: Person) -> None:
        """Give a row back that this person holds."""
        self._update(
            number, "REMOVE held_by, held_until", "held_by = :holder", {":holder": {"S": person.window}}
        )

    def decide(self, asked: Asked, answer: Answer, person: Person) -> Decision:
        """Write a decision.

        Raises NotYoursError where somebody else was faster. A request that is sent again, as its answer was
        lost, changes nothing.
        """
        now = time.time()
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        note = answer.note[:NOTE_CHARACTERS]
        change = Change(answer.category, person.name, at, note, answer.token, answer.batch)
        seen = "revision = :seen" if answer.revision else "attribute_not_exists(revision)"
        values = {
            ":said": {"S": asked.said},
            ":model": {"N": str(asked.model)},
            ":audit": {"BOOL": asked.audit},
            ":next": {"N": str(answer.revision + 1)},
            ":none": {"L": []},
            ":change": {"L": [{"M": _written(change)}]},
            **({":seen": {"N": str(answer.revision)}} if answer.revision else {}),
            **({} if answer.category is None else {":category": {"S": answer.category}}),
            **_holder(person, now),
        }
        audited = f"{INDEX_KEY} = :model, " if asked.audit else ""
        update = (
            f"SET said = :said, model = :model, audit = :audit, revision = :next, {audited}"
            "changes = list_append(if_not_exists(changes, :none), :change)"
            + (" REMOVE category, " if answer.category is None else ", category = :category REMOVE ")
            + "held_by, held_until"
        )
        if made := self._update(asked.number, update, f"{seen} AND {_FREE}", values):
            return _read(made)
        found = self.one(asked.number)
        if found is None or all(each.token != answer.token for each in found.changes):
            raise NotYoursError(whose(found))
        return found

    def tell(self, number: int, revision: int) -> None:
        """Keep that it is told after this revision how sure the model was: what comes later is not blind.

        Where it was told before, or somebody has changed the decision meanwhile, nothing changes.
        """
        self._update(
            number,
            "SET told = :revision",
            "revision = :revision AND attribute_exists(category) AND attribute_not_exists(told)",
            {":revision": {"N": str(revision)}},
        )

    def one(self, number: int) -> Decision | None:
        """Return what was decided of a row, or None."""
        item = self._client.get_item(TableName=self._table, Key=self._key(number), ConsistentRead=True)
        return _read(item["Item"]) if "changes" in item.get("Item", {}) else None

    def count(self) -> int:
        """Return how many rows are decided."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="run = :run",
            FilterExpression="attribute_exists(category)",
            ExpressionAttributeValues={":run": {"S": self._run}},
            Select="COUNT",
        )
        return sum(page["Count"] for page in pages)

    def all(self) -> Iterator[Decision]:
        """Yield the decisions of all rows that were ever decided, in the order of the rows."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="run = :run",
            ExpressionAttributeValues={":run": {"S": self._run}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from (_read(item) for item in page["Items"] if "changes" in item)

    def forget(self, number: int) -> None:
        """Delete whatever is kept of a row: its decision, with notes and the names of who decided."""
        self._client.delete_item(TableName=self._table, Key=self._key(number))

    def _update(
        self, number: int, update: str, condition: str, values: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Change an item; returns it as it is then, or None where the condition does not hold."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=self._key(number),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return answer["Attributes"]

    def _key(self, number: int) -> dict[str, Any]:
        return {"run": {"S": self._run}, "number": {"N": str(number)}}


def every_audit(client: "DynamoDBClient", table: str) -> Iterator[Decision]:
    """Yield the decisions of all runs' audits, from the index that has no others."""
    for page in client.get_paginator("scan").paginate(TableName=table, IndexName=INDEX):
        yield from map(_read, page["Items"])


def audits_of(client: "DynamoDBClient", table: str, version: int) -> Iterator[Decision]:
    """Yield the decisions of the audits of one model version."""
    for page in client.get_paginator("query").paginate(**query(table, version)):
        yield from map(_read, page["Items"])


def every_decision(client: "DynamoDBClient", table: str) -> Iterator[tuple[str, Decision]]:
    """Yield the decisions of all rows that were ever decided, each with the run under which it is kept."""
    pages = client.get_paginator("scan").paginate(
        TableName=table, FilterExpression="attribute_exists(changes)", ConsistentRead=True
    )
    for page in pages:
        yield from ((item["run"]["S"], _read(item)) for item in page["Items"])


def _holder(person: Person, now: float) -> dict[str, Any]:
    return {":holder": {"S": person.window}, ":now": {"N": f"{now:.0f}"}}


def whose(found: Decision | None) -> str:
    """Return in one sentence why a row is not this person's to decide, by what is known of it."""
    if found is None:
        return "Somebody else has this row open at the moment: take the next one."
    last = found.changes[-1]
    if last.category is None:
        return f"{last.by} took the decision of this row back meanwhile: look at it again."
    return f"{last.by} has decided this row meanwhile: {last.category}."


def _written(change: Change) -> dict[str, Any]:
    """Return a change as DynamoDB keeps it; one that takes a decision back has no category."""
    fields = {"by": change.by, "at": change.at, "note": change.note, "token": change.token}
    if change.category is not None:
        fields["category"] = change.category
    if change.batch:
        fields["batch"] = change.batch
    return {name: {"S": value} for name, value in fields.items()}


def _read(item: dict[str, Any]) -> Decision:
    changes = [each["M"] for each in item["changes"]["L"]]
    return Decision(
        number=int(item["number"]["N"]),
        said=item["said"]["S"],
        model=int(item["model"]["N"]),
        audit=item["audit"]["BOOL"],
        changes=tuple(
            Change(
                category=each["category"]["S"] if "category" in each else None,
                by=each["by"]["S"],
                at=each["at"]["S"],
                note=each["note"]["S"],
                token=each["token"]["S"],
                batch=each["batch"]["S"] if "batch" in each else "",
            )
            for each in changes
        ),
        told=int(item["told"]["N"]) if "told" in item else None,
    )
