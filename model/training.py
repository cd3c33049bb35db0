"""The training loop. The same seed on a CPU gives the same weights, also when the run was resumed.

Several devices or hosts (`model.parallel`) walk the same batches, and each takes its share of every batch's
rows, so they train what one would, but for the rounding of sums. With one of each nothing is shared.
"""

import dataclasses
import hashlib
import math
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from contract.text import duration
from model import checkpoint
from model.calibration import cross_entropy
from model.config import Config
from model.data import Examples, Floats, Numbers, Split, batches, pad
from model.errors import TrainingError, TrainingStopped
from model.hosts import ALONE, Hosts
from model.network import Network, Weights, amp, mx
from model.parallel import AllReduce

LossScaler = amp.loss_scaler.LossScaler

Array: TypeAlias = Any  # mxnet.nd.NDArray
History: TypeAlias = list[dict[str, float]]

SEEDS_APART = 500_000_003  # the seeds of two hosts: they must not drop the same features

SPECIFIC: dict[str, dict[str, Any]] = {
    "adam": {"lazy_update": True},
    "sgd": {"momentum": 0.9},
    "nag": {"momentum": 0.9},
}


def print_at_once(line: str) -> None:
    """Print a line of progress, also when the output goes to a file."""
    print(line, flush=True)


@dataclasses.dataclass(frozen=True)
class Session:
    """What a training is given by those who run it."""

    checkpoints: Path | None = None  # the folder that they are kept in
    should_stop: Callable[[], bool] = lambda: False  # asked after each batch
    say: Callable[[str], None] = print_at_once  # gets the lines of progress
    by_loss: bool = False  # the best weights are those of the lowest loss, not of the highest accuracy
    hosts: Hosts = ALONE  # that train together, all with the same configuration and data


@dataclasses.dataclass
class Progress:
    """Where a training stands; a checkpoint holds it whole."""

    epoch: int = 0  # of the next batch, from 0
    batch: int = 0  # of the next batch within its epoch, from 0
    step: int = 0  # batches done
    epoch_loss: float = 0.0  # sum over the rows of this epoch
    epoch_rows: int = 0
    best_accuracy: float = -1.0
    best_loss: float = math.inf
    best_epoch: int = 0  # from 1
    improved_epoch: int = 0  # of the last better accuracy; the best weights may be newer, with a lower loss
    seconds: float = 0.0
    loss_scale: float = LossScaler().loss_scale  # of mixed precision
    history: History = dataclasses.field(default_factory=list)

    def finish_epoch(self) -> None:
        """Go to the first batch of the next epoch."""
        self.epoch, self.batch, self.epoch_loss, self.epoch_rows = self.epoch + 1, 0, 0.0, 0

    def improves(self, accuracy: float, loss: float, by_loss: bool) -> bool:
        """Take note of a validation, and tell whether its weights are the best so far.

        The higher accuracy is better; of equal ones, the lower loss. With `by_loss` only the loss counts.
        """
        if loss < self.best_loss if by_loss else accuracy > self.best_accuracy:
            self.improved_epoch = self.epoch + 1
        elif by_loss or (accuracy, -loss) <= (self.best_accuracy, -self.best_loss):
            return False
        self.best_accuracy, self.best_loss, self.best_epoch = accuracy, loss, self.epoch + 1
        return True


@dataclasses.dataclass(frozen=True)
class Result:
    """What a training gave; the network has its best weights again."""

    epochs: int
    best_epoch: int
    best_accuracy: float
    seconds: float
    history: History


def train(
    network: Network,
    config: Config,
    split: Split,
    session: "Session | None" = None,
) -> Result:
    """Train the network and leave the weights of the best validation accuracy in it.

    With checkpoints, every epoch leaves one, and a newer call with the same configuration and data goes on
    from it.

    Raises TrainingError when the loss is no longer a number or another host does not answer, TrainingStopped
    when it was asked to stop.
    """
    loop = _Loop(network, config, split, session or Session())
    try:
        return loop.run()
    finally:
        loop.close()


def perplexity(loss: float) -> float:
    """Return e to the power of a mean cross-entropy: among how many labels the model hesitates."""
    return math.exp(min(loss, 700))  # above that a float ends


def seed_everything(seed: int) -> None:
    """Seed MXNet; what else is random here comes from generators of its own."""
    mx.random.seed(seed % 2**31)


