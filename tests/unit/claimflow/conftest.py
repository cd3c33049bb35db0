"""A model of the sample claims, small enough to be trained in seconds, and claims that it has not seen."""

import csv
import tarfile
from pathlib import Path

import pandas as pd
import pytest

import claimflow
from contract.columns import CHANNEL
from model.config import Config
from model.pipeline import Folders, run
from tests.unit.workflow.conftest import account, cloudformation, machine, settings
from tests.workflow.claims import FAST

__all__ = ["account", "cloudformation", "machine", "settings"]

SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "claims_train.csv"
TRAINING, VALIDATION = 1200, 300  # rows


@pytest.fixture(scope="session")
def sample() -> pd.DataFrame:
    """Return the sample claims that no model of these tests has learned from."""
    return pd.read_csv(SAMPLE, on_bad_lines="skip").iloc[TRAINING + VALIDATION :].reset_index(drop=True)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the model.tar.gz of a training on sample claims."""
    base = tmp_path_factory.mktemp("claimflow")
    folders = Folders(base / "train", base / "validation", base / "model", base / "output")
    rows = pd.read_csv(SAMPLE, on_bad_lines="skip")
    write_channel(folders.train, rows.iloc[:TRAINING])
    write_channel(folders.validation, rows.iloc[TRAINING : TRAINING + VALIDATION])
    run(Config.parse(FAST | {"target_precision": 0.9}), folders)
    with tarfile.open(base / "model.tar.gz", "w:gz") as tar:
        tar.add(folders.model, arcname=".")
    return base / "model.tar.gz"


@pytest.fixture(scope="session")
def model(archive: Path) -> claimflow.Model:
    """Return that model."""
    return claimflow.load(archive)


def write_channel(folder: Path, rows: pd.DataFrame) -> None:
    """Write claims as a training channel."""
    folder.mkdir()
    with (folder / "part-00000.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CHANNEL)
        cells = zip(rows["description"], rows["category"], strict=True)
        writer.writerows((number, text, label, number + 2) for number, (text, label) in enumerate(cells))
