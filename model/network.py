"""The networks, in MXNet Gluon. Only what trains knows MXNet beside this module.

A network turns encoded texts into logits. The result for a text does not depend on the texts beside it:
what lies behind its end is masked.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from model.config import Config
from model.cores import use_available_cores
from model.data import Arrays, Floats, Numbers, batches, pad
from model.encoder import Ids

use_available_cores()  # before MXNet is imported, which reads it once
import mxnet as mx  # noqa: E402
from mxnet.contrib import amp  # noqa: E402
from mxnet.gluon import nn, rnn  # noqa: E402

__all__ = [
    "Architecture",
    "BiLSTM",
    "Device",
    "Network",
    "TextCNN",
    "Weights",
    "all_devices",
    "amp",
    "mx",
    "seed_everything",
]

Block: TypeAlias = Any  # mxnet.gluon.HybridBlock; MXNet has no type hints
Architecture: TypeAlias = type[Any]  # a block, made of a configuration, words and classes
Device: TypeAlias = Any  # mxnet.Context
Array: TypeAlias = Any  # mxnet.nd.NDArray, or mxnet.sym.Symbol while a block is traced
Weights: TypeAlias = list[Floats]
Operators: TypeAlias = Any  # the module mxnet.nd or mxnet.sym

SPARSE_OPTIMIZERS = {"adam", "sgd"}  # they update only the words of the batch, weight decay included

BELOW_ANY_STATE = -2  # the states of an LSTM lie between -1 and 1


class TextCNN(nn.HybridBlock):  # type: ignore[misc]
    """Filters over neighbouring words, the strongest answer of each, a dense layer (arXiv:1408.5882).

    As in the original system, there are as many filters of a width as a word has numbers.
    What lies behind a text is all zeros, every window that touches the text is looked at, and an answer is
    at least 0, so the result does not depend on the length that the text was padded to.
    """

    def __init__(self, config: Config, words: int, classes: int) -> None:
        super().__init__()
        answers = config.embed_size * len(config.kernel_sizes)
        self.widths = config.kernel_sizes
        with self.name_scope():
            self.embedding = _embedding(config, words)
            self.filters = nn.HybridSequential()
            for width in config.kernel_sizes:
                self.filters.add(_filters(config, width))
            self.bias = self.params.get("bias", shape=(1, answers), init="zeros")
            self.dropout = nn.Dropout(config.dropout)
            self.output = nn.Dense(classes, in_units=answers)

    def hybrid_forward(self, ops: Operators, ids: Array, bias: Array) -> Array:
        """Turn word numbers of shape (texts, words) into logits of shape (texts, classes)."""
        strongest = ops.concat(*[ops.max(answers, axis=2) for answers in self._answers(ops, ids)], dim=1)
        return self.output(self.dropout(ops.relu(ops.broadcast_add(ops.relu(strongest), bias))))

    def peaks(self, ids: Array) -> tuple[Array, Array, Array]:
        """Return what the last layer reads, and which words it is about: value, first word, last word.

        Each of shape (texts, units). A filter's answer at place p is about the words p - width + 1 to p.
        """
        answers = self._answers(mx.nd, ids)
        last = mx.nd.concat(*[mx.nd.argmax(part, axis=2) for part in answers], dim=1)
        strongest = mx.nd.concat(*[mx.nd.max(part, axis=2) for part in answers], dim=1)
        widths = np.repeat(self.widths, [part.shape[1] for part in answers])
        values = mx.nd.relu(mx.nd.broadcast_add(mx.nd.relu(strongest), self.bias.data(ids.context)))
        return values, last - mx.nd.array(widths - 1, ctx=ids.context).expand_dims(0), last

    def _answers(self, ops: Operators, ids: Array) -> list[Array]:
        """Return each filter's answer at each place: shapes (texts, filters, places), one for each width."""
        vectors = self.dropout(self.embedding(ids))
        inside = ops.SequenceMask(vectors, _lengths(ops, ids), use_sequence_length=True, axis=1)
        turned = ops.transpose(inside, axes=(0, 2, 1))
        return [layer(turned) for layer in self.filters]


class BiLSTM(nn.HybridBlock):  # type: ignore[misc]
    """LSTM layers, one direction or both, the largest value of each unit over the words, one dense layer."""

    def __init__(self, config: Config, words: int, classes: int) -> None:
        super().__init__()
        directions = 2 if config.bidirectional else 1
        sizes = [config.embed_size] + [config.hidden_size * directions] * config.n_layers
        with self.name_scope():
            self.embedding = _embedding(config, words)
            self.forwards = nn.HybridSequential()
            self.backwards = nn.HybridSequential()
            for size in sizes[:-1]:
                self.forwards.add(rnn.LSTM(config.hidden_size, input_size=size))
                if config.bidirectional:
                    self.backwards.add(rnn.LSTM(config.hidden_size, input_size=size))
            self.dropout = nn.Dropout(config.dropout)
            self.output = nn.Dense(classes, in_units=sizes[-1])

    def hybrid_forward(self, ops: Operators, ids: Array) -> Array:
        """Turn word numbers of shape (texts, words) into logits of shape (texts, classes)."""
        return self.output(self.dropout(ops.max(self._states(ops, ids), axis=0)))

    def peaks(self, ids: Array) -> tuple[Array, Array, Array]:
        """Return what the last layer reads, and at which word it peaked: value, first word, last word.

        Each of shape (texts, units).
        """
        states = self._states(mx.nd, ids)
        places = mx.nd.argmax(states, axis=0)
        return mx.nd.max(states, axis=0), places, places

    def _states(self, ops: Operators, ids: Array) -> Array:
        """Return each unit's state at each word, shape (words, texts, units); behind a text, below any."""
        lengths = _lengths(ops, ids)
        states = ops.transpose(self.dropout(self.embedding(ids)), axes=(1, 0, 2))
        for number, forward in enumerate(self.forwards):
            read = [forward(states)]
            if len(self.backwards):
                read.append(_backwards(ops, self.backwards[number], states, lengths))
            states = ops.concat(*read, dim=2)
        return ops.SequenceMask(states, lengths, use_sequence_length=True, value=BELOW_ANY_STATE)


