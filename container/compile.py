"""Compiles all that `model.compiled` would when it is first called: `python -m container.compile`.

The image does so when it is built, as nothing can be written where it runs.
"""

import numpy as np

from model.data import Numbers
from model.ngram_buckets import Grams
from model.ngram_scales import scales
from model.ngram_sums import NgramSums, columns
from model.ngram_training import NgramTask, NgramTrainer
from model.ngrams import NgramEncoder
from model.sparse_rows import SparseRows


def main() -> None:
    """Train on a few n-grams of two and of three categories."""
    rows = SparseRows.of([np.array([1, 2], dtype=np.int32)] * 3)
    for classes in (2, 3):
        labels: Numbers = np.arange(3) % classes
        scale = scales(rows, labels, classes, 3, "nb")
        trainer = NgramTrainer(NgramTask(rows, labels, classes, scale, "sqrt", "adam", False, 0.0, 0))
        trainer.epoch()
        trainer.logits(rows)
        _predict(classes)
    print("Compiled what is compiled.")


def _predict(classes: int) -> None:
    """Encode texts with each kind of n-grams, add up and write down."""
    encoder, texts = NgramEncoder.fit(["fan", "fan"], Grams(1, 1, (1, 2), 1), 9, 9)
    weights = np.zeros((encoder.size, columns(classes)), dtype=np.float32)
    NgramSums(weights, weights[0], "sqrt").logits(texts)
    encoder.phrases("fan")


if __name__ == "__main__":
    main()
