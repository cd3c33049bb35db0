"""The training loop: epochs, validations, early stopping, checkpoints, and the lines of the log.

The same seed on a CPU gives the same weights, also when the run was resumed. `model.step` trains on a batch,
`model.validation` measures, `model.checkpoint` keeps what a run needs to go on.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from contract.evaluation import HistoryEntry
from contract.text import duration
from model import checkpoint
from model.checkpoint import Checkpoint
from model.config import Config
from model.data import Numbers, Split, batches
from model.errors import TrainingError, TrainingStopped
from model.hosts import ALONE, Hosts
from model.network import Network
from model.parallel import Workers, connect
from model.progress import Progress, Stopwatch
from model.step import Step
from model.validation import Validation


def print_at_once(line: str) -> None:
    """Print a line of progress, also when the output goes to a file."""
    print(line, flush=True)


@dataclass(frozen=True)
class Session:
    """What a training is given by those who run it."""

    checkpoints: Path | None = None
    """The folder of its checkpoints; None: it leaves none."""
    should_stop: Callable[[], bool] = lambda: False
    """Asked at every batch."""
    say: Callable[[str], None] = print_at_once
    """Called with each line of the log."""
    hosts: Hosts = ALONE
    """That train together, all with the same configuration and rows."""


@dataclass(frozen=True)
class Result:
    """How a training went; the network has its best weights again."""

    epochs: int
    best_epoch: int
    best_accuracy: float
    seconds: float
    history: list[HistoryEntry]


def train(network: Network, config: Config, split: Split, session: Session | None = None) -> Result:
    """Train the network and leave the weights of the best validation in it.

    With checkpoints, every epoch leaves one, and a newer call with the same configuration and data goes on
    from it.

    Raises TrainingError when the loss is no longer a number or another host does not answer, TrainingStopped
    when it was asked to stop.
    """
    session = session or Session()
    workers = connect(session.hosts, network.devices)
    try:
        return _Loop(network, config, split, session, workers).run()
    finally:
        workers.close()


def perplexity(loss: float) -> float:
    """Return e to the power of a mean cross-entropy: among how many labels the model hesitates."""
    return math.exp(min(loss, 700))  # above that a float ends


class _Loop:
    def __init__(
        self, network: Network, config: Config, split: Split, session: Session, workers: Workers
    ) -> None:
        self.network, self.config, self.split, self.session = network, config, split, session
        self.workers, self.say = workers, session.say
        self.batches_per_epoch = math.ceil(len(split.training.texts) / config.batch_size)
        self.validation = Validation(network, split.validation, workers)
        self.stop_agreed = False  # by all hosts

    def run(self) -> Result:
        self._start()
        while self.progress.epoch < self.config.num_epoch and not self._out_of_patience():
            self._epoch()
            self._validate()
            self.progress.finish_epoch()
            self._save()
        self.network.set_weights(self.best)
        progress = self.progress
        self.say(f"Best Validation Accuracy: {progress.best_accuracy:.4f} (epoch {progress.best_epoch})")
        return Result(
            progress.epoch,
            progress.best_epoch,
            progress.best_accuracy,
            round(progress.seconds, 1),
            progress.history,
        )

    def _start(self) -> None:
        """Begin, or go on from the newest checkpoint."""
        start = self._newest_checkpoint()
        self.progress, self.best = start.progress, start.best
        if start.weights:
            self.network.set_weights(start.weights)
            self.say(f"Resuming from a checkpoint, in {self._where()}.")
        self.step = Step(self.network, self.config, self.split.training, self.workers, start)
        self._check_agreement()
        self.stopwatch = Stopwatch(self.progress)

    def _epoch(self) -> None:
        """Train on the batches of an epoch that are left, in an order that only the seed and it decide."""
        progress, config = self.progress, self.config
        self.step.optimizer.set_learning_rate(config.rate(progress.epoch))
        order = np.random.default_rng([config.seed, progress.epoch])
        for rows in batches(self.split.training.texts, config.batch_size, order)[progress.batch :]:
            if self._should_stop():
                self._stop()
            self._train(rows)
            if progress.batch % config.train_log_interval == 0:
                self._log_training()
            if progress.batch % config.val_log_interval == 0 and progress.batch < self.batches_per_epoch:
                self._validate()

    def _train(self, rows: Numbers) -> None:
        loss = self.step.train(rows, self.progress.step)
        if self.workers.hosts.several:
            loss, asked = self.workers.sums(loss, self.session.should_stop()).tolist()
            self.stop_agreed = asked > 0
        self.progress.finish_batch(len(rows), self._checked(loss))

    def _validate(self) -> None:
        progress = self.progress
        loss, accuracy = self.validation.measure()
        progress.history.append(
            {
                "epoch": progress.epoch + 1,
                "batch": progress.batch,
                "learning_rate": self.config.rate(progress.epoch),
                "train_loss": round(progress.mean_loss(), 6),
                "validation_loss": round(self._checked(loss), 6),
                "validation_perplexity": round(perplexity(loss), 6),
                "validation_accuracy": round(accuracy, 6),
            }
        )
        self.say(
            f"{self._where()} validation loss={loss:.4f} perplexity={perplexity(loss):.3f} "
            f"accuracy={accuracy:.4f}"
        )
        if progress.improves(accuracy, loss):
            self.best = self.network.weights()

    def _log_training(self) -> None:
        progress = self.progress
        loss = progress.mean_loss()
        left = self.stopwatch.seconds_left(progress, self.config.num_epoch * self.batches_per_epoch)
        self.say(
            f"{self._where()} training loss={loss:.4f} perplexity={perplexity(loss):.3f} "
            f"rate={self.config.rate(progress.epoch):g}, at most {duration(left)} left"
        )

    def _where(self) -> str:
        epoch, batch = self.progress.epoch + 1, self.progress.batch
        return f"epoch {epoch}/{self.config.num_epoch} batch {batch}/{self.batches_per_epoch}"

    def _checked(self, loss: float) -> float:
        if math.isfinite(loss):
            return loss
        raise TrainingError(
            f"The loss stopped being a number in {self._where()}: "
            f"lower learning_rate, which is {self.config.learning_rate:g}, or set clip_gradient."
        )

    def _out_of_patience(self) -> bool:
        waited = self.progress.epochs_without_improvement()
        if waited >= self.config.patience:
            self.say(f"No better validation in {waited} epochs: training ends here.")
            return True
        return False

    def _should_stop(self) -> bool:
        """Return whether to stop: at once, or, with other hosts, when all know of it after the same step."""
        return self.stop_agreed if self.workers.hosts.several else self.session.should_stop()

    def _stop(self) -> None:
        self._save()
        kept = (
            "a restart goes on from its checkpoint"
            if self.session.checkpoints
            else "it had no checkpoint folder"
        )
        raise TrainingStopped(f"The training was asked to stop in {self._where()}; {kept}.")

    @cached_property
    def fingerprint(self) -> str:
        """What a checkpoint must be of, and all hosts must have."""
        return checkpoint.fingerprint(self.config, self.split)

    def _newest_checkpoint(self) -> Checkpoint:
        folder = self.session.checkpoints
        newest = checkpoint.newest(folder, self.fingerprint) if folder else None
        if folder and newest is None and checkpoint.exists(folder):
            self.say("No whole checkpoint is of this configuration, data and version: training starts over.")
        return newest or Checkpoint(Progress(), weights=[], best=[], optimizer=[])

    def _save(self) -> None:
        self.progress.seconds = self.stopwatch.seconds()
        self.progress.loss_scale = self.step.loss_scale
        if self.session.checkpoints is None or not self.workers.hosts.first:
            return
        checkpoint.save(
            self.session.checkpoints,
            self.fingerprint,
            Checkpoint(self.progress, self.network.weights(), self.best, self.step.optimizer.states()),
        )

    def _check_agreement(self) -> None:
        """Refuse to train with hosts that would not take the same steps."""
        hosts = self.workers.hosts
        if not hosts.several:
            return
        for name, value, remedy in (
            ("configurations or data", int(self.fingerprint[:12], 16), "give every host the same channels"),
            ("numbers of devices", len(self.network.devices), "give all hosts the same instance type"),
            ("checkpoints", self.progress.step, "give every host those of the first, or none"),
        ):
            values = self.workers.gather(value)
            if len(set(values)) > 1:
                differing = ", ".join(f"{host}: {n:.0f}" for host, n in zip(hosts.names, values, strict=True))
                raise TrainingError(f"The hosts have different {name} ({differing}); {remedy}.")
