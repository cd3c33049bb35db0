"""Keeps changes of DynamoDB's items as lines of a journal, as to write all tables for each would take long.

A line is written before its request is answered, and tells the item as it is then. When all tables are
written, the lines of before are no longer needed: they are set aside first, and removed when the tables are
on disk, so that a server that is killed in between finds the tables and all lines that they may lack.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from local.patches import part

CHANGES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
MOST_LINES = 5_000  # then all tables are written
_DYNAMODB = "services.dynamodb"


class Journal:
    """The lines since all tables were written."""

    def __init__(self, folder: Path) -> None:
        self._path, self._aside = folder / "dynamodb.journal", folder / "dynamodb.journal.aside"
        self._lock = threading.Lock()
        self._lines = 0

    @property
    def full(self) -> bool:
        """Whether it is time to write all tables."""
        return self._lines >= MOST_LINES

    def append(self, line: str) -> None:
        """Write a line; raises OSError where that fails."""
        with self._lock, self._path.open("ab", buffering=0) as file:
            end = file.tell()
            try:
                file.write(line.encode() + b"\n")
            except OSError:
                file.truncate(end)
                raise
            self._lines += 1

    def set_aside(self) -> None:
        """Begin a new journal, as all tables are about to be written; keep the old lines until `forget`."""
        with self._lock:
            if self._path.exists():
                with self._aside.open("ab") as aside:
                    aside.write(self._path.read_bytes())
                self._path.unlink()
            self._lines = 0

    def forget(self) -> None:
        """Remove what was set aside, as all tables are written."""
        self._aside.unlink(missing_ok=True)

    def restore(self) -> None:
        """Bring the tables, as they were written, to where the lines left them."""
        for path in (self._aside, self._path):
            if path.exists():
                *lines, unfinished = path.read_bytes().split(b"\n")
                for line in lines:
                    _apply(json.loads(line))
                os.truncate(path, path.stat().st_size - len(unfinished))  # nobody was told that it is stored


def line(request: bytes) -> str | None:
    """Return the line for a request that changed an item, as the table holds it now; None: no such table."""
    asked = json.loads(request)
    for (account, region, name), table in part(_DYNAMODB, "_tables").all_items():
        if name == part(_DYNAMODB, "_normalize_table_name")(asked["TableName"]):
            key = asked.get("Key") or {each: asked["Item"][each] for each in _key_names(table)}
            partition, sort = _places(table, key)
            item = table["items"].get(partition, {}).get(sort)
            return json.dumps({"table": [account, region, name], "key": key, "item": item})
    return None


def _apply(change: dict[str, Any]) -> None:
    table = part(_DYNAMODB, "_tables").get_scoped(*change["table"])
    if table is None:  # deleted later
        return
    partition, sort = _places(table, change["key"])
    if change["item"] is None:
        table["items"].get(partition, {}).pop(sort, None)
    else:
        table["items"].setdefault(partition, {})[sort] = change["item"]
    part(_DYNAMODB, "_update_counts")(table)


def _key_names(table: dict[str, Any]) -> list[str]:
    return [name for name in (table["pk_name"], table["sk_name"]) if name]


def _places(table: dict[str, Any], key: dict[str, Any]) -> tuple[str, str]:
    """Return under what ministack keeps an item of a table."""
    partition, sort, _ = part(_DYNAMODB, "_resolve_table_key_values")(table, key, allow_extra=False)
    return partition, sort
