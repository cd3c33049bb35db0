"""Word vectors from spaCy as the start of the embedding."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from jsonschema import Draft202012Validator
from spacy.vectors import Vectors

from model import pipeline
from model.config import Config
from model.encoder import FIRST_WORD
from model.errors import VectorsError
from model.pipeline import Folders, run
from model.vectors import SpacyVectors

ROOT = Path(__file__).parents[3]
WIDTH = 8
TABLE = {"brake": 1, "oil": 2, "Piston": 3, "ABS": 4, "Seat": 5, "seat": 6}  # a word's vector is its number
NOTHING = np.zeros((4, WIDTH), dtype=np.float32)


def pipeline_of(table: dict[str, int]) -> Any:
    made = spacy.blank("en")
    for word, number in table.items():
        made.vocab.set_vector(word, np.full(WIDTH, number, dtype=np.float32))
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what spaCy saves of a pipeline with the vectors of TABLE."""
    saved = tmp_path_factory.mktemp("spacy")
    pipeline_of(TABLE).to_disk(saved)
    return str(saved)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package en_claim_vectors, made by `spacy package` and installed by pip."""
    scratch = tmp_path_factory.mktemp("package")
    made = pipeline_of(TABLE)
    made.meta |= {"name": "claim_vectors", "version": "1.2.3"}
    made.to_disk(scratch / "saved")
    package = ["-m", "spacy", "package", str(scratch / "saved"), str(scratch), "--build", "none"]
    source = str(scratch / "en_claim_vectors-1.2.3")
    install = ["setup.py", "-q", "install_lib", "-d", str(scratch / "site"), "install_egg_info", "-d"]
    for arguments, where in ((package, scratch), ([*install, str(scratch / "site")], source)):
        subprocess.run([sys.executable, *arguments], cwd=where, check=True, capture_output=True)
    return scratch / "site"


def fill(words: tuple[str, ...], package: str) -> tuple[list[float], int]:
    """The number that each word starts from, and how many have one."""
    start = np.zeros((len(words) + FIRST_WORD, WIDTH), dtype=np.float32)
    filled, found = SpacyVectors.load(package, WIDTH).fill(start, words)
    assert not filled[:FIRST_WORD].any()
    assert (filled == filled[:, :1]).all()
    return filled[FIRST_WORD:, 0].tolist(), found


def test_words_start_from_their_vector_and_others_stay(folder: str) -> None:
    assert fill(("brake", "unheard", "oil"), folder) == ([1, 0, 2], 2)


def test_a_start_of_which_no_word_has_a_vector_stays_as_it_is(folder: str) -> None:
    assert fill(("unheard",), folder) == ([0], 0)
    assert fill((), folder) == ([], 0)


def test_a_word_that_has_a_vector_only_in_another_case_takes_that(folder: str) -> None:
    assert fill(("piston", "abs", "seat"), folder) == ([3, 4, 6], 3)


def test_the_start_is_copied_and_spacy_learns_no_words(folder: str) -> None:
    start, vectors = NOTHING.copy(), SpacyVectors.load(folder, WIDTH)
    known = len(vectors.table.strings)
    vectors.fill(start, ("brake", "unheard"))
    assert not start.any()
    assert len(vectors.table.strings) == known


def test_every_word_has_a_vector_where_they_are_made_of_its_letters(tmp_path: Path) -> None:
    made = spacy.blank("en")
    data = np.arange(20 * WIDTH, dtype=np.float32).reshape(20, WIDTH)
    made.vocab.vectors = Vectors(
        strings=made.vocab.strings, data=data, mode="floret", minn=2, maxn=3, hash_count=2
    )
    made.to_disk(tmp_path)
    filled, found = SpacyVectors.load(str(tmp_path), WIDTH).fill(NOTHING, ("brake", "unheard"))
    assert found == 2
    assert filled[FIRST_WORD:].all(axis=1).all()
    assert (filled[FIRST_WORD] == made.vocab.get_vector("brake")).all()


@pytest.mark.parametrize("value", ["no_such_package", "/" + "x" * 300, "\0"])
def test_a_package_that_is_not_installed_is_told_with_what_to_do(value: str) -> None:
    with pytest.raises(VectorsError, match="which spacy_model names, is not installed") as refused:
        SpacyVectors.load(value, WIDTH)
    assert "build the image with it, or set use_spacy_pretrained to false" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", ["/etc", "numpy", "jinja2"])
def test_what_is_not_a_spacy_package_is_told_with_what_is_expected(value: str) -> None:
    with pytest.raises(VectorsError, match=r"^spacy_model is .*, which spaCy cannot load \(.+\); it must"):
        SpacyVectors.load(value, WIDTH)


@pytest.mark.parametrize("share", [0, 0.5, None], ids=["empty", "cut short", "missing"])
@pytest.mark.parametrize("damaged", ["meta.json", "vocab/vectors", "vocab/key2row", "tokenizer"])
def test_a_damaged_folder_is_told_in_one_sentence(damaged: str, share: float | None, tmp_path: Path) -> None:
    pipeline_of(TABLE).to_disk(tmp_path)
    file = tmp_path / damaged
    content = file.read_bytes()
    file.unlink()
    if share is not None:
        file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(VectorsError, match=r"cannot load \(.+\);|no word vectors") as refused:
        SpacyVectors.load(str(tmp_path), WIDTH)
    assert "\n" not in str(refused.value)


def test_another_width_than_embed_size_is_told(folder: str) -> None:
    with pytest.raises(VectorsError, match=r"embed_size is 300.*set embed_size to 8"):
        SpacyVectors.load(folder, 300)


def test_a_package_without_vectors_is_told(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(VectorsError, match="has no word vectors"):
        SpacyVectors.load(str(tmp_path), WIDTH)


@pytest.mark.parametrize("architecture", ["cnn", "lstm", "ngram+cnn"])
def test_a_training_tells_how_many_words_started_from_a_vector(
    architecture: str,
    folder: str,
    folders: Folders,
    tiny: Callable[..., Config],
    capsys: pytest.CaptureFixture[str],
) -> None:
    evaluation = run(tiny(architecture=architecture, use_spacy_pretrained=True, spacy_model=folder), folders)
    assert evaluation["accuracy"] > 0.9
    words = evaluation["training"]["parts"][-1]["settings"]["words"]
    told = f"spaCy vectors of {folder} for 3 of {words - FIRST_WORD} words; the others start at random\n"
    assert told in capsys.readouterr().out
    assert_reported(folders, words)


def test_a_training_starts_from_an_installed_package(
    installed: Path, folders: Folders, tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed)
    config = tiny(architecture="cnn", use_spacy_pretrained=True, spacy_model="en_claim_vectors")
    words = run(config, folders)["training"]["parts"][0]["settings"]["words"]
    assert_reported(folders, words)


def assert_reported(folders: Folders, words: int) -> None:
    """The toy task's words brake, oil and piston have a vector."""
    evaluation = json.loads((folders.output / "evaluation.json").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "config/evaluation.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(evaluation)
    settings = evaluation["training"]["parts"][-1]["settings"]
    assert settings == {"words": words, "words with a vector": 3}
    report = (folders.output / "report.html").read_text(encoding="utf-8")
    assert f"It knows {words} words; 3 of them started from spaCy" in report


def test_a_training_looks_for_the_vectors_before_it_reads_a_row(
    folders: Folders, tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "read_folder", lambda _: pytest.fail("a row was read"))
    config = tiny(architecture="ngram+cnn", use_spacy_pretrained=True, spacy_model="no_such_package")
    with pytest.raises(VectorsError, match="not installed"):
        run(config, folders)


def test_a_training_that_asks_for_no_vectors_tells_of_none(
    folders: Folders, tiny: Callable[..., Config]
) -> None:
    settings = run(tiny(architecture="cnn"), folders)["training"]["parts"][0]["settings"]
    assert list(settings) == ["words"]


def test_n_grams_need_no_vectors(folders: Folders, tiny: Callable[..., Config]) -> None:
    config = tiny(architecture="ngram", use_spacy_pretrained=True, spacy_model="no_such_package")
    assert run(config, folders)["accuracy"] > 0.9
