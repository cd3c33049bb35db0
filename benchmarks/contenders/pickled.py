"""Keeps a scikit-learn model in a file; the contenders share it."""

import pickle
from pathlib import Path
from typing import Any, TypeAlias

Model: TypeAlias = Any  # a model of scikit-learn, which has no type hints

FILE = "model.pickle"


def save(model: Model, folder: Path) -> None:
    """Write the model."""
    with (folder / FILE).open("wb") as file:
        pickle.dump(model, file, protocol=pickle.HIGHEST_PROTOCOL)


def load(folder: Path) -> Model:
    """Read what `save` wrote a moment ago."""
    with (folder / FILE).open("rb") as file:
        return pickle.load(file)  # noqa: S301  our own file, of the same measurement
