"""The part that reads sentences, from labelled rows to scores out of fold; and when `auto` takes it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model import auto
from model.artifact import load
from model.config import Config
from model.data import Row
from model.errors import ArtifactError, SentenceModelError
from model.parts import kind
from model.parts.part import Rows
from model.parts.sentence import USUAL_PENALTY, SentencePart
from model.pipeline import Folders, run
from model.prediction import predict
from model.training import Session

from . import bert

SILENT = Session(say=lambda _: None)
TEXTS = [
    ("the drum leaks water " if number % 2 else "brake squeals again ") + "the " * (number % 7)
    for number in range(90)
]
LABELS = np.arange(90) % 2


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(bert.write(tmp_path / "sentences"))


def rows(with_folds: bool = True) -> Rows:
    folds = np.arange(90) % 7 % 5  # the same text, the same fold
    validation = TEXTS[:20]
    return Rows(lambda: iter(TEXTS), LABELS, validation, LABELS[:20], 2, 2000, folds if with_folds else None)


def config(model: str, **changes: object) -> Config:
    return Config.parse({"architecture": "sentence", "sentence_model": model, **changes})


@pytest.mark.parametrize("with_folds", [True, False])
def test_it_learns_what_the_vectors_tell_and_scores_every_row_out_of_fold(
    with_folds: bool, model: str
) -> None:
    fitted = kind("sentence").fit(rows(with_folds), config(model), SILENT)
    assert (fitted.validation.logits.argmax(axis=1) == LABELS[:20]).all()
    assert (fitted.out_of_fold is not None) == with_folds
    if fitted.out_of_fold:
        assert (fitted.out_of_fold.logits.argmax(axis=1) == LABELS).all()


def test_rows_that_are_alone_with_their_label_choose_no_penalty(model: str) -> None:
    alone = dataclasses.replace(rows(), labels=np.arange(90), validation_labels=np.arange(20), classes=90)
    fitted = kind("sentence").fit(alone, config(model), SILENT)
    assert fitted.settings["penalty"] == USUAL_PENALTY


def test_rows_of_a_single_fold_are_scored_by_what_has_learned_nothing(model: str) -> None:
    alone = dataclasses.replace(rows(), folds=np.zeros(90, dtype=np.int64))
    fitted = kind("sentence").fit(alone, config(model), SILENT)
    assert fitted.out_of_fold is not None
    assert not fitted.out_of_fold.logits.any()
    assert not fitted.out_of_fold.similarities.any()


def test_a_row_is_no_neighbour_of_its_own(model: str) -> None:
    """Out of fold, a text that is in one fold only is less like the others than like itself."""
    fitted = kind("sentence").fit(rows(), config(model), SILENT)
    assert fitted.out_of_fold is not None
    own = fitted.part.score(TEXTS).similarities
    assert (own > 0.999).all()
    assert (fitted.out_of_fold.similarities < own).any()


def test_a_text_unlike_the_training_texts_has_a_lower_similarity(model: str) -> None:
    part = kind("sentence").fit(rows(), config(model), SILENT).part
    like, unlike = part.score(["the drum leaks water the", "🙂 ??? !!!"]).similarities
    assert like > unlike


def test_of_many_training_rows_a_sample_is_compared_with(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.parts.sentence.MOST_NEIGHBOURS", 10)
    part = kind("sentence").fit(rows(), config(model), SILENT).part
    assert part.arrays()["known"].shape == (10, 8)


def test_vectors_lie_in_the_folder_of_the_checkpoints(model: str, tmp_path: Path) -> None:
    session = dataclasses.replace(SILENT, checkpoints=tmp_path / "checkpoints")
    kind("sentence").fit(rows(), config(model), session)
    assert (tmp_path / "checkpoints" / "vectors.float32").stat().st_size == 90 * 8 * 4


def test_a_saved_part_scores_the_same_and_asks_for_the_same_pretrained_model(
    model: str, tmp_path: Path
) -> None:
    part = kind("sentence").fit(rows(), config(model), SILENT).part
    described, arrays = part.described(), part.arrays()
    again = SentencePart.load(described, arrays, config(model), 2)
    assert np.array_equal(again.score(TEXTS).logits, part.score(TEXTS).logits)
    with pytest.raises(
        ArtifactError, match=r"^The model was trained with another version of the sentence model"
    ):
        SentencePart.load(described | {"digest": "0"}, arrays, config(model), 2)


def test_a_pretrained_model_that_is_missing_is_told_before_a_row_is_read() -> None:
    with pytest.raises(SentenceModelError, match=r"^The sentence model 'nowhere'"):
        kind("sentence").check(config("nowhere"))


def test_it_cannot_tell_what_a_word_adds_and_says_what_it_is_made_of(model: str) -> None:
    fitted = kind("sentence").fit(rows(), config(model), SILENT)
    phrases, shares = fitted.part.evidence("the drum")
    assert (list(phrases), shares.shape) == ([], (0, 2))
    assert "makes 8 numbers of a text" in SentencePart.settings_in_words(fitted.settings)


def test_a_whole_training_with_n_grams_is_saved_and_predicts(
    model: str, folders: Folders, tiny: Callable[..., Config], toy: Callable[..., list[Row]]
) -> None:
    evaluation = run(tiny(architecture="ngram+sentence", sentence_model=model), folders)
    assert list(evaluation["training"]["mixture"] or {}) == ["ngram", "sentence"]
    assert evaluation["architecture_choice"] is None
    found = list(predict(load(folders.model), toy(30, seed=5)))
    assert sum(each.prediction == row.label for each, row in zip(found, toy(30, seed=5), strict=True)) > 27


def test_auto_without_the_pretrained_model_takes_n_grams_and_says_why(
    folders: Folders, tiny: Callable[..., Config]
) -> None:
    evaluation = run(tiny(architecture="auto", sentence_model="nowhere"), folders)
    assert evaluation["training"]["architecture"] == "ngram"
    assert str(evaluation["architecture_choice"]).startswith(
        "`auto` took n-grams alone: The sentence model 'nowhere'"
    )
    assert load(folders.model).config.architecture == "ngram"


def test_auto_leaves_out_what_adds_nothing_and_says_so(
    model: str, folders: Folders, tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "LEAST_GAIN", 0.99)
    monkeypatch.setattr(auto, "MOST_GAIN", 0.99)
    evaluation = run(tiny(architecture="auto", sentence_model=model), folders)
    assert evaluation["training"]["architecture"] == "ngram"
    assert "`auto` took n-grams alone: sentences change the loss from" in str(
        evaluation["architecture_choice"]
    )


def test_auto_takes_what_lowers_the_loss_and_the_saved_model_names_it(
    model: str, folders: Folders, tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "LEAST_GAIN", -9.0)
    monkeypatch.setattr(auto, "MOST_GAIN", -9.0)
    evaluation = run(tiny(architecture="auto", sentence_model=model), folders)
    assert evaluation["training"]["architecture"] == "ngram+sentence"
    assert load(folders.model).config.architecture == "ngram+sentence"
    assert "`auto` took n-grams and sentences" in str(evaluation["architecture_choice"])


def test_auto_looks_at_some_rows_first_where_all_would_take_long(
    model: str, folders: Folders, tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    fit = SentencePart.fit.__func__  # type: ignore[attr-defined]

    def counted(cls: type[SentencePart], given: Rows, *rest: object) -> object:
        sizes.append(len(given.labels))
        return fit(cls, given, *rest)

    monkeypatch.setattr(SentencePart, "fit", classmethod(counted))
    monkeypatch.setattr(auto, "AFFORDABLE_SECONDS", 0.0)
    monkeypatch.setattr(auto, "LOOK_ROWS", 40)
    monkeypatch.setattr(auto, "_sample", lambda rows, *_: np.arange(len(rows.labels)) % 2 == 0)
    monkeypatch.setattr(auto, "LEAST_GAIN", 0.99)
    monkeypatch.setattr(auto, "MOST_GAIN", 0.99)
    evaluation = run(tiny(architecture="auto", sentence_model=model), folders)
    assert evaluation["training"]["architecture"] == "ngram"
    assert max(sizes) < evaluation["data"]["training_rows"]
