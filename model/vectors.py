"""Word vectors from a spaCy package, as the start of the embedding."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

from model.data import Floats
from model.encoder import FIRST_WORD
from model.errors import VectorsError

Table: TypeAlias = Any  # spacy.vectors.Vectors, imported only when it is needed


@dataclass(frozen=True)
class SpacyVectors:
    """The word vectors of an installed spaCy package, or of a folder that spaCy saved one to."""

    package: str
    table: Table

    @classmethod
    def load(cls, package: str, width: int) -> Self:
        """Read the vectors of a package, `width` numbers a word.

        Raises VectorsError when the package cannot be loaded, has no vectors, or they have another width.
        """
        table = _load(package)
        if not table.shape[1] or not table.n_keys:  # -1 where vectors are made of a word's letters
            raise VectorsError(
                f"The spaCy package {package!r} has no word vectors; set spacy_model to one that has."
            )
        if table.shape[1] != width:
            raise VectorsError(
                f"embed_size is {width}, but the vectors of {package!r} have "
                f"{table.shape[1]} numbers; set embed_size to {table.shape[1]}."
            )
        return cls(package, table)

    def fill(self, start: Floats, words: Sequence[str]) -> tuple[Floats, int]:
        """Return a copy of `start` with the vector of every word that has one, and how many have.

        `start` and the copy have the shape (words + FIRST_WORD, width).
        """
        forms = {number: form for number, word in enumerate(words, FIRST_WORD) if (form := self._form(word))}
        filled = start.copy()
        if forms:
            filled[list(forms)] = self.table.get_batch(list(forms.values()))
        return filled, len(forms)

    def _form(self, word: str) -> str | None:
        """Return the form of a lower-case word that has a vector.

        A table that keeps cases has many words in one form only: names ("Honda", "ABS") and German's nouns.
        """
        # By id, as looking a word up by its text would add it to spaCy's own strings.
        string_id = importlib.import_module("spacy.strings").get_string_id
        forms = (word, word.capitalize(), word.upper())
        return next((form for form in forms if string_id(form) in self.table), None)


def _load(package: str) -> Table:
    spacy = importlib.import_module("spacy")
    if not (spacy.util.is_package(package) or _is_folder(package)):
        raise VectorsError(
            f"The spaCy package {package!r}, which spacy_model names, is not installed, and a training job "
            "cannot install it: build the image with it, or set use_spacy_pretrained to false."
        )
    try:
        return spacy.load(package).vocab.vectors
    except Exception as error:  # each reader of a damaged package, or of another library, has its own
        cause = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        raise VectorsError(
            f"spacy_model is {package!r}, which spaCy cannot load ({cause}); it must be the name of an "
            "installed spaCy package, or a folder that spaCy saved one to."
        ) from error


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):  # too long, or with a NUL
        return False
