"""One training step: forward and backward pass over a batch, sum of the gradients, update of the weights.

Several workers (a device of a host is one) compute the gradients of their share of the batch's rows, and all
make the same update with the sum. In mixed precision the loss is scaled up, so that small gradients survive
float16, and a step whose gradients overflow is left out (dynamic loss scaling, arXiv:1710.03740).
"""

from typing import Any, TypeAlias

import numpy as np

from model.checkpoint import Checkpoint
from model.config import Config
from model.data import Examples, Floats, Numbers, pad
from model.network import Network, amp, mx, seed_everything
from model.optimizer import Optimizer
from model.parallel import Workers

LossScaler = amp.loss_scaler.LossScaler

Array: TypeAlias = Any  # mxnet.nd.NDArray

SEEDS_APART = 1_000_003  # the seeds of the steps of two configured seeds
HOSTS_APART = 500_000_003  # those of two hosts, which must not drop the same features


class Step:
    """Trains a network on one batch of the training rows after the other."""

    def __init__(
        self,
        network: Network,
        config: Config,
        training: Examples,
        workers: Workers,
        start: Checkpoint,
    ) -> None:
        self.network, self.training, self.workers = network, training, workers
        self.optimizer = Optimizer(network, config, start.progress.step, start.optimizer)
        self._seed = config.seed
        self._loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()
        self._weights = _sample_weights(config, training.labels, network.classes)
        self._scaler = LossScaler()
        self._scaler._loss_scale = self._scaler._next_loss_scale = start.progress.loss_scale

    @property
    def loss_scale(self) -> float:
        """Return what the loss is multiplied by in mixed precision."""
        return float(self._scaler.loss_scale)

    def train(self, rows: Numbers, step: int) -> float:
        """Update the weights by a batch, and return the sum of the loss over this host's share of its rows.

        `step` is the number of batches before it: dropout is seeded by it, so that a resumed run drops the
        same features.
        """
        host = self.workers.hosts.rank * HOSTS_APART
        seed_everything(self._seed * SEEDS_APART + step + host)
        ids = pad([self.training.texts[row] for row in rows], len(rows))
        losses = self._backward(rows, ids)
        self.workers.add_gradients(self.network.parameters, ids)
        self._update(len(rows))
        return sum(float(each.sum().asscalar()) for each in losses)

    def _backward(self, rows: Numbers, ids: Floats) -> list[Array]:
        """Compute the gradients of this host's share of a batch; return the losses on each of its devices."""
        shares = [self._share(rows, ids, number) for number in range(len(self.network.devices))]
        scale = self.loss_scale if self.network.mixed_precision else 1.0
        with mx.autograd.record():
            losses = [self._loss(self.network.block(texts), *targets) for texts, *targets in shares]
            scaled = [each * scale for each in losses]
        mx.autograd.backward(scaled)
        return losses

    def _share(self, rows: Numbers, ids: Floats, device: int) -> tuple[Array, Array, Array]:
        """Return the texts, labels and weights of the rows that a device of this host works on."""
        places = self.workers.share(np.arange(len(rows)), device)
        weights = self._weights[rows[places]]
        if not len(places):  # a worker without rows adds zeros
            places, weights = np.zeros(1, dtype=np.int64), np.zeros_like(self._weights[:1])
        arrays = (ids[places], self.training.labels[rows[places]], weights)
        texts, labels, weights = (mx.nd.array(each, ctx=self.network.devices[device]) for each in arrays)
        return texts, labels, weights

    def _update(self, rows: int) -> None:
        if not self.network.mixed_precision:
            self.optimizer.update(rows)
            return
        divisor = rows * self.loss_scale  # of these gradients: what follows scales the next ones
        if not self._scaler.has_overflow(self.network.parameters):
            self.optimizer.update(divisor)


def _sample_weights(config: Config, labels: Numbers, classes: int) -> Floats:
    """Return how much each training row counts, shape (rows, 1), 1 on average."""
    if config.class_weight is None:
        return np.ones((len(labels), 1), dtype=np.float32)
    rows = np.maximum(np.bincount(labels, minlength=classes), 1)
    weights: Floats = (len(labels) / (classes * rows))[labels, None].astype(np.float32)
    return weights
