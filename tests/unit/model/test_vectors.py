"""Word vectors from spaCy as the start of the embedding."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spacy

from model.config import Config
from model.encoder import FIRST_WORD, WordEncoder
from model.errors import VectorsError
from model.pipeline import Folders, run
from model.vectors import with_spacy_vectors

ENCODER = WordEncoder(("brake", "unheard"), 10)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A spaCy pipeline with 8 numbers for the words brake and oil."""
    folder = tmp_path_factory.mktemp("spacy")
    pipeline = spacy.blank("en")
    for number, word in enumerate(("brake", "oil"), 1):
        pipeline.vocab.set_vector(word, np.full(8, number, dtype=np.float32))
    pipeline.to_disk(folder)
    return str(folder)


def test_known_words_start_from_their_vector_and_others_stay(package: str) -> None:
    filled = with_spacy_vectors(np.zeros((4, 8), dtype=np.float32), ENCODER, package)
    assert (filled[FIRST_WORD] == 1).all()
    assert not filled[[0, 1, FIRST_WORD + 1]].any()


def test_a_package_that_is_not_installed_is_told_with_what_to_do() -> None:
    with pytest.raises(VectorsError, match="'no_such_package', which spacy_model names") as refused:
        with_spacy_vectors(np.zeros((4, 8), dtype=np.float32), ENCODER, "no_such_package")
    assert "build the image with it, or set use_spacy_pretrained to false" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", ["/etc", "/" + "x" * 300, ""])
def test_a_folder_that_holds_no_package_is_told_with_what_is_expected(value: str) -> None:
    with pytest.raises(VectorsError, match="spacy_model") as refused:
        with_spacy_vectors(np.zeros((4, 8), dtype=np.float32), ENCODER, value)
    assert "\n" not in str(refused.value)


def test_another_width_than_embed_size_is_told(package: str) -> None:
    with pytest.raises(VectorsError, match=r"embed_size is 300.*set embed_size to 8"):
        with_spacy_vectors(np.zeros((4, 300), dtype=np.float32), ENCODER, package)


def test_a_package_without_vectors_is_told(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(VectorsError, match="has no word vectors"):
        with_spacy_vectors(np.zeros((4, 8), dtype=np.float32), ENCODER, str(tmp_path))


@pytest.mark.parametrize("architecture", ["cnn", "lstm", "ngram+cnn"])
def test_a_training_can_start_from_the_vectors(
    architecture: str, package: str, folders: Folders, tiny: Callable[..., Config]
) -> None:
    config = tiny(architecture=architecture, use_spacy_pretrained=True, spacy_model=package)
    assert run(config, folders)["accuracy"] > 0.9


def test_n_grams_need_no_vectors(folders: Folders, tiny: Callable[..., Config]) -> None:
    config = tiny(architecture="ngram", use_spacy_pretrained=True, spacy_model="no_such_package")
    assert run(config, folders)["accuracy"] > 0.9
