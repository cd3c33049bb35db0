"""Predictions: in order, for any text, the same every time and with any number of processes."""

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.part import Prediction
from model.artifact import load
from model.classifier import Classifier
from model.config import Config
from model.data import Row
from model.explanation import evidence, explain_row
from model.parts.ngram import NgramPart
from model.parts.part import Scores
from model.pipeline import Folders, run
from model.prediction import (
    CHUNK,
    CHUNK_CHARACTERS,
    _likeliest,
    chunks,
    predict,
)
from model.review import UNFAMILIAR

from .conftest import TOPICS

UseCores = Callable[[int], None]


@pytest.fixture
def use_cores(monkeypatch: pytest.MonkeyPatch) -> UseCores:
    """Lets the machine seem to have as many cores."""
    return lambda cores: monkeypatch.setattr("model.cores.available_cores", lambda: cores)


def test_the_toy_task_is_labelled_right_and_surely(
    any_classifier: Classifier, toy: Callable[..., list[Row]]
) -> None:
    rows = toy(300, seed=7)
    found = list(predict(any_classifier, rows))
    assert sum(guess.prediction == row.label for guess, row in zip(found, rows, strict=True)) / 300 > 0.98
    assert all(0.33 <= guess.confidence <= 1 and guess.runner_up != guess.prediction for guess in found)
    assert {guess.because for guess in found} == {""}


@pytest.mark.parametrize("cores", [1, 3])
def test_predictions_come_in_the_order_of_the_rows_over_several_chunks(
    cores: int, any_classifier: Classifier, toy: Callable[..., list[Row]], use_cores: UseCores
) -> None:
    use_cores(cores)
    rows = [row._replace(number=7 * row.number) for row in toy(4 * CHUNK + 5, seed=3)]
    found = list(predict(any_classifier, rows))
    assert [guess.row for guess in found] == [row.number for row in rows]
    right = sum(guess.prediction == row.label for guess, row in zip(found, rows, strict=True))
    assert right / len(rows) > 0.97


def test_the_same_rows_give_the_same_predictions(
    any_classifier: Classifier, toy: Callable[..., list[Row]]
) -> None:
    assert list(predict(any_classifier, toy(200))) == list(predict(any_classifier, toy(200)))


@pytest.mark.parametrize("explain", [False, True])
def test_several_processes_predict_what_one_does(
    explain: bool, classifier: Classifier, toy: Callable[..., list[Row]], use_cores: UseCores
) -> None:
    rows, found = toy(2 * CHUNK + 100, seed=4), []
    for cores in (1, 2, 5):
        use_cores(cores)
        found.append(list(predict(classifier, rows, explain=explain)))
    assert found[0] == found[1] == found[2]


def test_what_a_text_gets_does_not_depend_on_the_rows_beside_it(
    any_classifier: Classifier, toy: Callable[..., list[Row]]
) -> None:
    rows = toy(40, seed=5)
    together = list(predict(any_classifier, rows))
    alone = [guess for row in rows for guess in predict(any_classifier, [row])]
    for one, other in zip(together, alone, strict=True):
        assert (one.prediction, one.doubt) == (other.prediction, other.doubt)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


class Refusing(NgramPart):
    """Reads no text with the word `unreadable`, and tells in which process it was asked."""

    def score(self, texts: Sequence[str]) -> Scores:
        if any("unreadable" in text for text in texts):
            raise ValueError(f"unreadable in {os.getpid()}")
        return super().score(texts)


@pytest.mark.parametrize("cores", [1, 3])
def test_an_error_in_a_process_is_told_here(cores: int, classifier: Classifier, use_cores: UseCores) -> None:
    use_cores(cores)
    (part,) = classifier.parts
    assert isinstance(part, NgramPart)
    refusing = dataclasses.replace(classifier, parts=(Refusing(part.encoder, part.sums),))
    rows = [Row(number, "oil" if number != CHUNK + 1 else "unreadable") for number in range(5 * CHUNK)]
    given: list[Prediction] = []
    with pytest.raises(ValueError, match="unreadable in") as told:
        given.extend(predict(refusing, rows))
    assert (str(os.getpid()) in str(told.value)) == (cores == 1)
    assert [guess.row for guess in given] == list(range(CHUNK))


def test_no_rows_give_no_predictions(any_classifier: Classifier) -> None:
    assert list(predict(any_classifier, [])) == []


def test_a_row_is_explained_only_when_that_is_asked_for(
    any_classifier: Classifier, toy: Callable[..., list[Row]]
) -> None:
    rows = toy(20, seed=6)
    for guess, row in zip(predict(any_classifier, rows, explain=True), rows, strict=True):
        first, second = (any_classifier.labels.index(label) for label in (guess.prediction, guess.runner_up))
        assert guess.because == explain_row(any_classifier, row.text, first, second)
        assert "(+" in guess.because
        if any_classifier.config.architecture != "lstm":
            assert set(guess.because.split(" (+")[0].split()) & set(TOPICS[row.label])


AWKWARD = {
    "empty": "",
    "blank": " ",
    "control characters": "\x00\x01\x1b[31m",
    "line breaks": "\r\n\u2028\x85",
    "emoji": "👍🏽" * 100,
    "emoji of several": "👨\u200d👩\u200d👧 🇩🇪 ❤️",
    "unknown words": "völlig anderes",
    "signs": "." * 10_000,
    "mixed scripts": "brake тормоз ブレーキ 刹车 เบรก فرامل ब्रेक bremse\u0301 한국",
    "right to left": "\u202eoil\u202c شمع",
    "marks alone": "\u0301\u0327\ufe0f\u20e3",
    "lone surrogates": "\ud800 oil \udc00\ud83d",
    "noncharacters": "\ud7ff\uffff\U0010fffe\ue000",
    "one long word": "x" * 100_000,
    "ten megabytes": "oil " * 2_500_000,
    "ten megabytes of one word": "é" * 10_000_000,
    "a million line breaks": "<br>" * 1_000_000,
    "a formula": "=cmd|' /C calc'!A0",
}