class _Loop:
    def __init__(
        self,
        network: Network,
        config: Config,
        split: Split,
        session: Session,
    ) -> None:
        self.network, self.config, self.session, self.say = network, config, session, session.say
        self.training, self.validation = split.training, split.validation
        self.loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()
        self.row_weights = _row_weights(config, split.training.labels, network.classes)
        self.progress = Progress()
        self.best: Weights = []
        self.batches_per_epoch = math.ceil(len(split.training.texts) / config.batch_size)
        self.hosts, self.stop_was_asked = session.hosts, False
        parallel = self.hosts.several or len(network.devices) > 1
        self.all_reduce = AllReduce(self.hosts, network.devices) if parallel else None
        self.scaler = LossScaler() if network.mixed_precision else None
        self._make_updaters()

    def close(self) -> None:
        if self.all_reduce:
            self.all_reduce.close()

    def run(self) -> Result:
        self._resume()
        self._check_agreement()
        self.started, self.done_before = time.monotonic() - self.progress.seconds, self.progress.step
        self.loop_started = time.monotonic()
        while self.progress.epoch < self.config.num_epoch and not self._out_of_patience():
            self._epoch()
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

    def _epoch(self) -> None:
        progress, config = self.progress, self.config
        order = np.random.default_rng([config.seed, progress.epoch])
        for updater in self.updaters:
            updater.optimizer.set_learning_rate(config.rate(progress.epoch))
        for group in batches(self.training.texts, config.batch_size, order)[progress.batch :]:
            if self._should_stop():
                self._stop()
            self._step(group)
            if progress.batch % config.train_log_interval == 0:
                self._tell_training()
            if progress.batch % config.val_log_interval == 0 and progress.batch < self.batches_per_epoch:
                self._validate()
        self._validate()
        progress.finish_epoch()
        self._save()

    def _should_stop(self) -> bool:
        """Return whether to stop: at once, or, with other hosts, when all know of it after the same step."""
        return self.stop_was_asked if self.hosts.several else self.session.should_stop()

    def _step(self, group: Numbers) -> None:
        progress = self.progress
        if self.network.scale is None:  # n-grams drop nothing
            # Seeded in every step, so that a resumed run drops the same features.
            seed_everything(self.config.seed * 1_000_003 + progress.step + self.hosts.rank * SEEDS_APART)
        texts = pad([self.training.texts[i] for i in group], len(group))
        losses = self._backward(group, texts)
        if self.all_reduce:
            self._add_gradients(self.all_reduce, texts)
        self._update(len(group))
        loss = sum(float(each.sum().asscalar()) for each in losses)
        if self.all_reduce and self.hosts.several:
            loss, asked = self.all_reduce.numbers(loss, self.session.should_stop())
            self.stop_was_asked = asked > 0
        progress.epoch_loss += self._number(float(loss))
        progress.epoch_rows += len(group)
        progress.batch += 1
        progress.step += 1
        progress.seconds = time.monotonic() - self.started

    def _backward(self, group: Numbers, texts: Floats) -> list[Array]:
        """Compute the gradients of this host's share of a batch; gives the losses on each of its devices."""
        inputs = [self._share(group, texts, number) for number in range(len(self.network.devices))]
        with mx.autograd.record():
            losses = [self.loss(self.network.block(ids), labels, weights) for ids, labels, weights in inputs]
            heads = [each * self.scaler.loss_scale for each in losses] if self.scaler else losses
        mx.autograd.backward(heads)
        return losses

    def _share(self, group: Numbers, texts: Floats, number: int) -> tuple[Array, Array, Array]:
        """Return the texts, labels and weights of the rows that a device of this host works on."""
        places = np.arange(len(group))
        share = self.all_reduce.share(places, number) if self.all_reduce else places
        weights = self.row_weights[group[share]]
        if not len(share):  # a worker without rows adds zeros
            share, weights = places[:1], np.zeros_like(self.row_weights[:1])
        arrays = (texts[share], self.training.labels[group[share]], weights)
        ids, labels, weights = (mx.nd.array(each, ctx=self.network.devices[number]) for each in arrays)
        return ids, labels, weights

    def _add_gradients(self, all_reduce: AllReduce, texts: Floats) -> None:
        words = np.unique(texts).astype(np.int64)
        for index, parameter in enumerate(self.network.parameters):
            gradients = [parameter.grad(device) for device in self.network.devices]
            if gradients[0].stype == "row_sparse":
                all_reduce.add_rows(str(index), gradients, words)
            else:
                all_reduce.add(str(index), gradients)
        all_reduce.wait()

    def _update(self, rows: int) -> None:
        if self.scaler:
            rescaled = rows * self.scaler.loss_scale
            overflow = self.scaler.has_overflow(self.network.parameters)
            self.progress.loss_scale = self.scaler.loss_scale
            if overflow:  # AMP skips the step, and scales the loss by less from now on
                return
        else:
            rescaled = rows
        for device, updater in zip(self.network.devices, self.updaters, strict=True):
            updater.optimizer.rescale_grad = 1 / rescaled
            for index, parameter in enumerate(self.network.parameters):
                updater(index, parameter.grad(device), parameter.data(device))

    def _number(self, loss: float) -> float:
        if math.isfinite(loss):
            return loss
        raise TrainingError(
            f"The loss stopped being a number in {self._where()}: "
            f"lower learning_rate, which is {self.config.learning_rate:g}, or set clip_gradient."
        )

    def _validate(self) -> None:
        progress = self.progress
        loss, accuracy = self._measured()
        loss = self._number(loss)
        progress.seconds = time.monotonic() - self.started
        progress.history.append(
            {
                "epoch": progress.epoch + 1,
                "batch": progress.batch,
                "learning_rate": self.config.rate(progress.epoch),
                "train_loss": round(progress.epoch_loss / progress.epoch_rows, 6),
                "validation_loss": round(loss, 6),
                "validation_perplexity": round(perplexity(loss), 6),
                "validation_accuracy": round(accuracy, 6),
            }
        )
        self.say(
            f"{self._where()} validation loss={loss:.4f} perplexity={perplexity(loss):.3f} "
            f"accuracy={accuracy:.4f}"
        )
        if progress.improves(accuracy, loss, self.session.by_loss):
            self.best = self.network.weights()

    def _measured(self) -> tuple[float, float]:
        """Return mean cross-entropy and accuracy of the validation rows; each host measures its share."""
        if self.all_reduce is None or not self.hosts.several:
            return _measure(self.network, self.validation)
        mine = slice(self.hosts.rank, None, len(self.hosts.names))
        share = Examples(self.validation.texts[mine], self.validation.labels[mine])
        rows = len(share.texts)
        loss, accuracy = _measure(self.network, share) if rows else (0.0, 0.0)
        losses, right = self.all_reduce.numbers(loss * rows, round(accuracy * rows))
        return float(losses) / len(self.validation.texts), float(right) / len(self.validation.texts)

    def _where(self) -> str:
        epoch, batch = self.progress.epoch + 1, self.progress.batch
        return f"epoch {epoch}/{self.config.num_epoch} batch {batch}/{self.batches_per_epoch}"

    def _tell_training(self) -> None:
        progress = self.progress
        loss = progress.epoch_loss / progress.epoch_rows
        left = self.config.num_epoch * self.batches_per_epoch - progress.step
        pace = (time.monotonic() - self.loop_started) / (progress.step - self.done_before)
        self.say(
            f"{self._where()} training loss={loss:.4f} perplexity={perplexity(loss):.3f} "
            f"rate={self.config.rate(progress.epoch):g}, at most {duration(left * pace)} left"
        )

    def _out_of_patience(self) -> bool:
        waited = self.progress.epoch - self.progress.improved_epoch
        if waited >= self.config.patience:
            self.say(f"No better validation in {waited} epochs: training ends here.")
            return True
        return False

    def _stop(self) -> None:
        self._save()
        kept = (
            "a restart goes on from its checkpoint"
            if self.session.checkpoints
            else "it had no checkpoint folder"
        )
        raise TrainingStopped(f"The training was asked to stop in {self._where()}; {kept}.")

    # What a checkpoint holds: progress, weights, best weights, and what the optimizer keeps of each weight.

    def _save(self) -> None:
        if self.session.checkpoints is None or not self.hosts.first:
            return
        arrays = {f"weights.{n}": array for n, array in enumerate(self.network.weights())}
        arrays |= {f"best.{n}": array for n, array in enumerate(self.best)}
        for index, state in self.updaters[0].states.items():
            arrays |= {f"optimizer.{index}.{n}": part.asnumpy() for n, part in enumerate(_parts(state))}
        state = dataclasses.asdict(self.progress)
        checkpoint.save(self.session.checkpoints, self.progress.step, self.fingerprint, state, arrays)

    @cached_property
    def fingerprint(self) -> str:
        """What a checkpoint must be of: this configuration and these rows."""
        return _fingerprint(self.config, self.training, self.validation)

    def _resume(self) -> None:
        found = (
            checkpoint.load(self.session.checkpoints, self.fingerprint) if self.session.checkpoints else None
        )
        if found is None:
            return
        state, arrays = found
        self.progress = Progress(**state)
        self.network.set_weights(_series(arrays, "weights"))
        self.best = _series(arrays, "best")
        self._make_updaters()
        for device, updater in zip(self.network.devices, self.updaters, strict=True):
            for index, parameter in enumerate(self.network.parameters):
                kept = updater.optimizer.create_state_multi_precision(index, parameter.data(device))
                saved = _series(arrays, f"optimizer.{index}")  # nothing before the first update
                for part, array in zip(_parts(kept), saved, strict=bool(saved)):
                    part[:] = mx.nd.array(array, ctx=device)
                updater.states[index] = kept
                updater.states_synced[index] = True
        if self.scaler:
            self.scaler._loss_scale = self.scaler._next_loss_scale = self.progress.loss_scale
        self.say(f"Resuming from a checkpoint, in {self._where()}.")

    def _check_agreement(self) -> None:
        """Refuse to train with hosts that would not take the same steps."""
        if not (self.all_reduce and self.hosts.several):
            return
        for name, value, remedy in (
            ("configurations or data", int(self.fingerprint[:12], 16), "give every host the same channels"),
            ("numbers of devices", len(self.network.devices), "give all hosts the same instance type"),
            ("checkpoints", self.progress.step, "give every host those of the first, or none"),
        ):
            values = self.all_reduce.gather(value)
            if len(set(values)) > 1:
                found = ", ".join(
                    f"{host}: {n:.0f}" for host, n in zip(self.hosts.names, values, strict=True)
                )
                raise TrainingError(f"The hosts have different {name} ({found}); {remedy}.")

    def _make_updaters(self) -> None:
        """Make an optimizer for each device, which all make the same updates of their copies."""
        self.updaters = [
            mx.optimizer.get_updater(
                mx.optimizer.create(
                    self.config.optimizer,
                    learning_rate=self.config.learning_rate,
                    wd=self.config.wd,
                    clip_gradient=self.config.clip_gradient,
                    begin_num_update=self.progress.step,
                    **SPECIFIC.get(self.config.optimizer, {}),
                )
            )
            for _ in self.network.devices
        ]


