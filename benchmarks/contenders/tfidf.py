"""scikit-learn: TF-IDF of one and two words, then a linear model; options: `linear`, logistic or svc."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from benchmarks import rows
from benchmarks.contenders.pickled import Model, load, save

__all__ = ["load", "predict", "save", "train"]

LINEAR = {
    "logistic": lambda: LogisticRegression(C=10, max_iter=1000),
    "svc": LinearSVC,
}


def train(path: Path, options: Mapping[str, Any], scratch: Path) -> Model:
    """Train on all rows."""
    texts, labels = rows.read(path)
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return make_pipeline(words, LINEAR[options["linear"]]()).fit(texts, labels)


def predict(model: Model, path: Path) -> list[str]:
    """Return the label of each row."""
    texts, _ = rows.read(path)
    found: list[str] = model.predict(texts).tolist()
    return found
