"""A trained classifier: what reads the texts, what turns them into logits, and logits into a decision."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model.calibration import blocks, probabilities
from model.config import Config
from model.data import Arrays, Floats
from model.encoder import Encoded, Ids


class Encoder(Protocol):
    """Turns texts into numbers."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Return the numbers of each text, and the share of its words that are known."""


class Scorer(Protocol):
    """Turns encoded texts into logits."""

    def logits(self, texts: Sequence[Ids]) -> Floats:
        """Logits of shape (texts, classes), in the order of the texts."""

    def arrays(self) -> Arrays:
        """Return all weights by name."""


@dataclass(frozen=True)
class Part:
    """One way to read a text. An architecture of two parts mixes what both say."""

    name: str  # ngram, cnn or lstm
    encoder: Encoder
    scorer: Scorer


@dataclass(frozen=True)
class Decision:
    """What turns logits into a decision, learned from the validation rows."""

    temperature: float = 1.0
    threshold: float | None = (
        None  # least confidence of a row that needs no person; None: every row needs one
    )
    least_known_share: float = 0.0  # share of known words below which a text is unlike the training texts


@dataclass(frozen=True)
class Judged:
    """Texts judged: probabilities of shape (texts, classes), and the share of known words, shape (texts,)."""

    probabilities: npt.NDArray[np.float64]
    known_shares: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Classifier:
    """Everything that a saved model holds for labelling texts."""

    config: Config
    labels: tuple[str, ...]  # the label at position i has the number i
    parts: tuple[Part, ...]
    mixture: tuple[float, ...] = (1.0,)  # the weight of each part; they add up to 1
    decision: Decision = field(default_factory=Decision)

    def judge(self, texts: Sequence[str]) -> Judged:
        """Calibrated probabilities and shares of known words, in the order of the texts."""
        encoded = [part.encoder.encode(texts) for part in self.parts]
        logits = [part.scorer.logits(found.texts) for part, found in zip(self.parts, encoded, strict=True)]
        chances = probabilities(mixed(logits, self.mixture), self.decision.temperature)
        return Judged(chances, encoded[0].known_shares)


def mixed(logits: Sequence[Floats], mixture: Sequence[float]) -> Floats:
    """Mix the parts' logits, each of shape (texts, classes): the weighted mean of their log-probabilities.

    A single part's logits stay as they are.
    """
    if len(logits) == 1:
        return logits[0]
    total = np.empty_like(logits[0])
    for rows in blocks(logits[0]):
        log_chances = [
            np.log(np.maximum(probabilities(part[rows], 1.0), LEAST_CHANCE)) * weight
            for part, weight in zip(logits, mixture, strict=True)
        ]
        total[rows] = np.sum(log_chances, axis=0)
    return total


LEAST_CHANCE = 1e-30  # its logarithm is finite
