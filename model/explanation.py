"""Which n-grams decided: a part's logits are a sum, and each summand belongs to some words of the text."""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from model.classifier import Classifier

Logits: TypeAlias = npt.NDArray[np.float64]  # (classes,)

PHRASES = 5  # that are named for a row
PHRASE_SHOWN = 80  # characters of a phrase: a word may be as long as its text
LEAST_SHOWN = 0.05  # of the log-odds
SAMPLE_CHARACTERS = 150_000  # of the texts that tell what speaks for each label
MOST_FIGURES = 20_000_000  # phrases times labels that are added up: 160 MB
PHRASES_A_LABEL = 12


def evidence(classifier: Classifier, text: str) -> dict[str, Logits]:
    """Return what each n-gram of a text adds to the logits, by how a person would write it.

    Logits are those of the mixture, before the temperature.
    """
    added: dict[str, Logits] = {}
    (text,) = classifier.reads([text])
    for part, weight in zip(classifier.parts, classifier.mixture, strict=True):
        phrases, logits = part.evidence(text)
        for phrase, line in zip(phrases, weight * logits, strict=True):
            added[phrase] = added[phrase] + line if phrase in added else line
    return added


def explain_row(classifier: Classifier, text: str, label: int, rival: int) -> str:
    """Return which n-grams decided for `label`, or against it, when `rival` was the other choice.

    The figures are those of `odds`: `not worth (+2.1), boring (+1.3), loved (-0.9)`, the strongest first.
    """
    strongest = itertools.islice(odds(classifier, text, label, rival).items(), PHRASES)
    return ", ".join(
        f"{_short(phrase)} ({value:+.1f})" for phrase, value in strongest if abs(value) >= LEAST_SHOWN
    )


def odds(classifier: Classifier, text: str, label: int, rival: int) -> dict[str, float]:
    """Return what each n-gram adds to the logarithm of the odds of `label` against `rival`.

    The strongest come first.
    """
    added = {
        phrase: float(logits[label] - logits[rival]) / classifier.decision.temperature
        for phrase, logits in evidence(classifier, text).items()
    }
    return dict(sorted(added.items(), key=lambda entry: -abs(entry[1])))


@dataclass(frozen=True)
class Phrase:
    """An n-gram that speaks for a label: what it adds to the label's logit, above the mean of all labels."""

    phrase: str
    weight: float  # mean over the texts that it is in


def top_phrases(classifier: Classifier, texts: Iterable[str]) -> dict[str, list[Phrase]]:
    """Give, for each label, the n-grams that speak for it, over the first texts.

    Those are SAMPLE_CHARACTERS, or fewer for a model of many labels. The strongest come first: the mean of
    what one adds, times the root of the number of texts that it is in.
    """
    total: dict[str, Logits] = {}
    count: dict[str, int] = defaultdict(int)
    read = 0
    for text in texts:
        for phrase, logits in evidence(classifier, text).items():
            total[phrase] = total[phrase] + logits if phrase in total else logits
            count[phrase] += 1
        read += len(text)
        if read >= SAMPLE_CHARACTERS or len(total) * len(classifier.labels) > MOST_FIGURES:
            break
    phrases, sums = list(total), np.array([*total.values()]).reshape(-1, len(classifier.labels))
    sums -= sums.mean(axis=1, keepdims=True)
    strength = sums / np.sqrt(np.array([count[phrase] for phrase in phrases]))[:, None]
    return {
        label: [
            Phrase(phrases[i], round(sums[i, number] / count[phrases[i]], 4))
            for i in np.argsort(-strength[:, number], kind="stable")[:PHRASES_A_LABEL]
            if strength[i, number] > 0
        ]
        for number, label in enumerate(classifier.labels)
    }


def _short(phrase: str) -> str:
    return phrase if len(phrase) <= PHRASE_SHOWN else phrase[:PHRASE_SHOWN] + "…"