def _measure(network: Network, examples: Examples) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy."""
    logits = network.logits(examples.texts)
    accuracy = (logits.argmax(axis=1) == examples.labels).mean()
    return cross_entropy(logits, examples.labels, at_temperature=1.0), float(accuracy)


def _row_weights(config: Config, labels: Numbers, classes: int) -> Floats:
    """Return how much each training row counts, shape (rows, 1), 1 on average."""
    if config.class_weight is None:
        return np.ones((len(labels), 1), dtype=np.float32)
    rows = np.maximum(np.bincount(labels, minlength=classes), 1)
    weights: Floats = (len(labels) / (classes * rows))[labels, None].astype(np.float32)
    return weights


def _fingerprint(config: Config, *examples: Examples) -> str:
    content = hashlib.sha256(config.model_dump_json().encode())
    for part in examples:
        content.update(part.labels.tobytes())
        for ids in part.texts:
            content.update(len(ids).to_bytes(4, "big") + ids.tobytes())
    return content.hexdigest()


def _parts(state: Any) -> list[Any]:  # noqa: ANN401  an optimizer keeps nothing, one array or several
    if state is None:
        return []
    return [part for part in state if part is not None] if isinstance(state, tuple | list) else [state]


def _series(arrays: dict[str, npt.NDArray[Any]], name: str) -> Weights:
    return [arrays[f"{name}.{n}"] for n in range(len(arrays)) if f"{name}.{n}" in arrays]