class Network:
    """A block on the devices it runs on: encoded texts in, logits out."""

    def __init__(
        self,
        architecture: Architecture,
        config: Config,
        words: int,
        classes: int,
        *,
        devices: Sequence[Device] | None = None,
    ) -> None:
        """Make a network with random weights.

        Each of `devices` gets a copy of the weights, to train with all of them; the first does everything
        else. None: one device.
        """
        self.architecture = architecture
        self.config, self.words, self.classes = config, words, classes
        self.devices = list(devices or all_devices()[:1])
        self.device = self.devices[0]
        self.mixed_precision = False
        self._build()

    def use_mixed_precision(self) -> None:
        """Compute in float16 what is safe in it (MXNet's AMP); weights and gradients stay float32.

        MXNet does so for every network that this process makes from now on.
        """
        amp.init()
        self.mixed_precision = True
        self.set_weights(self.weights())  # AMP is for what is built after it

    def logits(self, texts: Sequence[Ids]) -> Floats:
        """Logits of shape (texts, classes), float32, in the order of the texts."""
        result = np.empty((len(texts), self.classes), dtype=np.float32)
        for group in batches(texts, self.config.batch_size):
            padded = self._padded([texts[i] for i in group], self.config.batch_size)
            result[group] = self.block(padded).asnumpy()[: len(group)]
        return result

    def peaks(self, text: Ids) -> tuple[Floats, Numbers, Numbers]:
        """Return how much each unit adds to each logit of a text, and the words that it read.

        Shapes (units, classes), (units,), (units,): the first and the last word. A sum over all units, and
        the bias of the last layer, is the text's logits.
        """
        alone = mx.nd.array(pad([text], 1), ctx=self.device)
        values, first, last = (part[0].asnumpy() for part in self.block.peaks(alone))
        weights = self.block.output.weight.data(self.device).asnumpy()
        first, last = (np.clip(places.astype(np.int64), 0, len(text) - 1) for places in (first, last))
        return (weights * values).T, first, last

    def weights(self) -> Weights:
        """Return copies of all weights, in the order of the block's parameters."""
        return [parameter.data(self.device).asnumpy() for parameter in self.parameters]

    def set_weights(self, weights: Weights) -> None:
        """Put back what `weights` gave."""
        self._build()  # MXNet 1.9 cannot write into weights that oneDNN has laid out for its own use
        for parameter, array in zip(self.parameters, weights, strict=True):
            parameter.set_data(mx.nd.array(array, ctx=self.device))

    def use_vectors(self, vectors: Floats) -> None:
        """Start the words from `vectors`, shape (words, embed_size)."""
        self.block.embedding.weight.set_data(mx.nd.array(vectors, ctx=self.device))

    def vectors(self) -> Floats:
        """Return what the words start from now, shape (words, embed_size)."""
        weights: Floats = self.block.embedding.weight.data(self.device).asnumpy()
        return weights

    def arrays(self) -> Arrays:
        """Return all weights by name."""
        return dict(zip(self._names(), self.weights(), strict=True))

    def set_arrays(self, arrays: Arrays) -> None:
        """Put back what `arrays` gave, for the same architecture and sizes."""
        self.set_weights([arrays[name] for name in self._names()])

    def _names(self) -> list[str]:
        return [parameter.name.removeprefix(self.block.prefix) for parameter in self.parameters]

    def _padded(self, texts: Sequence[Ids], rows: int) -> Array:
        return mx.nd.array(pad(texts, rows), ctx=self.device)

    def _build(self) -> None:
        self.block: Block = self.architecture(self.config, self.words, self.classes)
        self.block.initialize(mx.init.Xavier(), ctx=self.devices)
        self.block.hybridize(static_alloc=True)
        self.parameters = [p for p in self.block.collect_params().values() if p.grad_req != "null"]


def all_devices() -> list[Device]:
    """Return every GPU of this machine, or the processor if there is none."""
    return [mx.gpu(number) for number in range(mx.context.num_gpus())] or [mx.cpu()]


def has_gpu() -> bool:
    """Return whether this machine has a GPU that MXNet sees."""
    return bool(mx.context.num_gpus())


def seed_everything(seed: int) -> None:
    """Seed MXNet; what else is random here comes from generators of its own."""
    mx.random.seed(seed % 2**31)


def _embedding(config: Config, words: int) -> Block:
    sparse = config.optimizer in SPARSE_OPTIMIZERS
    start = mx.init.Uniform(0.05)
    return nn.Embedding(words, config.embed_size, sparse_grad=sparse, weight_initializer=start)


def _filters(config: Config, width: int) -> Block:
    size = config.embed_size
    return nn.Conv1D(size, width, padding=width - 1, use_bias=False, in_channels=size)


def _lengths(ops: Operators, ids: Array) -> Array:
    return ops.sum(ids != 0, axis=1)


def _backwards(ops: Operators, layer: Block, states: Array, lengths: Array) -> Array:
    """Read each text from its own end, as MXNet's own reverse direction would begin with the padding."""
    turned = ops.SequenceReverse(states, lengths, use_sequence_length=True)
    return ops.SequenceReverse(layer(turned), lengths, use_sequence_length=True)
