"""The live model on this machine, for texts that people try."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workflow import classification, local_model, models
from workflow.account import Account
from workflow.classification import Text
from workflow.models import Model
from workflow.stack import Stack

if TYPE_CHECKING:  # NumPy and Numba, which the other pages do not wait for
    from contract.part import Prediction
    from model.classifier import Classifier


@dataclass
class LiveModel:
    """The live model on this machine, read when it is first asked and when another one is live."""

    account: Account
    stack: Stack
    # One thread, always the same: a model keeps what it works in from one text to the next.
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _read: tuple[str, "Classifier"] | None = None

    def label(self, text: str) -> tuple["Prediction", Model]:
        """Return the prediction of a text with the words that decided, and the version that made it."""
        live = models.read_live(self.account, self.stack)
        return self._thread.submit(self._label, live, text).result(), live

    def _label(self, live: Model, text: str) -> "Prediction":
        if self._read is None or self._read[0] != live.arn:
            self._read = live.arn, local_model.load(self.account, self.stack, live).classifier
        texts = iter([Text(0, text)])
        ((_, prediction),) = classification.labelled(self._read[1], texts, explain=True, one_by_one=True)
        return prediction
