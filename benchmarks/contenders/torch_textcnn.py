"""A TextCNN in PyTorch (arXiv:1408.5882), shaped and trained as the configuration in its options says."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import nn

from benchmarks import rows

Tensor: TypeAlias = Any  # PyTorch is no part of the environment that checks types
Optimizer: TypeAlias = Any

PADDING, UNKNOWN = 0, 1
words_of = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]").findall
torch.set_num_threads(len(os.sched_getaffinity(0)))


class TextCNN(nn.Module):  # type: ignore[misc]
    """Filters of one or more widths over the words' vectors, the strongest answer of each, a dense layer."""

    def __init__(self, shape: Mapping[str, Any], words: int, classes: int) -> None:
        super().__init__()
        widths = [shape["kernel_size"]] if isinstance(shape["kernel_size"], int) else shape["kernel_size"]
        size = filters = shape["embed_size"]
        self.longest = max(widths)
        self.embedding = nn.Embedding(words, size, padding_idx=PADDING)
        # Kim's own program draws words' vectors so; PyTorch's far larger ones make this network worse.
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)
        self.filters = nn.ModuleList(nn.Conv1d(size, filters, width) for width in widths)
        self.dropout = nn.Dropout(shape["dropout"])
        self.output = nn.Linear(filters * len(widths), classes)

    def forward(self, ids: Tensor) -> Tensor:
        """Turn word numbers of shape (texts, words) into logits of shape (texts, classes)."""
        vectors = self.dropout(self.embedding(ids)).transpose(1, 2)
        strongest = [layer(vectors).amax(dim=2).relu() for layer in self.filters]
        return self.output(self.dropout(torch.cat(strongest, dim=1)))


@dataclass(frozen=True)
class Model:
    """The network and what turns texts into its numbers and back."""

    network: TextCNN
    shape: Mapping[str, Any]
    numbers: dict[str, int]
    labels: list[str]


def train(path: Path, options: Mapping[str, Any], scratch: Path) -> Model:
    """Train on all rows for all epochs, texts of similar length together."""
    torch.manual_seed(0)
    texts, labels = rows.read(path)
    model = untrained(options, vocabulary(texts, options["vocab_size"]), sorted(set(labels)))
    encoded = [encode(model, text) for text in texts]
    truths = torch.tensor([model.labels.index(label) for label in labels])
    optimizer = torch.optim.Adam(
        model.network.parameters(), lr=options["learning_rate"], weight_decay=options["wd"]
    )
    model.network.train()
    for epoch in range(options["num_epoch"]):
        if options["power_decay"] and epoch and epoch % options["epoch_factor"] == 0:
            optimizer.param_groups[0]["lr"] *= 0.1
        one_epoch(model, optimizer, encoded, truths, np.random.default_rng(epoch))
    return model


def one_epoch(
    model: Model, optimizer: Optimizer, encoded: list[list[int]], truths: Tensor, chance: np.random.Generator
) -> None:
    """Take one step a batch, the batches in random order."""
    groups = list(batches(encoded, model.shape["batch_size"], chance))
    for group in [groups[place] for place in chance.permutation(len(groups))]:
        optimizer.zero_grad()
        logits = model.network(pad(model, [encoded[place] for place in group]))
        nn.functional.cross_entropy(logits, truths[group]).backward()
        optimizer.step()


def vocabulary(texts: list[str], size: int) -> dict[str, int]:
    """Return numbers to the most frequent words, after padding and the unknown one."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(words_of(text.lower()))
    return {word: number for number, (word, _) in enumerate(counts.most_common(size - 2), UNKNOWN + 1)}


def untrained(shape: Mapping[str, Any], numbers: dict[str, int], labels: list[str]) -> Model:
    """Return the network with random weights."""
    return Model(TextCNN(shape, len(numbers) + 2, len(labels)), shape, numbers, labels)


def encode(model: Model, text: str) -> list[int]:
    """Return the numbers of a text's first words."""
    number = model.numbers.get
    return [number(word, UNKNOWN) for word in words_of(text.lower())[: model.shape["seq_len"]]]


def batches(encoded: list[list[int]], size: int, chance: np.random.Generator | None = None) -> Iterator[Any]:
    """Yield positions of texts of similar length; with `chance`, lengths are blurred by a tenth."""
    lengths = np.array([len(ids) for ids in encoded], dtype=np.float64)
    order = np.argsort(
        lengths * (1 + 0.1 * chance.random(len(lengths))) if chance else lengths, kind="stable"
    )
    yield from (order[start : start + size] for start in range(0, len(order), size))


def pad(model: Model, group: list[list[int]]) -> Tensor:
    """Return texts as one array, at least as wide as the widest filter."""
    width = max(model.network.longest, *(len(ids) for ids in group))
    return torch.tensor([ids + [PADDING] * (width - len(ids)) for ids in group])


def save(model: Model, folder: Path) -> None:
    """Write the weights and the rest."""
    torch.save(model.network.state_dict(), folder / "weights.pt")
    rest = {"shape": dict(model.shape), "numbers": model.numbers, "labels": model.labels}
    (folder / "rest.json").write_text(json.dumps(rest), encoding="utf-8")


def load(folder: Path) -> Model:
    """Read what `save` wrote."""
    rest = json.loads((folder / "rest.json").read_text(encoding="utf-8"))
    model = untrained(rest["shape"], rest["numbers"], rest["labels"])
    model.network.load_state_dict(torch.load(folder / "weights.pt", weights_only=True))
    model.network.eval()
    return model


def predict(model: Model, path: Path) -> list[str]:
    """Return the label of each row, texts of similar length together."""
    texts, _ = rows.read(path)
    encoded = [encode(model, text) for text in texts]
    best = np.empty(len(texts), dtype=np.int64)
    with torch.inference_mode():
        for group in batches(encoded, model.shape["batch_size"]):
            best[group] = model.network(pad(model, [encoded[place] for place in group])).argmax(dim=1).numpy()
    return [model.labels[number] for number in best]
