"""spaCy's text categorizer on a bag of words (spacy.TextCatBOW), with spaCy's own tokenizer and optimizer."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import spacy
from spacy.training import Example
from thinc.api import fix_random_seed

from benchmarks import rows

Model: TypeAlias = Any  # spacy.language.Language

BATCH = 32  # with 5 passes: of those tried, the best on both data sets at the library's own learning rate
NETWORK = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "ngram_size": 1,
    "no_output_layer": False,
}


def train(path: Path, options: Mapping[str, Any], scratch: Path) -> Model:
    """Train on all rows."""
    fix_random_seed(0)
    language = spacy.blank("en")
    texts, labels = rows.read(path)
    names = sorted(set(labels))
    documents = language.pipe(texts)
    examples = [
        Example.from_dict(document, {"cats": {name: float(name == label) for name in names}})
        for document, label in zip(documents, labels, strict=True)
    ]
    language.add_pipe("textcat", config={"model": NETWORK})
    optimizer = language.initialize(lambda: examples)
    shuffle = random.Random(0).shuffle  # noqa: S311
    for _ in range(options["epochs"]):
        shuffle(examples)
        for start in range(0, len(examples), BATCH):
            language.update(examples[start : start + BATCH], sgd=optimizer)
    return language


def save(model: Model, folder: Path) -> None:
    """Write the model."""
    model.to_disk(folder)


def load(folder: Path) -> Model:
    """Read what `save` wrote."""
    return spacy.load(folder)


def predict(model: Model, path: Path) -> list[str]:
    """Return the label of each row."""
    texts, _ = rows.read(path)
    found = (document.cats for document in model.pipe(texts))
    return [max(chances, key=chances.get) for chances in found]
