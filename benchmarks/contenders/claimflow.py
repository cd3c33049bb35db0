"""Claimflow itself: the product's own split, training and prediction; options: `config`, keys to change."""

import csv
import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from container.part import write_part
from contract.columns import CHANNEL
from model import artifact, pipeline
from model.calibration import calibration_error, reliability
from model.classifier import Classifier
from model.config import Config
from model.data import Row, read_file
from model.prediction import predict as predict_rows
from validate.split import assign, hash_texts

Trained: TypeAlias = Path  # the saved model: a training ends with one


def prepare(path: Path, options: Mapping[str, Any], scratch: Path) -> None:
    """Hold out the rows that the product would, as its validation does before a training job starts."""
    split(path, folders_in(scratch), Config.parse(options["config"]).validation_fraction)


def train(path: Path, options: Mapping[str, Any], scratch: Path) -> Trained:
    """Do all that a training job does; returns the folder of the model."""
    folders = folders_in(scratch)
    pipeline.run(Config.parse(options["config"]), folders)
    return folders.model


def folders_in(scratch: Path) -> pipeline.Folders:
    """Return the folders of a training."""
    return pipeline.Folders(scratch / "train", scratch / "validation", scratch / "model", scratch / "output")


def split(path: Path, folders: pipeline.Folders, fraction: float) -> None:
    """Write the channels `train` and `validation`, by the rule of functions/validate/split.py."""
    hashes = hash_texts(row.text for row in read_file(path))
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(row.label, len(numbers)) for row in read_file(path)]
    held_out = assign(hashes, np.array(codes, dtype=np.int32), fraction)
    if held_out is None:
        raise ValueError(f"{path.name} has too few texts to hold some out.")
    files = [folder / "part-00000.csv" for folder in (folders.train, folders.validation)]
    for file, wanted in zip(files, (~held_out, held_out), strict=True):
        write_channel(file, itertools.compress(read_file(path), wanted.tolist()))


def save(model: Trained, folder: Path) -> None:
    """Move the saved model to its place."""
    model.replace(folder)


def load(folder: Path) -> Classifier:
    """Read the model as a prediction job does."""
    return artifact.load(folder)


def predict(model: Classifier, path: Path) -> list[str]:
    """Return the label of each row."""
    return [found.prediction for found in predict_rows(model, read_file(path))]


def stream(model: Classifier, path: Path, part: Path) -> int:
    """Write the part that a prediction job writes for a shard; returns its rows."""
    return write_part(part, predict_rows(model, read_file(path)), 0)


def figures(model: Classifier, path: Path) -> dict[str, float]:
    """Return the calibration error of rows that training never saw, and what is accepted of them."""
    found = list(predict_rows(model, read_file(path)))
    truths = [row.label for row in read_file(path)]
    correct = np.array([each.prediction == truth for each, truth in zip(found, truths, strict=True)])
    accepted = np.array([not each.doubt for each in found])
    bins = reliability(np.array([each.confidence for each in found]), correct)
    shown = {"ece": calibration_error(bins), "accepted": float(accepted.mean())}
    return shown | ({"precision": float(correct[accepted].mean())} if accepted.any() else {})


def write_channel(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as a training channel's file."""
    path.parent.mkdir(parents=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CHANNEL)
        writer.writerows((row.number, row.text, row.label, row.line) for row in rows)
