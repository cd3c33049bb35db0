"""Claimflow itself: the product's own split, training and prediction; options: `config`, keys to change."""

import csv
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.roster import PRECISIONS
from container.part import write_part
from contract import keys
from contract.columns import CHANNEL, LINE
from contract.evaluation import Evaluation
from model import artifact, pipeline
from model.calibration import Array, Flags, calibration_error, reliability
from model.classifier import Classifier
from model.config import Config
from model.data import Row, read_file
from model.evaluation import decision
from model.familiarity import Bounds
from model.prediction import CHUNK
from model.prediction import predict as predict_rows
from model.review import review_reasons
from validate.split import assign, hash_texts

Trained: TypeAlias = Path  # the saved model: a training ends with one
FIRST_LINE = 2  # that of row 0, had every row one line


@dataclass(frozen=True)
class Loaded:
    """A model as it predicts, and what its training told of it."""

    classifier: Classifier
    evaluation: Evaluation


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


def load(folder: Path) -> Loaded:
    """Read the model as a prediction job does."""
    return Loaded(artifact.load(folder), artifact.evaluation(folder))


def predict(model: Loaded, path: Path) -> list[str]:
    """Return the label of each row."""
    return [found.prediction for found in predict_rows(model.classifier, read_file(path))]


def stream(model: Loaded, path: Path, part: Path) -> int:
    """Write the part that a prediction job writes for a shard; returns its rows."""
    return write_part(part, predict_rows(model.classifier, read_file(path)), 0)


def figures(model: Loaded, path: Path) -> dict[str, float]:
    """Return what the confidence is worth on rows that training never saw, by the name of the figure.

    `ece`: the expected calibration error. For each target: the share of the rows that is `accepted`, how many
    of these are right (`precision`), and the largest share that the model's own ranking has at that precision
    (`oracle`). `protected`: of the rows of protected labels, those labelled right or looked at by a person.
    """
    classifier, rows = model.classifier, list(read_file(path))
    chances, ratios, similarities = scored(classifier, [row.text for row in rows])
    truths = np.array([row.label for row in rows], dtype=object)
    confidences = chances.max(axis=1)
    correct = np.array(classifier.labels, dtype=object)[chances.argmax(axis=1)] == truths
    protected = np.isin(truths, classifier.config.protect)
    found = {"ece": calibration_error(reliability(confidences, correct))}
    for target in PRECISIONS:
        rule = decision(model.evaluation, target)
        unlike = Bounds(rule.min_in_vocabulary_ratio, rule.min_similarity).unlike(ratios, similarities)
        accepted = np.array([not why for why in review_reasons(rule, chances, unlike, classifier.labels)])
        found[f"accepted_{target}"] = float(accepted.mean())
        found[f"oracle_{target}"] = oracle(confidences, correct, target)
        if accepted.any():
            found[f"precision_{target}"] = float(correct[accepted].mean())
        if protected.any():
            found[f"protected_{target}"] = float((correct | ~accepted)[protected].mean())
    return found


def scored(classifier: Classifier, texts: list[str]) -> tuple[Array, Array, Array]:
    """Return the chances of each label, the share of known words and the similarity to training rows."""
    scores = [classifier.predict_proba(texts[first : first + CHUNK]) for first in range(0, len(texts), CHUNK)]
    return (
        np.concatenate([each.probabilities for each in scores]),
        np.concatenate([each.in_vocabulary_ratios for each in scores]),
        np.concatenate([each.similarities for each in scores]),
    )


def suspects(path: Path, options: Mapping[str, Any], scratch: Path) -> list[int]:
    """Return the numbers of the rows that a training lists as probably mislabelled, in its order."""
    prepare(path, options, scratch)
    train(path, options, scratch)
    with (folders_in(scratch).output / keys.SUSPECTS).open(newline="", encoding="utf-8") as file:
        return [int(row[LINE]) - FIRST_LINE for row in csv.DictReader(file)]


def oracle(confidences: Array, correct: Flags, target: float) -> float:
    """Return the largest share of the rows, the surest first, of which the share of right ones is enough."""
    ranked = correct[np.argsort(-confidences, kind="stable")]
    precisions = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    enough = np.flatnonzero(precisions >= target)
    return float((enough[-1] + 1) / len(ranked)) if len(enough) else 0.0


def write_channel(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as a training channel's file."""
    path.parent.mkdir(parents=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CHANNEL)
        writer.writerows((row.number, row.text, row.label, row.number + FIRST_LINE) for row in rows)
