"""The kinds of parts that a model is made of, by name; a kind is imported when it is used.

The pipeline, the artifact, the report and the configuration look into this table, and nothing else knows a
kind by its name. A new kind is a module of this folder with a class that follows `model.parts.part.Part`, and
a line in KINDS.
"""

import importlib
import itertools
from typing import TYPE_CHECKING

from model.errors import ConfigError

if TYPE_CHECKING:
    from model.parts.part import Part

KINDS = {
    "ngram": "model.parts.ngram.NgramPart",
    "sentence": "model.parts.sentence.SentencePart",
    "cnn": "model.parts.words.CnnPart",
    "lstm": "model.parts.words.LstmPart",
}


def kind(name: str) -> type["Part"]:
    """Return the class of a kind of part. Raises ConfigError when there is none of that name."""
    if name not in KINDS:
        raise ConfigError([f"There is no kind of part {name!r}; there are {', '.join(KINDS)}."])
    module, _, of_name = KINDS[name].rpartition(".")
    part: type[Part] = getattr(importlib.import_module(module), of_name)
    return part


def architectures() -> list[str]:
    """Return what a model may be made of: any of the kinds, each at most once, in the order of the table."""
    counts = range(1, len(KINDS) + 1)
    return ["+".join(names) for count in counts for names in itertools.combinations(KINDS, count)]
