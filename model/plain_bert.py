"""A BERT encoder (Devlin et al. 2019, arXiv:1810.04805) in NumPy, one text at a time.

It gives what `model.bert` gives, and is ready at once: for a few texts, importing MXNet and building its
network takes a hundred times as long as the sums. For many texts MXNet is faster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.data import Floats

NORM = "LayerNorm"
KINDS = "embeddings.token_type_embeddings.weight"  # of which all tokens have the first
LEAST_LENGTH = 1e-10  # as of MXNet's L2Normalization
# Of the error function, by Abramowitz & Stegun, Handbook of Mathematical Functions, 7.1.26: within 1.5e-7.
ERROR_FUNCTION = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
ERROR_FUNCTION_SCALE = 0.3275911


@dataclass(frozen=True)
class BertShape:
    """The sizes of a BERT, as its config.json tells them."""

    units: int
    heads: int
    layers: int
    hidden: int
    """Numbers between the two dense layers of a block."""
    epsilon: float
    """Of layer normalization."""
    activation: str
    words: int
    positions: int

    def check(self, weights: Mapping[str, Floats]) -> None:
        """Raise KeyError for weights that are missing, ValueError for those of another size."""
        for name, sizes in self._sizes().items():
            if weights[name].shape != sizes:
                raise ValueError(f"{name} has the shape {weights[name].shape}, not {sizes}")
        if weights[KINDS].shape[1:] != (self.units,) or not len(weights[KINDS]):
            raise ValueError(f"{KINDS} has the shape {weights[KINDS].shape}")
        if self.units % self.heads:
            raise ValueError(f"{self.units} numbers do not fall into {self.heads} heads")

    def _sizes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each array of weights by its published name."""
        dense = {"output.dense": (self.units, self.hidden), "intermediate.dense": (self.hidden, self.units)}
        dense |= dict.fromkeys(
            ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"),
            (self.units, self.units),
        )
        norms = [f"attention.output.{NORM}", f"output.{NORM}"]
        sizes: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.words, self.units),
            "embeddings.position_embeddings.weight": (self.positions, self.units),
            **{f"embeddings.{NORM}.{kind}": (self.units,) for kind in ("weight", "bias")},
        }
        for number in range(self.layers):
            at = f"encoder.layer.{number}"
            sizes |= {f"{at}.{name}.weight": of_weight for name, of_weight in dense.items()}
            sizes |= {f"{at}.{name}.bias": of_weight[:1] for name, of_weight in dense.items()}
            sizes |= {f"{at}.{name}.{kind}": (self.units,) for name in norms for kind in ("weight", "bias")}
        return sizes


@dataclass(frozen=True)
class PlainBert:
    """A trained BERT and one vector a text: the mean of its tokens' states, or the first one's."""

    shape: BertShape
    weights: Mapping[str, Floats]
    """By their published names."""
    mean: bool

    def vector(self, ids: Sequence[int]) -> Floats:
        """Return the vector of a text of one token at least, of length 1, shape (units,)."""
        words, places = (
            self.weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position")
        )
        states = self._norm("embeddings", words[list(ids)] + places[: len(ids)] + self.weights[KINDS][0])
        for number in range(self.shape.layers):
            states = self._layer(f"encoder.layer.{number}", states)
        vector = states.mean(axis=0) if self.mean else states[0]
        unit: Floats = vector / np.sqrt(np.square(vector).sum() + LEAST_LENGTH)
        return unit

    def _layer(self, at: str, states: Floats) -> Floats:
        """Return what a block makes of the states, shape (tokens, units)."""
        attended = self._dense(
            f"{at}.attention.output.dense", self._attention(f"{at}.attention.self", states)
        )
        states = self._norm(f"{at}.attention.output", states + attended)
        inner = self._dense(f"{at}.intermediate.dense", states)
        active = np.maximum(inner, 0) if self.shape.activation == "relu" else _gelu(inner)
        return self._norm(f"{at}.output", states + self._dense(f"{at}.output.dense", active))

    def _attention(self, at: str, states: Floats) -> Floats:
        tokens, heads = len(states), self.shape.heads
        query, key, value = (
            self._dense(f"{at}.{name}", states).reshape(tokens, heads, -1).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(self.shape.units // heads))
        chances = np.exp(scores - scores.max(axis=-1, keepdims=True))
        chances /= chances.sum(axis=-1, keepdims=True)
        mixed: Floats = (chances @ value).transpose(1, 0, 2).reshape(tokens, -1)
        return mixed

    def _dense(self, at: str, states: Floats) -> Floats:
        made: Floats = states @ self.weights[f"{at}.weight"].T + self.weights[f"{at}.bias"]
        return made

    def _norm(self, at: str, states: Floats) -> Floats:
        centred = states - states.mean(axis=-1, keepdims=True)
        deviation = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(self.shape.epsilon))
        weight, bias = (self.weights[f"{at}.{NORM}.{kind}"] for kind in ("weight", "bias"))
        normalized: Floats = centred / deviation * weight + bias
        return normalized


def _gelu(numbers: Floats) -> Floats:
    """Return the Gaussian error linear units (Hendrycks & Gimpel 2016, arXiv:1606.08415)."""
    size = np.abs(numbers) * np.float32(np.sqrt(0.5))
    steps = 1 / (1 + np.float32(ERROR_FUNCTION_SCALE) * size)
    sums = np.zeros_like(steps)
    for factor in ERROR_FUNCTION:
        sums = (sums + np.float32(factor)) * steps
    error = np.copysign(1 - sums * np.exp(-np.square(size)), numbers)
    active: Floats = numbers * np.float32(0.5) * (1 + error)
    return active
