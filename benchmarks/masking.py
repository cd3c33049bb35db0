"""What masking personal data costs: n-grams learned in folds from training rows, as they are and masked.

`python -m benchmarks.masking cr r8 …` prints a line a data set. Only training rows are read: each is labelled
by a model that has learned from the other folds. As hardly a row of the public sets holds personal data, the
same is done with a made-up way to reach somebody behind every text.
"""

import random
import string
import sys

import numpy as np

from benchmarks import data
from benchmarks.thresholds import Labelled, fit
from contract.masking import mask


def main(names: list[str]) -> None:
    """Print the table."""
    heads = ("data set", "rows", "masked", "accuracy", "masked", "with contacts", "with contacts, masked")
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for name in names:
        print(line(name), flush=True)


def line(name: str) -> str:
    """Return a data set's line of the table."""
    pairs = data.shuffled(data.read(data.DATASETS[name], "train", data.data_folder()))
    labels = sorted({label for _, label in pairs})
    truths = np.array([labels.index(label) for _, label in pairs])
    texts = [text for text, _ in pairs]
    reached = [f"{text} {contact(number)}" for number, text in enumerate(texts)]
    tried = [texts, list(map(mask, texts)), reached, list(map(mask, reached))]
    changed = sum(before != after for before, after in zip(*tried[:2], strict=True))
    figures = [accuracy((each, truths), len(labels)) for each in tried]
    return f"| {name} | {len(texts):,} | {changed:,} | {' | '.join(f'{each:.1%}' for each in figures)} |"


def contact(number: int) -> str:
    """Return a way to reach somebody, as people write one; the same for the same number."""
    chance = random.Random(number)  # noqa: S311  nothing secret
    name = "".join(chance.choices(string.ascii_lowercase, k=7))
    digits = "".join(chance.choices(string.digits, k=7))
    return chance.choice([f"Mail: {name}@{name[::-1]}.com", f"Call 0151 {digits}.", f"+49 89 {digits}"])


def accuracy(rows: Labelled, classes: int) -> float:
    """Return the share of rows that are labelled right by a model that has not seen them."""
    some = (rows[0][:100], rows[1][:100])
    logits = fit(rows, some, classes).rows.logits
    return float(np.mean(logits.argmax(axis=1) == rows[1]))


if __name__ == "__main__":
    main(sys.argv[1:] or ["cr"])
