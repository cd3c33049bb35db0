"""Loss and accuracy on the validation rows, as often as the training loop asks for them."""

import numpy as np

from model.calibration import cross_entropy
from model.data import Examples, Floats, batches, pad
from model.network import Network, mx
from model.parallel import Workers


class Validation:
    """The validation rows of this host, padded into batches once."""

    def __init__(self, network: Network, examples: Examples, workers: Workers) -> None:
        """Take this host's share of the rows; several hosts measure the others."""
        self._network, self._workers, self._rows = network, workers, len(examples.texts)
        share = slice(workers.hosts.rank, None, len(workers.hosts.names))
        texts, self._labels = examples.texts[share], examples.labels[share]
        size = network.config.batch_size
        self._batches = [(rows, pad([texts[i] for i in rows], size)) for rows in batches(texts, size)]

    def measure(self) -> tuple[float, float]:
        """Return mean cross-entropy and accuracy over the rows of all hosts."""
        loss, right = self._measure_share() if len(self._labels) else (0.0, 0)
        if self._workers.hosts.several:
            losses, right = self._workers.sums(loss * len(self._labels), right)
            loss = losses / self._rows
        return float(loss), float(right / self._rows)

    def _measure_share(self) -> tuple[float, int]:
        """Return mean cross-entropy and how many rows are labelled right, of this host's share."""
        logits = self._logits()
        right = int((logits.argmax(axis=1) == self._labels).sum())
        return cross_entropy(logits, self._labels, at_temperature=1.0), right

    def _logits(self) -> Floats:
        logits = np.empty((len(self._labels), self._network.classes), dtype=np.float32)
        for rows, ids in self._batches:
            output = self._network.block(mx.nd.array(ids, ctx=self._network.device))
            logits[rows] = output.asnumpy()[: len(rows)]
        return logits
