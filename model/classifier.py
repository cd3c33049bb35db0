"""A trained classifier: the parts that turn texts into logits, and what turns logits into a decision."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from model.calibration import blocks, probabilities
from model.config import Config
from model.data import Floats
from model.parts.part import Part


@dataclass(frozen=True)
class Watched:
    """Categories whose rows must not be accepted as another's, by the numbers of their labels."""

    labels: tuple[int, ...]
    chance: float  # a row labelled otherwise with more than this chance of one of them goes to a person


@dataclass(frozen=True)
class Decision:
    """What turns logits into a decision, learned from rows that the model has not seen."""

    temperature: float = 1.0
    threshold: float | None = (
        None  # least confidence of a row that needs no person; None: every row needs one
    )
    min_in_vocabulary_ratio: float = 0.0  # below which a text is unlike the training texts
    min_similarity: float = 0.0  # of confidence times similarity, below which it is so, too
    watched: tuple[Watched, ...] = ()


@dataclass(frozen=True)
class Probabilities:
    """Calibrated probabilities, shape (texts, classes), and in-vocabulary ratios, shape (texts,)."""

    probabilities: npt.NDArray[np.float64]
    in_vocabulary_ratios: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Classifier:
    """Everything that a saved model holds for labelling texts."""

    config: Config
    labels: tuple[str, ...]  # the label at position i has the number i
    parts: tuple[Part, ...]  # in the order of `config.parts`, which names their kinds
    mixture: tuple[float, ...] = (1.0,)  # the weight of each part; they add up to 1
    decision: Decision = field(default_factory=Decision)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Return calibrated probabilities and in-vocabulary ratios, in the order of the texts."""
        scores = [part.score(texts) for part in self.parts]
        logits = mix_logits([score.logits for score in scores], self.mixture)
        calibrated = probabilities(logits, self.decision.temperature)
        return Probabilities(calibrated, scores[0].in_vocabulary_ratios)


def mix_logits(logits: Sequence[Floats], mixture: Sequence[float]) -> Floats:
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
