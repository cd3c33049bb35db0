"""Looks up what the report tells besides the counts: the date, and what is known about the model."""

from typing import Any

from contract import keys
from contract.errors import StorageError
from shared import storage

Card = dict[str, Any]


def card(model_uri: str) -> Card:
    """Return the model's card; an empty one for a model that was registered before there were any."""
    try:
        found = storage.read_json(keys.card(model_uri))
    except (StorageError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def date(manifest_uri: str) -> str:
    """Return the day and time, in UTC, at which the file was checked: the same however often collect runs."""
    return f"{storage.written(storage.parse_uri(manifest_uri)):%Y-%m-%d %H:%M} UTC"
