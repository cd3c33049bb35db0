"""A tiny BERT in the published layout, with random weights, and its forward pass in plain NumPy."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *["the", "drum", "leaks", "water", "brake", "squeals", "again", "and"],
    "##s",
]
SHAPE: dict[str, Any] = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 12,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "vocab_size": len(WORDS),
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
}
MEAN = {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
FIRST = {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}

Weights = dict[str, np.ndarray]


def write(folder: Path, pooling: dict[str, Any] = MEAN, **changes: Any) -> Path:
    """Write the model into a folder; `changes` are keys of config.json that differ."""
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling), encoding="utf-8")
    config = SHAPE | changes
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "modules.json").write_text(
        json.dumps([{"type": "sentence_transformers.models.Transformer"}]), encoding="utf-8"
    )
    save_file(weights(config), folder / "model.safetensors")
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def tokenizer() -> Any:
    made = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return made


def weights(config: dict[str, Any]) -> Weights:
    """Return random weights by their published names."""
    chance, units, inner = np.random.default_rng(0), config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], units),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], units),
        "embeddings.token_type_embeddings.weight": (2, units),
        "embeddings.LayerNorm.weight": (units,),
        "embeddings.LayerNorm.bias": (units,),
    }
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        for name in ("query", "key", "value"):
            shapes |= {f"{at}attention.self.{name}.weight": (units, units)}
            shapes |= {f"{at}attention.self.{name}.bias": (units,)}
        for name, (rows, columns) in {
            "attention.output.dense": (units, units),
            "intermediate.dense": (inner, units),
            "output.dense": (units, inner),
        }.items():
            shapes |= {f"{at}{name}.weight": (rows, columns), f"{at}{name}.bias": (rows,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{at}{name}.weight": (units,), f"{at}{name}.bias": (units,)}
    # Tokens count for more than what is made of them, so that texts of other words have other vectors.
    spread = {name: 2.0 if "embeddings.word" in name else 0.3 for name in shapes}
    made = {name: chance.normal(0, spread[name], shape).astype(np.float32) for name, shape in shapes.items()}
    return made | {name: made[name] + 1 for name in made if name.endswith("LayerNorm.weight")}


def forward(ids: list[int], given: Weights, config: dict[str, Any], mean: bool = True) -> np.ndarray:
    """Return the vector of one text, by the formulas of the article."""
    units, heads = config["hidden_size"], config["num_attention_heads"]
    states = given["embeddings.word_embeddings.weight"][ids]
    states = states + given["embeddings.position_embeddings.weight"][: len(ids)]
    states = _norm(
        states + given["embeddings.token_type_embeddings.weight"][0], given, "embeddings.LayerNorm"
    )
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        query, key, value = (
            _dense(states, given, f"{at}attention.self.{name}")
            .reshape(len(ids), heads, -1)
            .transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        scores = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(units / heads))
        seen = (scores / scores.sum(axis=2, keepdims=True)) @ value
        seen = _dense(seen.transpose(1, 0, 2).reshape(len(ids), units), given, f"{at}attention.output.dense")
        states = _norm(states + seen, given, f"{at}attention.output.LayerNorm")
        inner = _active(_dense(states, given, f"{at}intermediate.dense"), config["hidden_act"])
        states = _norm(states + _dense(inner, given, f"{at}output.dense"), given, f"{at}output.LayerNorm")
    vector = states.mean(axis=0) if mean else states[0]
    return vector / np.linalg.norm(vector)


def _dense(states: np.ndarray, given: Weights, name: str) -> np.ndarray:
    return states @ given[f"{name}.weight"].T + given[f"{name}.bias"]


def _norm(states: np.ndarray, given: Weights, name: str) -> np.ndarray:
    centred = states - states.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
    return centred / spread * given[f"{name}.weight"] + given[f"{name}.bias"]


def _active(values: np.ndarray, activation: str) -> np.ndarray:
    if activation == "relu":
        return np.maximum(values, 0)
    return values * 0.5 * (1 + np.vectorize(math.erf)(values / math.sqrt(2)))
