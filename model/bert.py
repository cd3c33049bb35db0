"""A BERT encoder (Devlin et al. 2019, arXiv:1810.04805) as a Gluon block, with published weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from model.data import Floats
from model.network import Array, Block, Operators, all_devices, mx
from model.plain_bert import BertShape

nn: Any = mx.gluon.nn


class Bert(nn.HybridBlock):  # type: ignore[misc]
    """Token numbers in, the last layer's state of each token out. What lies behind a text's end is masked."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.heads = shape.heads
        with self.name_scope():
            self.words = nn.Embedding(shape.words, shape.units)
            self.positions = nn.Embedding(shape.positions, shape.units)
            self.segment = self.params.get(
                "segment", shape=(1, 1, shape.units)
            )  # all tokens are of the first
            self.norm = _norm(shape)
            self.layers = [_Layer(shape) for _ in range(shape.layers)]
            for layer in self.layers:
                self.register_child(layer)

    def hybrid_forward(self, ops: Operators, ids: Array, lengths: Array, segment: Array) -> Array:
        """Return the states, shape (tokens, texts, units), of `ids`, shape (texts, tokens)."""
        places = ops.contrib.arange_like(ids, axis=1)
        states = ops.broadcast_add(self.words(ids), ops.expand_dims(self.positions(places), 0))
        states = ops.transpose(self.norm(ops.broadcast_add(states, segment)), axes=(1, 0, 2))
        # The masked softmax wants the length for each head and each token that looks at others.
        of_heads = ops.expand_dims(ops.repeat(lengths, repeats=self.heads, axis=0), 1)
        visible = ops.broadcast_add(of_heads, ops.expand_dims(places * 0, 0)).astype("int32")
        for layer in self.layers:
            states = layer(states, visible)
        return states


class _Layer(nn.HybridBlock):  # type: ignore[misc]
    """Self-attention and two dense layers, each added to what came in and normalized."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.heads, self.activation = shape.heads, shape.activation
        with self.name_scope():
            self.attention = _dense(shape.units, 3 * shape.units)
            self.attended = _dense(shape.units, shape.units)
            self.attention_norm = _norm(shape)
            self.inner = _dense(shape.units, shape.hidden)
            self.outer = _dense(shape.hidden, shape.units)
            self.norm = _norm(shape)

    def hybrid_forward(self, ops: Operators, states: Array, visible: Array) -> Array:
        mixed = self.attention(states)
        scores = ops.contrib.interleaved_matmul_selfatt_qk(mixed, heads=self.heads)
        weights = ops.softmax(scores, visible, axis=-1, use_length=True)
        seen = ops.contrib.interleaved_matmul_selfatt_valatt(mixed, weights, heads=self.heads)
        states = self.attention_norm(states + self.attended(seen))
        inner = self.inner(states)
        active = ops.relu(inner) if self.activation == "relu" else ops.LeakyReLU(inner, act_type="gelu")
        return self.norm(states + self.outer(active))


class Pooled(nn.HybridBlock):  # type: ignore[misc]
    """A BERT and one vector a text: the mean of its tokens' states, or the first one's; of length 1."""

    def __init__(self, bert: Bert, *, mean: bool) -> None:
        super().__init__()
        self.mean = mean
        with self.name_scope():
            self.bert = bert

    def hybrid_forward(self, ops: Operators, ids: Array, lengths: Array) -> Array:
        """Return shape (texts, units)."""
        states = self.bert(ids, lengths)
        if not self.mean:
            return ops.L2Normalization(ops.slice_axis(states, axis=0, begin=0, end=1).reshape((-3, 0)))
        total = ops.sum(ops.SequenceMask(states, lengths, use_sequence_length=True), axis=0)
        return ops.L2Normalization(ops.broadcast_div(total, ops.expand_dims(lengths, 1)))


class SentenceNetwork:
    """A trained `Pooled` on the first GPU, or the CPU."""

    def __init__(self, shape: BertShape, weights: Mapping[str, Floats], *, mean: bool) -> None:
        """Take the weights by their published names, which `BertShape.check` has looked at."""
        self.device = all_devices()[0]
        bert = Bert(shape)
        self.network = Pooled(bert, mean=mean)
        for parameter, array in _named(bert, shape, weights):
            parameter.initialize(init="zeros", ctx=self.device)
            parameter.set_data(mx.nd.array(array))
        self.network.hybridize()

    def vectors(self, ids: Floats, lengths: Floats) -> Floats:
        """Return a vector of length 1 for each text, shape (texts, units)."""
        inputs = (mx.nd.array(array, ctx=self.device) for array in (ids, lengths))
        vectors: Floats = self.network(*inputs).asnumpy()
        return vectors


def _named(bert: Bert, shape: BertShape, weights: Mapping[str, Floats]) -> list[tuple[Any, Floats]]:
    """Return every parameter with its published weights, those of query, key and value put together."""
    pairs = [
        (bert.words.weight, weights["embeddings.word_embeddings.weight"]),
        (bert.positions.weight, weights["embeddings.position_embeddings.weight"]),
        (bert.segment, weights["embeddings.token_type_embeddings.weight"][:1, None]),
        *_of_norm(bert.norm, "embeddings.LayerNorm", weights),
    ]
    for number, layer in enumerate(bert.layers):
        at = f"encoder.layer.{number}."
        attention = [
            _interleaved(
                [weights[f"{at}attention.self.{of}.{kind}"] for of in ("query", "key", "value")], shape
            )
            for kind in ("weight", "bias")
        ]
        pairs += zip((layer.attention.weight, layer.attention.bias), attention, strict=True)
        for dense, name in (
            (layer.attended, "attention.output.dense"),
            (layer.inner, "intermediate.dense"),
            (layer.outer, "output.dense"),
        ):
            pairs += [
                (dense.weight, weights[f"{at}{name}.weight"]),
                (dense.bias, weights[f"{at}{name}.bias"]),
            ]
        pairs += _of_norm(layer.attention_norm, f"{at}attention.output.LayerNorm", weights)
        pairs += _of_norm(layer.norm, f"{at}output.LayerNorm", weights)
    return pairs


def _of_norm(norm: Block, name: str, weights: Mapping[str, Floats]) -> list[tuple[Any, Floats]]:
    return [(norm.gamma, weights[f"{name}.weight"]), (norm.beta, weights[f"{name}.bias"])]


def _interleaved(parts: list[Floats], shape: BertShape) -> Floats:
    """Return query, key and value as MXNet reads them: of the first head, the second, and so on."""
    of_heads = [part.reshape(shape.heads, shape.units // shape.heads, -1) for part in parts]
    together: Floats = np.concatenate(of_heads, axis=1).reshape(3 * shape.units, *parts[0].shape[1:])
    return together


def _dense(inputs: int, outputs: int) -> Block:
    return nn.Dense(outputs, flatten=False, in_units=inputs)


def _norm(shape: BertShape) -> Block:
    return nn.LayerNorm(epsilon=shape.epsilon, in_channels=shape.units)
