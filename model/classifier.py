"""A trained classifier: the encoder, the network and what turns its logits into a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.calibration import probabilities
from model.config import Config
from model.data import Floats
from model.encoder import Encoder
from model.network import Network


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
    encoder: Encoder
    network: Network
    decision: Decision

    def logits(self, texts: Sequence[str]) -> Floats:
        """Logits of shape (texts, classes), in the order of the texts and of `encoder.labels`."""
        return self.network.logits([self.encoder.encode(text) for text in texts])

    def judge(self, texts: Sequence[str]) -> Judged:
        """Calibrated probabilities and shares of known words, in the order of the texts."""
        encoded = [self.encoder.encode(text) for text in texts]
        chances = probabilities(self.network.logits(encoded), self.decision.temperature)
        return Judged(chances, np.array([self.encoder.known_share(ids) for ids in encoded]))
