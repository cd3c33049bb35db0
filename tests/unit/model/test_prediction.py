"""Predictions: in order, for any text, the same every time, in flat memory."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.classifier import Classifier, Decision
from model.data import Row
from model.prediction import CHUNK, LOW_CONFIDENCE, UNFAMILIAR, doubt, predict


def test_the_toy_task_is_labelled_right_and_surely(
    classifier: Classifier, toy: Callable[..., list[Row]]
) -> None:
    rows = toy(300, seed=7)
    found = list(predict(classifier, rows))
    assert sum(guess.label == row.label for guess, row in zip(found, rows, strict=True)) / 300 > 0.98
    assert all(0.33 <= guess.confidence <= 1 and guess.runner_up != guess.label for guess in found)


def test_predictions_come_in_the_order_of_the_rows_over_several_chunks(
    classifier: Classifier, toy: Callable[..., list[Row]]
) -> None:
    rows = [dataclasses.replace(row, number=7 * row.number) for row in toy(2 * CHUNK + 5, seed=3)]
    assert [guess.row for guess in predict(classifier, rows)] == [row.number for row in rows]


def test_the_same_rows_give_the_same_predictions(
    classifier: Classifier, toy: Callable[..., list[Row]]
) -> None:
    assert list(predict(classifier, toy(200))) == list(predict(classifier, toy(200)))


def test_no_rows_give_no_predictions(classifier: Classifier) -> None:
    assert list(predict(classifier, [])) == []


AWKWARD = [
    "",
    " ",
    "\x00\x01\x1b[31m",
    "👍🏽" * 100,
    "völlig anderes",
    "." * 10_000,
    "oil " * 2_500_000,
    "\ud7ff\uffff",
]


@pytest.mark.parametrize("text", AWKWARD, ids=range(len(AWKWARD)))
def test_any_text_is_labelled(text: str, classifier: Classifier) -> None:
    (guess,) = predict(classifier, [Row(0, text)])
    assert guess.label in classifier.encoder.labels


@settings(deadline=None, max_examples=25)
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_random_texts_are_labelled(classifier: Classifier, texts: list[str]) -> None:
    found = list(predict(classifier, [Row(number, text) for number, text in enumerate(texts)]))
    assert [guess.row for guess in found] == list(range(len(texts)))


@pytest.mark.parametrize("text", ["", "...", "völlig anderes", "zzz yyy xxx brake"])
def test_a_text_of_unknown_words_is_unlike_the_training_texts(text: str, classifier: Classifier) -> None:
    (guess,) = predict(classifier, [Row(0, text)])
    assert guess.doubt == UNFAMILIAR


def test_rows_are_taken_a_chunk_at_a_time(classifier: Classifier) -> None:
    taken = 0

    def rows() -> Iterator[Row]:
        nonlocal taken
        for number in range(5 * CHUNK):
            taken += 1
            yield Row(number, "oil")

    stream = predict(classifier, rows())
    next(stream)
    assert taken == CHUNK


@pytest.mark.parametrize(
    ("threshold", "confidence", "known", "expected"),
    [
        (0.9, 0.95, 1.0, ""),
        (0.9, 0.9, 1.0, ""),
        (0.9, 0.89, 1.0, LOW_CONFIDENCE),
        (None, 1.0, 1.0, LOW_CONFIDENCE),
        (0.9, 0.95, 0.4, UNFAMILIAR),
        (0.9, 0.95, 0.5, ""),
        (0.9, 0.1, 0.0, UNFAMILIAR),
    ],
)
def test_doubt(threshold: float | None, confidence: float, known: float, expected: str) -> None:
    assert doubt(Decision(threshold=threshold, least_known_share=0.5), confidence, known) == expected


def test_no_word_known_is_unlike_the_training_texts_whatever_the_rule() -> None:
    assert doubt(Decision(threshold=0.5, least_known_share=0.0), 1.0, 0.0) == UNFAMILIAR
