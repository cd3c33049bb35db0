"""Looks up what the report tells besides the counts: the date, and what is known about the model."""

from typing import cast

from contract import keys
from contract.errors import StorageError
from contract.evaluation import Card
from shared import storage


def card(model_uri: str) -> Card | None:
    """Return the model's card; None for a model that was registered before there were any."""
    try:
        card = storage.read_json(keys.card(model_uri))
    except (StorageError, ValueError):
        return None
    return cast("Card", card) if isinstance(card, dict) else None


def date(manifest_uri: str) -> str:
    """Return the day and time, in UTC, at which the file was checked: the same however often collect runs."""
    return f"{storage.written(storage.parse_uri(manifest_uri)):%Y-%m-%d %H:%M} UTC"
