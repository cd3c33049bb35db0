"""A frozen sentence encoder, all-MiniLM-L6-v2, and logistic regression; options: `C`, values to choose from.

Its vectors come from Claimflow's own encoder, in Claimflow's environment: they are those of the published
model (tests/unit/model/test_sentence_encoder.py). C is chosen on a tenth of the training rows.
"""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from benchmarks import rows
from benchmarks.contenders.pickled import Model, load, save

Vectors: TypeAlias = npt.NDArray[np.float32]

__all__ = ["load", "predict", "save", "train"]

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / ".venv" / "app" / "bin" / "python"
SEED = 0


def train(path: Path, options: Mapping[str, Any], scratch: Path) -> Model:
    """Train on all rows, with the C that is best on a tenth of them."""
    _, labels = rows.read(path)
    vectors = embed(path)
    kept, held_out, kept_labels, held_out_labels = train_test_split(
        vectors, labels, test_size=0.1, random_state=SEED
    )
    scores = {
        value: regression(value).fit(kept, kept_labels).score(held_out, held_out_labels)
        for value in options["C"]
    }
    return regression(max(scores, key=lambda value: scores[value])).fit(vectors, labels)


def regression(value: float) -> LogisticRegression:
    """Return a logistic regression that has learned nothing yet."""
    return LogisticRegression(C=value, max_iter=1000)


def predict(model: Model, path: Path) -> list[str]:
    """Return the label of each row."""
    found: list[str] = model.predict(embed(path)).tolist()
    return found


def embed(path: Path) -> Vectors:
    """Return the vectors of a file's texts, shape (rows, numbers), of length 1."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "vectors.npy"
        subprocess.run([APP, "-m", "benchmarks.vectors", path, made], cwd=ROOT, check=True)
        vectors: Vectors = np.load(made, allow_pickle=False)
    return vectors
