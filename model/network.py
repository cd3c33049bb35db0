"""The networks, in MXNet Gluon. Only this module and `model.training` know MXNet.

A network turns encoded texts into logits. The result for a text does not depend on the texts beside it:
what lies behind its end is masked. `ARCHITECTURES` names the networks; another one needs an entry there and
nothing else.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from model.config import Config
from model.cores import use_available_cores
from model.data import Floats, batches, pad
from model.encoder import Ids

use_available_cores()  # before MXNet is imported, which reads it once
import mxnet as mx  # noqa: E402
from mxnet.gluon import nn, rnn  # noqa: E402

__all__ = ["ARCHITECTURES", "Network", "Weights", "framework", "mx"]

Block: TypeAlias = Any  # mxnet.gluon.HybridBlock; MXNet has no type hints
Array: TypeAlias = Any  # mxnet.nd.NDArray, or mxnet.sym.Symbol while a block is traced
Weights: TypeAlias = list[Floats]
Operators: TypeAlias = Any  # the module mxnet.nd or mxnet.sym

SPARSE_OPTIMIZERS = {"adam", "sgd"}  # they update only the words of the batch, weight decay included

BELOW_ANY_STATE = -2  # the states of an LSTM lie between -1 and 1


class TextCNN(nn.HybridBlock):  # type: ignore[misc]
    """Filters over neighbouring words, the strongest answer of each, a dense layer (arXiv:1408.5882).

    What lies behind a text is all zeros, every window that touches the text is looked at, and an answer is
    at least 0, so the result does not depend on the length that the text was padded to.
    """

    def __init__(self, config: Config, words: int, classes: int) -> None:
        super().__init__()
        answers = config.hidden_size * len(config.kernel_sizes)
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
        vectors = self.dropout(self.embedding(ids))
        inside = ops.SequenceMask(vectors, _lengths(ops, ids), use_sequence_length=True, axis=1)
        turned = ops.transpose(inside, axes=(0, 2, 1))
        strongest = ops.concat(*[ops.max(layer(turned), axis=2) for layer in self.filters], dim=1)
        return self.output(self.dropout(ops.relu(ops.broadcast_add(ops.relu(strongest), bias))))


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
        lengths = _lengths(ops, ids)
        states = ops.transpose(self.dropout(self.embedding(ids)), axes=(1, 0, 2))
        for number, forward in enumerate(self.forwards):
            read = [forward(states)]
            if len(self.backwards):
                read.append(_backwards(ops, self.backwards[number], states, lengths))
            states = ops.concat(*read, dim=2)
        inside = ops.SequenceMask(states, lengths, use_sequence_length=True, value=BELOW_ANY_STATE)
        return self.output(self.dropout(ops.max(inside, axis=0)))


ARCHITECTURES: dict[str, Callable[[Config, int, int], Block]] = {"textcnn": TextCNN, "bilstm": BiLSTM}


class Network:
    """A block on the device it runs on: encoded texts in, logits out."""

    def __init__(self, config: Config, words: int, classes: int) -> None:
        self.config, self.words, self.classes = config, words, classes
        self.device = mx.gpu(0) if mx.context.num_gpus() else mx.cpu()
        self._build()

    def logits(self, texts: Sequence[Ids]) -> Floats:
        """Logits of shape (texts, classes), float32, in the order of the texts."""
        result = np.empty((len(texts), self.classes), dtype=np.float32)
        for group in batches(texts, self.config.batch_size):
            padded = pad([texts[position] for position in group], self.config.batch_size)
            result[group] = self.block(mx.nd.array(padded, ctx=self.device)).asnumpy()[: len(group)]
        return result

    def weights(self) -> Weights:
        """Give copies of all weights, in the order of the block's parameters."""
        return [parameter.data().asnumpy() for parameter in self.parameters]

    def set_weights(self, weights: Weights) -> None:
        """Put back what `weights` gave."""
        self._build()  # MXNet 1.9 cannot write into weights that oneDNN has laid out for its own use
        for parameter, array in zip(self.parameters, weights, strict=True):
            parameter.set_data(mx.nd.array(array, ctx=self.device))

    def use_vectors(self, vectors: Floats) -> None:
        """Start the words from `vectors`, shape (words, embed_size)."""
        self.block.embedding.weight.set_data(mx.nd.array(vectors, ctx=self.device))

    def vectors(self) -> Floats:
        """Give what the words start from now, shape (words, embed_size)."""
        weights: Floats = self.block.embedding.weight.data().asnumpy()
        return weights

    def save(self, path: Path) -> None:
        """Write the weights as plain arrays."""
        self.block.save_parameters(str(path))

    def load(self, path: Path) -> None:
        """Read what `save` wrote for the same architecture and sizes."""
        self.block.load_parameters(str(path), ctx=self.device)

    def _build(self) -> None:
        self.block: Block = ARCHITECTURES[self.config.architecture](self.config, self.words, self.classes)
        self.block.initialize(mx.init.Xavier(), ctx=self.device)
        self.block.hybridize(static_alloc=True)
        self.parameters = [p for p in self.block.collect_params().values() if p.grad_req != "null"]


def framework() -> str:
    """Give the framework's name and version."""
    return f"mxnet {mx.__version__}"


def _embedding(config: Config, words: int) -> Block:
    sparse = config.optimizer in SPARSE_OPTIMIZERS
    start = mx.init.Uniform(0.05)
    return nn.Embedding(words, config.embed_size, sparse_grad=sparse, weight_initializer=start)


def _filters(config: Config, width: int) -> Block:
    return nn.Conv1D(
        config.hidden_size, width, padding=width - 1, use_bias=False, in_channels=config.embed_size
    )


def _lengths(ops: Operators, ids: Array) -> Array:
    return ops.sum(ids != 0, axis=1)


def _backwards(ops: Operators, layer: Block, states: Array, lengths: Array) -> Array:
    """Read each text from its own end, as MXNet's own reverse direction would begin with the padding."""
    turned = ops.SequenceReverse(states, lengths, use_sequence_length=True)
    return ops.SequenceReverse(layer(turned), lengths, use_sequence_length=True)
