"""Write the sentence vectors of a file's texts: `python -m benchmarks.vectors ROWS.csv VECTORS.npy`."""

import sys
from pathlib import Path

import numpy as np

from benchmarks import rows
from model.config import Config
from model.sentence_encoder import SentenceEncoder


def main(source: Path, target: Path) -> None:
    """Write an array of shape (rows, numbers) as NumPy keeps it; each row has the length 1."""
    texts, _ = rows.read(source)
    encoder = SentenceEncoder.load(Config.parse({}).sentence_model)
    np.save(target, encoder.encode(texts), allow_pickle=False)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
