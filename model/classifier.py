"""A trained classifier: the parts that turn texts into logits, and what turns logits into a decision."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from contract.masking import mask
from model.calibration import probabilities
from model.config import Config
from model.hierarchy import Level, upper_levels
from model.mixture import mix_logits
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
    min_similarity: float = 0.0  # below which it is so, too
    watched: tuple[Watched, ...] = ()
    levels: tuple[float | None, ...] = ()  # the threshold of each upper level of a hierarchy


@dataclass(frozen=True)
class Probabilities:
    """Calibrated probabilities, shape (texts, classes); ratios and similarities, shape (texts,)."""

    probabilities: npt.NDArray[np.float64]
    in_vocabulary_ratios: npt.NDArray[np.float64]
    similarities: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Classifier:
    """Everything that a saved model holds for labelling texts."""

    config: Config
    labels: tuple[str, ...]  # the label at position i has the number i
    parts: tuple[Part, ...]  # in the order of `config.parts`, which names their kinds
    mixture: tuple[float, ...] = (1.0,)  # the weight of each part; they add up to 1
    decision: Decision = field(default_factory=Decision)

    @cached_property
    def hierarchy(self) -> tuple[Level, ...]:
        """The levels above the labels, the topmost first; none without a hierarchy."""
        return upper_levels(self.labels, self.config.hierarchy_separator)

    def reads(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the texts as the parts read them: masked, if they learned from masked ones."""
        return [mask(text) for text in texts] if self.config.mask else texts

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Return calibrated probabilities, in-vocabulary ratios and similarities, in the order of the texts.

        Of several parts, the first one's in-vocabulary ratio counts, and the least similarity.
        """
        read = self.reads(texts)
        scores = [part.score(read) for part in self.parts]
        logits = mix_logits([score.logits for score in scores], self.mixture)
        calibrated = probabilities(logits, self.decision.temperature)
        similarities = np.minimum.reduce([score.similarities for score in scores])
        return Probabilities(calibrated, scores[0].in_vocabulary_ratios, similarities)
