"""Explanations: what each n-gram adds is the whole of the logits, and the telling words come first."""

import dataclasses
import re
from collections.abc import Callable

import numpy as np
import pytest

from model.classifier import Classifier, mix_logits
from model.data import Row
from model.explanation import PHRASES, PHRASES_A_LABEL, evidence, explain_row, top_phrases
from model.parts.ngram import NgramPart
from model.parts.part import Evidence, Part

from .conftest import TOPICS

TEXTS = ["oil smoke", "the brake is a problem", "belt cushion . unheard words", "disc", "the oil " * 40]
PHRASE = re.compile(r"(.+?) \(([+-]\d+\.\d)\)(?:, |$)")


def bias(part: Part) -> np.ndarray:
    """Return what a part's logits are where no n-gram adds anything."""
    arrays = part.arrays()
    return arrays["dense0_bias"] if "dense0_bias" in arrays else arrays["bias"]


def logits_of(classifier: Classifier, text: str) -> list[np.ndarray]:
    return [part.score([text]).logits[0] for part in classifier.parts]


def entries(told: str) -> list[tuple[str, float]]:
    """The phrases of a `because` and their figures."""
    return [(phrase, float(figure)) for phrase, figure in PHRASE.findall(told)]


@pytest.mark.parametrize("text", TEXTS)
def test_the_evidence_and_the_bias_add_up_to_the_logits(text: str, any_classifier: Classifier) -> None:
    for part, logits in zip(any_classifier.parts, logits_of(any_classifier, text), strict=True):
        alone = dataclasses.replace(any_classifier, parts=(part,), mixture=(1.0,))
        together = sum(evidence(alone, text).values()) + bias(part)
        np.testing.assert_allclose(together, logits, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("text", TEXTS)
def test_of_a_mixture_the_evidence_adds_up_to_the_differences_of_the_mixed_logits(
    text: str, any_classifier: Classifier
) -> None:
    shares = [(1.0,), (0.3, 0.7)][len(any_classifier.parts) - 1]
    classifier = dataclasses.replace(any_classifier, mixture=shares)
    expected = mix_logits([line[None] for line in logits_of(classifier, text)], shares)[0]
    biases = sum(weight * bias(part) for part, weight in zip(classifier.parts, shares, strict=True))
    together = sum(evidence(classifier, text).values()) + biases
    np.testing.assert_allclose(together - together[0], expected - expected[0], rtol=1e-3, atol=1e-3)


def test_the_evidence_of_an_n_gram_is_its_line_of_the_table(classifier: Classifier) -> None:
    (part,) = classifier.parts
    assert isinstance(part, NgramPart)
    found = evidence(classifier, "oil unheard")
    (number,) = part.encoder.encode(["oil unheard"]).texts.numbers.tolist()
    assert list(found) == ["oil"]
    np.testing.assert_allclose(found["oil"], part.sums.weights[number] / np.sqrt(2), rtol=1e-6)


@pytest.mark.parametrize("text", ["", " \x00 ", "👍", "zzz"])
def test_a_text_of_nothing_known_has_no_evidence_of_n_grams_and_no_reasons(
    text: str, classifier: Classifier
) -> None:
    assert evidence(classifier, text) == {}
    assert explain_row(classifier, text, 0, 1) == ""


@pytest.mark.parametrize("label", TOPICS)
def test_the_deciding_words_come_first_with_a_plus_sign(label: str, any_classifier: Classifier) -> None:
    first = any_classifier.labels.index(label)
    rival = (first + 1) % len(any_classifier.labels)
    told = explain_row(any_classifier, f"the car is a {TOPICS[label][0]} with it", first, rival)
    for_it = [phrase for phrase, weight in entries(told) if weight > 0]
    if any_classifier.config.architecture == "lstm":  # which remembers, so that it may peak at a later word
        assert for_it
    else:
        assert TOPICS[label][0] in for_it[0]
        assert told.startswith(for_it[0])


def test_what_speaks_for_the_rival_has_a_minus_sign(any_classifier: Classifier) -> None:
    brakes, engine = (any_classifier.labels.index(label) for label in ("brakes", "engine"))
    told = dict(entries(explain_row(any_classifier, "brake", engine, brakes)))
    assert min(told.values()) < 0
    swapped = dict(entries(explain_row(any_classifier, "brake", brakes, engine)))
    assert {phrase: -weight for phrase, weight in swapped.items()} == told


def test_few_phrases_are_named_the_strongest_first_and_none_that_hardly_counts(
    any_classifier: Classifier,
) -> None:
    text = "the brake disc squeal is a problem with it . oil piston smoke belt cushion"
    weights = [abs(weight) for _, weight in entries(explain_row(any_classifier, text, 0, 1))]
    assert 1 <= len(weights) <= PHRASES
    assert weights == sorted(weights, reverse=True)
    assert min(weights) >= 0.1  # of 0.05 rounded


def test_a_sharper_temperature_makes_the_figures_larger(classifier: Classifier) -> None:
    def weight(temperature: float) -> float:
        decision = dataclasses.replace(classifier.decision, temperature=temperature)
        told = explain_row(dataclasses.replace(classifier, decision=decision), "brake", 0, 1)
        return entries(told)[0][1]

    assert weight(0.5) == pytest.approx(4 * weight(2.0), abs=0.25)


def test_each_label_has_its_own_words(any_classifier: Classifier, toy: Callable[..., list[Row]]) -> None:
    found = top_phrases(any_classifier, [row.text for row in toy(60)])
    assert list(found) == list(any_classifier.labels)
    for label, phrases in found.items():
        others = {word for other, words in TOPICS.items() if other != label for word in words}
        assert set(phrases[0].phrase.split()) & set(TOPICS[label])
        assert not set(phrases[0].phrase.split()) & others
        assert 1 <= len(phrases) <= PHRASES_A_LABEL


def test_only_the_first_texts_are_looked_at(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.explanation.SAMPLE_CHARACTERS", 15)
    stream = iter(["oil smoke", "brake disc", "belt"])
    top_phrases(classifier, stream)
    assert list(stream) == ["belt"]


def test_of_a_model_of_very_many_labels_fewer_texts_are_looked_at(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.explanation.MOST_FIGURES", 1)
    texts = iter(["brake", "oil"])
    top_phrases(classifier, texts)
    assert list(texts) == ["oil"]


def test_a_word_as_long_as_its_text_is_cut(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    line = np.array([1.0, 0.0, 0.0])
    monkeypatch.setattr("model.explanation.evidence", lambda *_: {"x" * 1_000_000: line})
    assert explain_row(classifier, "", 0, 1).startswith("x" * 80 + "\N{HORIZONTAL ELLIPSIS} (+")


def test_no_texts_say_nothing(classifier: Classifier) -> None:
    assert top_phrases(classifier, []) == {label: [] for label in classifier.labels}


class Silent(NgramPart):
    """A part that cannot tell its reasons."""

    def evidence(self, text: str) -> Evidence:
        return [], np.empty((0, 3))


def test_a_part_that_cannot_tell_its_reasons_leaves_the_word_to_the_other(classifier: Classifier) -> None:
    (part,) = classifier.parts
    assert isinstance(part, NgramPart)
    silent = Silent(part.encoder, part.sums)
    both = dataclasses.replace(classifier, parts=(silent, part), mixture=(0.5, 0.5))
    halves, whole = evidence(both, "oil brake"), evidence(classifier, "oil brake")
    assert {phrase: (2 * logits).tolist() for phrase, logits in halves.items()} == {
        phrase: logits.tolist() for phrase, logits in whole.items()
    }
    assert explain_row(dataclasses.replace(classifier, parts=(silent,)), "oil", 0, 1) == ""
