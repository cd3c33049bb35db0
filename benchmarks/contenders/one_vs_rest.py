"""scikit-learn's OneVsRestClassifier on TF-IDF of words and characters, at each level of a hierarchy.

`python -m benchmarks.contenders.one_vs_rest TRAIN TEST SEPARATOR` prints the accuracy of each level as JSON.
"""

import json
import sys
from pathlib import Path

from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union

from benchmarks import rows
from benchmarks.contenders.tfidf import characters, words


def main(train: Path, test: Path, separator: str) -> None:
    """Train one classifier for each level, the upper ones on its categories alone, and judge them."""
    texts, labels = rows.read(train)
    tested, truths = rows.read(test)
    levels = max(label.count(separator) for label in labels) + 1
    found = []
    for level in range(1, levels + 1):
        linear = OneVsRestClassifier(LogisticRegression(C=10, solver="liblinear"))
        model = make_pipeline(make_union(words(), characters()), linear)
        model.fit(texts, [_at(label, separator, level) for label in labels])
        right = model.predict(tested) == [_at(label, separator, level) for label in truths]
        found.append(float(right.mean()))
    print(json.dumps(found))


def _at(label: str, separator: str, level: int) -> str:
    return separator.join(label.split(separator)[:level])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