@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("name", AWKWARD)
def test_any_text_is_labelled(name: str, explain: bool, any_classifier: Classifier) -> None:
    (guess,) = predict(any_classifier, [Row(0, AWKWARD[name])], explain=explain)
    assert guess.prediction in any_classifier.labels
    assert 0 < guess.confidence <= 1


@pytest.fixture(scope="module")
def every_sort(
    channels: Path, tmp_path_factory: pytest.TempPathFactory, tiny: Callable[..., Config]
) -> Classifier:
    """A model of n-grams of every sort."""
    folder = tmp_path_factory.mktemp("every_sort")
    sorts: dict[str, Any] = {"ngram_words": 3, "ngram_skip": 4, "ngram_chars": [1, 4], "ngram_end": 20}
    run(
        tiny(architecture="ngram", **sorts, ngram_epochs=2),
        Folders(channels / "train", channels / "validation", folder / "model", folder / "output"),
    )
    return load(folder / "model")


@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("name", AWKWARD)
def test_any_text_is_labelled_by_n_grams_of_every_sort(
    name: str, explain: bool, every_sort: Classifier
) -> None:
    (guess,) = predict(every_sort, [Row(0, AWKWARD[name])], explain=explain)
    assert guess.prediction in every_sort.labels


def test_awkward_texts_among_others_change_nothing_for_them(
    every_sort: Classifier, toy: Callable[..., list[Row]]
) -> None:
    rows = toy(60, seed=8)
    texts = [text for text in AWKWARD.values() if len(text) < 10_000]
    mixed = [
        row
        for pair in zip(rows, itertools.cycle(Row(0, text) for text in texts), strict=False)
        for row in pair
    ]
    assert list(predict(every_sort, mixed))[::2] == list(predict(every_sort, rows))


@settings(deadline=None, max_examples=15)
@given(texts=st.lists(st.text(st.characters()), min_size=1, max_size=5))
def test_random_texts_are_labelled(any_classifier: Classifier, texts: list[str]) -> None:
    rows = [Row(number, text) for number, text in enumerate(texts)]
    found = list(predict(any_classifier, rows, explain=True))
    assert [guess.row for guess in found] == list(range(len(texts)))


@pytest.mark.parametrize("text", ["", "...", "völlig anderes", "zzz yyy xxx brake"])
def test_a_text_of_unknown_words_is_unlike_the_training_texts(text: str, any_classifier: Classifier) -> None:
    (guess,) = predict(any_classifier, [Row(0, text)])
    assert guess.doubt == UNFAMILIAR


@pytest.mark.parametrize(("architecture", "chunks"), [("ngram", 6), ("cnn", 1), ("ngram+cnn", 1)])
def test_rows_are_taken_few_chunks_at_a_time(
    architecture: str, chunks: int, save_model: Callable[[str], Path], use_cores: UseCores
) -> None:
    use_cores(2)
    taken = 0

    def rows() -> Iterator[Row]:
        nonlocal taken
        for number in range(10 * CHUNK):
            taken += 1
            yield Row(number, "oil")

    stream = predict(load(save_model(architecture)), rows())
    next(stream)
    assert taken <= chunks * CHUNK


def test_long_texts_come_in_smaller_chunks() -> None:
    rows = [Row(number, "x" * (CHUNK_CHARACTERS // 3 + 1)) for number in range(7)]
    assert [len(chunk) for chunk in chunks(rows)] == [3, 3, 1]
    assert [len(chunk) for chunk in chunks(Row(n, "x") for n in range(CHUNK + 1))] == [CHUNK, 1]
    assert list(chunks([])) == []


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([0.0, 0.25, 0.5]), min_size=3, max_size=3), min_size=1))
def test_of_equal_chances_the_first_class_is_the_prediction_and_the_next_one_the_runner_up(
    rows: list[list[float]],
) -> None:
    chances = np.array(rows)
    best, second, confidences = _likeliest(chances)
    ranked = [sorted(range(3), key=lambda label, row=row: -row[label]) for row in rows]  # type: ignore[misc]
    assert [*zip(best.tolist(), second.tolist(), strict=True)] == [(one, two) for one, two, _ in ranked]
    assert confidences.tolist() == [max(row) for row in rows]


def test_a_model_that_learned_from_masked_texts_reads_masked_ones(classifier: Classifier) -> None:
    """Two addresses of which the model knows neither the words nor the letters are one to it."""
    masking = dataclasses.replace(classifier, config=classifier.config.model_copy(update={"mask": True}))
    texts = ["oil brake@disc.org", "oil [email]"]

    alike, other = (each.predict_proba(texts).probabilities for each in (masking, classifier))

    assert (alike[0] == alike[1]).all()
    assert (other[0] != other[1]).any()


def test_what_a_masking_model_explains_does_not_quote_what_it_masks(classifier: Classifier) -> None:
    masking = dataclasses.replace(classifier, config=classifier.config.model_copy(update={"mask": True}))
    assert not any("disc" in phrase for phrase in evidence(masking, "oil brake@disc.org"))
