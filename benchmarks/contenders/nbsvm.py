"""scikit-learn: NB-SVM on one to three words (Wang & Manning 2012, "Baselines and Bigrams").

Without the paper's interpolation between the SVM's weights and their mean, which lost accuracy here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.svm import LinearSVC

from benchmarks import rows
from benchmarks.contenders.pickled import Model, load, save

__all__ = ["load", "predict", "save", "train"]

Array: TypeAlias = Any  # of numpy, or of scipy and then sparse

TOKEN = r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]"  # noqa: S105  words and punctuation marks


def train(path: Path, options: Mapping[str, Any], scratch: Path) -> Model:
    """Train a model for each label against the rest, or one for two labels."""
    texts, labels = rows.read(path)
    words = CountVectorizer(ngram_range=(1, 3), min_df=2, binary=True, token_pattern=TOKEN, dtype=np.float32)
    seen = words.fit_transform(texts)
    names, codes = np.unique(labels, return_inverse=True)
    wanted = range(1, 2) if len(names) == 2 else range(len(names))
    fitted = [one_against_rest(seen, codes == code, options["C"]) for code in wanted]
    return (
        words,
        np.array([weights for weights, _ in fitted]).T,
        np.array([bias for _, bias in fitted]),
        names,
    )


def one_against_rest(seen: Array, positive: Array, penalty: float) -> tuple[Array, float]:
    """Return the weights of all n-grams, the naive-Bayes ratio folded in, and the bias."""
    counts = [np.asarray(seen[rows_of].sum(axis=0)).ravel() + 1 for rows_of in (positive, ~positive)]
    ratio = np.log((counts[0] / counts[0].sum()) / (counts[1] / counts[1].sum())).astype(np.float32)
    svm = LinearSVC(C=penalty).fit(seen.multiply(ratio).tocsr(), positive)
    return (svm.coef_.ravel() * ratio).astype(np.float32), float(svm.intercept_[0])


def predict(model: Model, path: Path) -> list[str]:
    """Return the label of each row."""
    words, weights, biases, names = model
    texts, _ = rows.read(path)
    scores = words.transform(texts) @ weights + biases
    best = (scores[:, 0] > 0).astype(int) if len(names) == 2 else scores.argmax(axis=1)
    found: list[str] = names[best].tolist()
    return found
