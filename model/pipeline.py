"""One training from the labelled rows to the saved model: encode, train, calibrate, measure, report, save."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from contract.evaluation import Evaluation, Phrase, Training
from contract.evaluation import Part as PartFigures
from model import artifact
from model.calibration import cross_entropy, temperature
from model.classifier import Classifier, mix_logits
from model.comparison import Contender, compare
from model.config import Config
from model.data import Floats, Numbers, Row, read_folder, read_notes
from model.errors import DataError
from model.evaluation import Measured, Trained, evaluate
from model.explanation import top_phrases
from model.hosts import ALONE, Hosts
from model.parts import kind
from model.parts.part import Fitted, Rows
from model.report import render
from model.texts import Hashes, hash_texts
from model.training import Result, Session, print_at_once

MIXTURES = np.linspace(0, 1, 21)  # weights of the first part that are tried


@dataclasses.dataclass(frozen=True)
class Folders:
    """Where a training reads and writes."""

    train: Path
    validation: Path
    model: Path  # the artifact
    output: Path  # evaluation.json and report.html
    checkpoints: Path | None = None


@dataclasses.dataclass(frozen=True)
class _Data:
    """The labelled rows; training texts are streamed from their files whenever they are needed."""

    folders: Folders
    labels: tuple[str, ...]
    rows: Rows
    learned: Hashes  # of the training texts, each once
    validation: list[Row]


@dataclasses.dataclass(frozen=True)
class _Asked:
    """What a training is asked for by those who run it."""

    should_stop: Callable[[], bool]
    hosts: Hosts


def run(
    config: Config,
    folders: Folders,
    champion: Contender | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    hosts: Hosts = ALONE,
) -> Evaluation:
    """Train, measure and save a model; returns what evaluation.json holds.

    Of several hosts, the first calls this and the others `assist`.

    Raises DataError, VectorsError, TrainingError or TrainingStopped, each in one sentence.
    """
    started = time.monotonic()
    data = _read(config, folders)
    # What the other hosts help with comes first: they wait for it.
    order = sorted(config.parts, key=lambda name: hosts.several and not kind(name).shared)
    fitted = {name: _fit(name, config, data, _Asked(should_stop, hosts)) for name in order}
    parts = [fitted[name] for name in config.parts]
    logits = [part.validation.logits for part in parts]
    mixture = _mixture(logits, data.rows.validation_labels)
    classifier = Classifier(config, data.labels, tuple(part.part for part in parts), mixture)
    training: Training = {
        "architecture": "+".join(config.parts),
        "seconds": round(time.monotonic() - started, 1),
        "mixture": dict(zip(config.parts, mixture, strict=True)) if len(parts) > 1 else None,
        "parts": [_figures(name, part, data) for name, part in zip(config.parts, parts, strict=True)],
    }
    phrases = top_phrases(classifier, data.rows.validation_texts)
    described: dict[str, list[Phrase]] = {
        label: [{"phrase": each.phrase, "weight": each.weight} for each in spoken]
        for label, spoken in phrases.items()
    }
    contender = Contender(classifier, data.learned, folders.validation)
    evaluation, decision = evaluate(
        Measured(
            mix_logits(logits, mixture), data.rows.validation_labels, parts[0].validation.in_vocabulary_ratios
        ),
        data.validation,
        Trained(
            data.labels,
            training,
            described,
            training_rows=len(data.rows.labels),
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            notes=read_notes(folders.validation),
        ),
        config.target_precision,
        compare(contender, champion) if champion else None,
    )
    _write(dataclasses.replace(classifier, decision=decision), data.learned, evaluation, folders)
    return evaluation


def compare_again(trained: Path, folders: Folders, champion: Contender | None) -> Evaluation:
    """Compare a trained model with another live one, and save it with that comparison; nothing is trained.

    `trained` is its artifact; of `folders`, `validation` is read. Raises ArtifactError.
    """
    with artifact.unpacked(trained) as folder:
        classifier, learned = artifact.load(folder), artifact.learned(folder)
        evaluation = artifact.evaluation(folder)
    contender = Contender(classifier, learned, folders.validation)
    evaluation["champion"] = compare(contender, champion) if champion else None
    _write(classifier, learned, evaluation, folders)
    return evaluation


def assist(config: Config, folders: Folders, should_stop: Callable[[], bool], hosts: Hosts) -> None:
    """Train with the first host what several hosts train together; that host alone saves and measures.

    Raises the errors of `run`.
    """
    for name in shared_parts(config):
        _fit(name, config, _read(config, folders), _Asked(should_stop, hosts))


def shared_parts(config: Config) -> list[str]:
    """Return the parts that several hosts train together."""
    return [name for name in config.parts if kind(name).shared]


def _read(config: Config, folders: Folders) -> _Data:
    for name in config.parts:
        kind(name).check(config)  # first, as what it needs may be missing
    training, characters = [], 0
    for row in read_folder(folders.train):
        training.append(row.label)
        characters += len(row.text)
    labels = tuple(sorted(set(training)))
    _check_labels(config, len(labels))
    numbers = {label: number for number, label in enumerate(labels)}
    validation = list(read_folder(folders.validation))
    if not validation:
        raise DataError("The validation channel has no rows; a model cannot be measured without them.")
    print_at_once(f"{len(training)} training rows, {len(validation)} validation rows, {len(labels)} labels")
    rows = Rows(
        texts=partial(_texts, folders.train),
        labels=np.array([numbers[label] for label in training]),
        validation_texts=[row.text for row in validation],
        validation_labels=np.array([_known(row.number, row.label, numbers) for row in validation]),
        classes=len(labels),
        characters=characters,
    )
    return _Data(folders, labels, rows, np.unique(hash_texts(rows.texts())), validation)


def _texts(folder: Path) -> Iterator[str]:
    return (row.text for row in read_folder(folder))


def _known(row: int, label: str, numbers: dict[str, int]) -> int:
    if label not in numbers:
        raise DataError(
            f"Row {row} of the validation data has the label {label!r}, "
            "but no training row has; give that label more rows or leave it out."
        )
    return numbers[label]


def _check_labels(config: Config, found: int) -> None:
    if found < 2:
        raise DataError(f"The training rows have {found} label(s); a classifier needs at least 2.")
    if config.n_classes not in (None, found):
        raise DataError(
            f"n_classes is {config.n_classes}, but the training rows have {found} labels; set it to null."
        )


def _fit(name: str, config: Config, data: _Data, asked: _Asked) -> Fitted:
    part = kind(name)
    hosts = asked.hosts if part.shared else ALONE
    checkpoints = data.folders.checkpoints / name if data.folders.checkpoints else None
    say = print_at_once if hosts.first else lambda _: None  # all hosts have the same to say
    session = Session(checkpoints, asked.should_stop, say, hosts=hosts)
    return part.fit(data.rows, config.alone(name), session)


def _mixture(logits: list[Floats], truths: Numbers) -> tuple[float, ...]:
    """Return the weight of each part: the ones whose mixture fits the validation rows best, calibrated."""
    if len(logits) == 1:
        return (1.0,)
    losses = []
    for first in MIXTURES:
        together = mix_logits(logits, (first, 1 - first))
        losses.append(cross_entropy(together, truths, temperature(together, truths)))
    best = round(float(MIXTURES[int(np.argmin(losses))]), 4)
    return (best, round(1 - best, 4))


def _figures(name: str, fitted: Fitted, data: _Data) -> PartFigures:
    """Return what evaluation.json tells of a part."""
    result = fitted.result or _one_pass(fitted, data.rows)
    return {
        "architecture": name,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "seconds": result.seconds,
        "history": result.history,
        "settings": fitted.settings,
    }


def _one_pass(fitted: Fitted, rows: Rows) -> Result:
    right = fitted.validation.logits.argmax(axis=1) == rows.validation_labels
    accuracy = round(float(right.mean()), 6)
    return Result(1, 1, accuracy, 0.0, [{"epoch": 1, "validation_accuracy": accuracy}])


def _write(classifier: Classifier, learned: Hashes | None, evaluation: Evaluation, folders: Folders) -> None:
    report = render(evaluation)
    artifact.save(folders.model, classifier, evaluation, report, learned)
    folders.output.mkdir(parents=True, exist_ok=True)
    artifact.write_json(folders.output / artifact.EVALUATION, evaluation)
    (folders.output / artifact.REPORT).write_text(report, encoding="utf-8")
