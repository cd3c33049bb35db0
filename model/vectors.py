"""Word vectors from a spaCy package, as the start of the embedding."""

import importlib
from pathlib import Path
from typing import Any, TypeAlias

from model.data import Floats
from model.encoder import FIRST_WORD, WordEncoder
from model.errors import VectorsError

Language: TypeAlias = Any  # spacy.language.Language, imported only when it is needed


def with_spacy_vectors(start: Floats, encoder: WordEncoder, package: str) -> Floats:
    """Give a copy of `start`, shape (words, embed_size), with spaCy's vector for every word that has one.

    Raises VectorsError when the package cannot be loaded, has no vectors, or they are not embed_size wide.
    """
    vocabulary = _load(package).vocab
    if not vocabulary.vectors_length:
        raise VectorsError(
            f"The spaCy package {package!r} has no word vectors; set spacy_model to one that has."
        )
    if vocabulary.vectors_length != start.shape[1]:
        raise VectorsError(
            f"embed_size is {start.shape[1]}, but the vectors of {package!r} have "
            f"{vocabulary.vectors_length} numbers; set embed_size to {vocabulary.vectors_length}."
        )
    filled = start.copy()
    for number, word in enumerate(encoder.vocabulary, FIRST_WORD):
        if vocabulary.has_vector(word):
            filled[number] = vocabulary.get_vector(word)
    return filled


def _load(package: str) -> Language:
    spacy = importlib.import_module("spacy")
    try:
        if spacy.util.is_package(package) or Path(package).is_dir():
            return spacy.load(package)
    except (OSError, ValueError) as error:
        raise VectorsError(
            f"spacy_model is {package!r}, which spaCy cannot load; it must be the name of an installed spaCy "
            "package, or a folder that spaCy saved one to."
        ) from error
    raise VectorsError(
        f"The spaCy package {package!r}, which spacy_model names, is not installed, and a training job "
        "cannot install it: build the image with it, or set use_spacy_pretrained to false."
    )
