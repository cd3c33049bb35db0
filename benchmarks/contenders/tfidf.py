"""scikit-learn: TF-IDF of one and two words, then a linear model; options: `linear`, a key of PIPELINES.

`wordchar` reads runs of 2 to 5 characters inside words, too.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from benchmarks import rows
from benchmarks.contenders.pickled import Model, load, save

__all__ = ["load", "predict", "save", "train"]

PIPELINES = {
    "logistic": lambda: make_pipeline(words(), LogisticRegression(C=10, max_iter=1000)),
    "svc": lambda: make_pipeline(words(), LinearSVC()),
    "wordchar": lambda: make_pipeline(make_union(words(), characters()), LinearSVC(C=0.5)),
}


def train(path: Path, options: Mapping[str, Any], scratch: Path) -> Model:
    """Train on all rows."""
    texts, labels = rows.read(path)
    return PIPELINES[options["linear"]]().fit(texts, labels)


def words() -> TfidfVectorizer:
    """Return the features of one and two words."""
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)


def characters() -> TfidfVectorizer:
    """Return the features of runs of 2 to 5 characters that do not cross the edges of words."""
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True)


def predict(model: Model, path: Path) -> list[str]:
    """Return the label of each row."""
    texts, _ = rows.read(path)
    found: list[str] = model.predict(texts).tolist()
    return found
