"""Small labelled files for the workflow tests: learnable in a second, or not learnable at all."""

from __future__ import annotations

import csv
import io
import random

WORDS = {
    "battery": ["battery", "charge", "drains", "charger", "empties", "percent"],
    "screen": ["screen", "crack", "pixels", "flicker", "display", "glass"],
    "noise": ["rattle", "loud", "grinding", "fan", "humming", "vibrates"],
}
FILLER = [
    "the",
    "unit",
    "since",
    "last",
    "week",
    "customer",
    "says",
    "it",
    "always",
    "again",
    "after",
    "two",
    "months",
]

#: n-grams that are always right about these files, and need no choosing.
FAST = {
    "architecture": "ngram",
    "ngram_words": 1,
    "ngram_skip": 0,
    "ngram_chars": None,
    "ngram_end": 0,
    "ngram_repeats": False,
    "ngram_scale": "nb",
    "ngram_norm": "sqrt",
    "ngram_optimizer": "adam",
    "num_epoch": 6,
    "embed_size": 16,
    "hidden_size": 16,
    "kernel_size": 2,
    "batch_size": 16,
    "vocab_size": 500,
    "seq_len": 64,
    "learning_rate": 0.02,
    "use_spacy_pretrained": False,
}

#: A network small enough to train in about a second, and enough epochs to learn these files.
NETWORK = FAST | {"architecture": "cnn"}


def rows(
    count: int, *, seed: int = 0, noise: bool = False, of_words: int | None = None
) -> list[tuple[str, str]]:
    """Make (text, label) pairs.

    With noise the labels have nothing to do with the texts; with `of_words` the texts have only
    so many of each label's words.
    """
    source = random.Random(seed)
    made = []
    for number in range(count):
        label = sorted(WORDS)[number % len(WORDS)]
        words = (
            source.sample(WORDS[label][:of_words], 2) + source.sample(FILLER, 5) + [f"case{seed}x{number}"]
        )
        source.shuffle(words)
        made.append((" ".join(words), source.choice(sorted(WORDS)) if noise else label))
    return made


def as_csv(pairs: list[tuple[str, str]], *, labelled: bool = True) -> str:
    """Write pairs as the CSV that a person uploads."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["claim_id", "description", "category"] if labelled else ["claim_id", "description"])
    for number, (text, label) in enumerate(pairs):
        writer.writerow([f"C{number:05}", text, label] if labelled else [f"C{number:05}", text])
    return out.getvalue()
