"""How right each level of a hierarchy is, next to scikit-learn's OneVsRestClassifier trained for that level.

`python -m benchmarks.levels` prints a table. HWU64's categories are a scenario and an intent, of which the
first `_` stands between: `calendar_set` becomes `calendar > set`. Claimflow trains one model for both levels.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import data, rows
from benchmarks.contenders import claimflow
from benchmarks.roster import PEERS, ROOT
from contract.hierarchy import upper
from model import artifact
from model.data import read_file
from model.prediction import predict

SEPARATOR = " > "
CONFIGS = {
    "Claimflow, as it comes": {},
    "Claimflow, n-grams alone": {"architecture": "ngram"},
}


def main() -> None:
    """Print the table, a line for each contender."""
    print("| | scenario (18) | intent (64) |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        train, test = (_written(split, Path(folder)) for split in ("train", "test"))
        lines = {name: ours(train, test, config, Path(folder) / name) for name, config in CONFIGS.items()}
        lines["OneVsRestClassifier, one for each level"] = peer(train, test)
    for name, figures in lines.items():
        print(f"| {name} | {' | '.join(f'{each:.1%}' for each in figures)} |")


def ours(train: Path, test: Path, config: dict[str, str], scratch: Path) -> list[float]:
    """Return the accuracy of each level on the test rows, the topmost first."""
    options = {"config": {**config, "hierarchy_separator": SEPARATOR}}
    scratch.mkdir()
    claimflow.prepare(train, options, scratch)
    classifier = artifact.load(claimflow.train(train, options, scratch))
    found = list(predict(classifier, read_file(test)))
    _, truths = rows.read(test)
    right = [
        [name for name, _ in json.loads(said.levels)[1:]] == upper(truth, SEPARATOR)
        for said, truth in zip(found, truths, strict=True)
    ]
    leaves = [said.prediction == truth for said, truth in zip(found, truths, strict=True)]
    return [float(np.mean(right)), float(np.mean(leaves))]


def peer(train: Path, test: Path) -> list[float]:
    """Return the same of scikit-learn, which has an environment of its own."""
    python = ROOT / ".venv" / PEERS / "bin" / "python"
    module = "benchmarks.contenders.one_vs_rest"
    done = subprocess.run(
        [python, "-m", module, train, test, SEPARATOR], cwd=ROOT, check=True, capture_output=True, text=True
    )
    figures: list[float] = json.loads(done.stdout)
    return figures


def _written(split: str, folder: Path) -> Path:
    pairs = data.shuffled(data.read(data.DATASETS["hwu64"], split, data.data_folder()))
    path = folder / f"{split}.csv"
    rows.write(path, [(text, label.replace("_", SEPARATOR, 1)) for text, label in pairs])
    return path


if __name__ == "__main__":
    main()
