"""Predictions for tests: each names what it is about, and a column that it does not name is empty."""

from typing import get_type_hints

from contract.part import Prediction

NAMED = ("prediction", "confidence", "runner_up", "doubt", "because", "levels")


def prediction(row: int, *said: str | float) -> Prediction:
    """Return the prediction of a row; `said` are the values of `NAMED`, as many as are given."""
    empty = {name: kind() for name, kind in get_type_hints(Prediction).items()}
    return Prediction(**empty | {"row": row} | dict(zip(NAMED, said, strict=False)))
