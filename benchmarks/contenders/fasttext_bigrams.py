"""fastText with bigrams (Joulin et al. 2016, "Bag of Tricks"); texts as fastText's own examples have them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fasttext

from benchmarks import rows

PREFIX = "__label__"
MARKS = ".!?,'/()"  # set apart from words by the scripts of fastText's repository


def train(path: Path, options: Mapping[str, Any], scratch: Path) -> tuple[Any, list[str]]:
    """Train on all rows; returns the model and the names of the labels, which may hold blanks."""
    texts, labels = rows.read(path)
    names = sorted(set(labels))
    numbers = {name: number for number, name in enumerate(names)}
    lines = scratch / "train.txt"
    with lines.open("w", encoding="utf-8") as file:
        for text, label in zip(texts, labels, strict=True):
            file.write(f"{PREFIX}{numbers[label]} {line(text)}\n")
    threads = len(os.sched_getaffinity(0))
    model = fasttext.train_supervised(str(lines), wordNgrams=2, thread=threads, verbose=0, **options)
    return model, names


def line(text: str) -> str:
    """Return a text on one line, in lower case, punctuation apart."""
    for mark in MARKS:
        text = text.replace(mark, f" {mark} ")
    return " ".join(text.lower().split())


def save(model: tuple[Any, list[str]], folder: Path) -> None:
    """Write the model and the labels' names."""
    trained, names = model
    trained.save_model(str(folder / "model.bin"))
    (folder / "labels.txt").write_text("\n".join(names), encoding="utf-8")


def load(folder: Path) -> tuple[Any, list[str]]:
    """Read what `save` wrote."""
    names = (folder / "labels.txt").read_text(encoding="utf-8").split("\n")
    return fasttext.load_model(str(folder / "model.bin")), names


def predict(model: tuple[Any, list[str]], path: Path) -> list[str]:
    """Return the label of each row; all lines in one call, which is the fastest that the library has."""
    trained, names = model
    texts, _ = rows.read(path)
    found, _ = trained.predict([line(text) for text in texts])
    return [names[int(labels[0].removeprefix(PREFIX))] for labels in found]
