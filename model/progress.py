"""How far a training has come, and how long it takes. Knows no framework."""

import dataclasses
import math
import time

from contract.evaluation import HistoryEntry

FIRST_LOSS_SCALE = 2.0**16  # of MXNet's AMP


@dataclasses.dataclass
class Progress:
    """Where a training stands; a checkpoint holds it whole."""

    epoch: int = 0
    """Of the next batch, from 0."""
    batch: int = 0
    """The next batch within its epoch, from 0."""
    step: int = 0
    """Batches trained on so far."""
    epoch_loss: float = 0.0
    """Sum of the loss over the rows of this epoch so far."""
    epoch_rows: int = 0
    """Rows of this epoch so far."""
    best_accuracy: float = -1.0
    best_loss: float = math.inf
    best_epoch: int = 0
    """From 1; 0 before the first validation."""
    improved_epoch: int = 0
    """The last with a better accuracy; the best weights may be newer, of a lower loss."""
    seconds: float = 0.0
    """Duration of the training so far, restarts included."""
    loss_scale: float = FIRST_LOSS_SCALE
    """Of mixed precision."""
    history: list[HistoryEntry] = dataclasses.field(default_factory=list)
    """Of the validations, in order."""

    def finish_batch(self, rows: int, loss: float) -> None:
        """Go to the next batch of the epoch; `loss` is the sum over the `rows` of the one that is done."""
        self.epoch_loss += loss
        self.epoch_rows += rows
        self.batch += 1
        self.step += 1

    def finish_epoch(self) -> None:
        """Go to the first batch of the next epoch."""
        self.epoch, self.batch, self.epoch_loss, self.epoch_rows = self.epoch + 1, 0, 0.0, 0

    def mean_loss(self) -> float:
        """Return the mean loss over the training rows of this epoch so far."""
        return self.epoch_loss / self.epoch_rows

    def improves(self, accuracy: float, loss: float) -> bool:
        """Record a validation, and return whether its weights are the best so far.

        The higher accuracy is better; of equal ones, the lower loss.
        """
        if accuracy > self.best_accuracy:
            self.improved_epoch = self.epoch + 1
        elif (accuracy, -loss) <= (self.best_accuracy, -self.best_loss):
            return False
        self.best_accuracy, self.best_loss, self.best_epoch = accuracy, loss, self.epoch + 1
        return True

    def epochs_without_improvement(self) -> int:
        """Return how many epochs ago the validation last improved."""
        return self.epoch - self.improved_epoch


class Stopwatch:
    """Measures a training that may have been resumed."""

    def __init__(self, progress: Progress) -> None:
        self._started = time.monotonic()
        self._seconds_before, self._steps_before = progress.seconds, progress.step

    def seconds(self) -> float:
        """Return the duration of the whole training, the time before it was resumed included."""
        return self._seconds_before + time.monotonic() - self._started

    def seconds_left(self, progress: Progress, steps: int) -> float:
        """Return how long a training of that many steps goes on, at the mean pace since it was started."""
        pace = (time.monotonic() - self._started) / (progress.step - self._steps_before)
        return (steps - progress.step) * pace
