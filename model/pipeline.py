"""One training from the labelled rows to the saved model: fit the parts, calibrate, measure, report, save."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from contract import keys
from contract.evaluation import Evaluation, Phrase, Training
from contract.evaluation import Part as PartFigures
from contract.hierarchy import MOST_LEVELS, depth, too_deep
from model import artifact, auto, levels, suspects
from model.acceptance import Wishes, protected_numbers
from model.advice import with_suspects
from model.auto import choose
from model.classifier import Classifier
from model.comparison import Contender, compare
from model.config import Config
from model.cross_fitting import fit, folds
from model.data import Floats, Numbers, Row, read_folder, read_notes
from model.errors import DataError
from model.evaluation import Measured, Trained, evaluate
from model.explanation import top_phrases
from model.hosts import ALONE, Hosts
from model.mixture import fit_mixture, mix_logits
from model.parts import kind
from model.parts.part import Fitted, Rows, Scores
from model.report import render
from model.texts import Hashes, hash_texts
from model.training import Result, Session, print_at_once


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

    @property
    def folds(self) -> int:
        """How many folds the training rows fall into; 0: there is no cross-fitting."""
        return 0 if self.rows.folds is None else len(np.unique(self.rows.folds))

    @property
    def calibrating_labels(self) -> Numbers:
        """The labels of the rows that all but the accuracy comes from."""
        return self.rows.labels if self.folds else self.rows.validation_labels


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
    config, fitted, choice = _fit_all(config, data, _Asked(should_stop, hosts))
    parts = list(fitted.values())
    mixture = fit_mixture([_calibrating(part).logits for part in parts], data.calibrating_labels)
    classifier = Classifier(config, data.labels, tuple(part.part for part in parts), mixture)
    training: Training = {
        "architecture": "+".join(fitted),
        "seconds": round(time.monotonic() - started, 1),
        "mixture": dict(zip(fitted, mixture, strict=True)) if len(parts) > 1 else None,
        "parts": [_figures(name, part, data) for name, part in fitted.items()],
    }
    contender = Contender(classifier, data.learned, folders.validation)
    trained = Trained(
        data.labels,
        training,
        _described(classifier, data),
        training_rows=len(data.rows.labels),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        notes=read_notes(folders.validation),
        champion=compare(contender, champion) if champion else None,
        choice=choice,
        folds=data.folds,
    )
    measured = _mixed([_calibrating(part) for part in parts], mixture, data.calibrating_labels)
    held_out = _mixed([part.validation for part in parts], mixture, data.rows.validation_labels)
    evaluation, decision = evaluate(
        measured,
        read_folder(folders.train) if data.folds else data.validation,
        trained,
        Wishes(config.target_precision, config.protect, config.protect_recall),
        held_out,
    )
    if classifier.hierarchy:
        decision = levels.measure(
            evaluation, measured, held_out if data.folds else measured, classifier.hierarchy
        )
        _tell_levels(evaluation)
    found = suspects.find(*_all([measured, held_out] if data.folds else [held_out]), decision.temperature)
    rows = suspects.named(found, _labelled(data), data.labels)
    evaluation["suspects"] = suspects.figures(found, rows)
    evaluation["acceptance"]["advice"] = with_suspects(evaluation["acceptance"], evaluation["suspects"])
    _write(dataclasses.replace(classifier, decision=decision), data.learned, evaluation, folders)
    suspects.write(folders.output / keys.SUSPECTS, rows)
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
    _check_depth(labels, config.hierarchy_separator)
    protected_numbers(config.protect, labels)  # raises DataError
    numbers = {label: number for number, label in enumerate(labels)}
    validation = list(read_folder(folders.validation))
    if not validation:
        raise DataError("The validation channel has no rows; a model cannot be measured without them.")
    print_at_once(f"{len(training)} training rows, {len(validation)} validation rows, {len(labels)} labels")
    hashes = hash_texts(_texts(folders.train))
    rows = Rows(
        texts=partial(_texts, folders.train),
        labels=np.array([numbers[label] for label in training]),
        validation_texts=[row.text for row in validation],
        validation_labels=np.array([_known(row.number, row.label, numbers) for row in validation]),
        classes=len(labels),
        characters=characters,
        folds=_folds(config, hashes),
    )
    return _Data(folders, labels, rows, np.unique(hashes), validation)


def _folds(config: Config, hashes: Hashes) -> Numbers | None:
    """Return the fold of each training row, or None where none are asked for or all rows fall into one."""
    if config.fold_count == 0:
        return None
    of_rows = folds(hashes, config.fold_count)
    return of_rows if len(np.unique(of_rows)) > 1 else None


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


def _check_depth(labels: Sequence[str], separator: str | None) -> None:
    if separator and depth(labels, separator) > MOST_LEVELS:
        raise DataError(too_deep(labels, separator))


def _tell_levels(evaluation: Evaluation) -> None:
    for number, level in enumerate(evaluation["levels"], 1):
        print_at_once(f"Level {number} accuracy={level['accuracy']:.4f}, {level['categories']} categories")


def _fit_all(config: Config, data: _Data, asked: _Asked) -> tuple[Config, dict[str, Fitted], str | None]:
    """Return the configuration with the parts that were taken, these fitted, and what `auto` has to say."""
    # What the other hosts help with comes first: they wait for it.
    order = sorted(config.parts, key=lambda name: asked.hosts.several and not kind(name).shared)
    fitted = {name: _fit(name, config, data, asked) for name in order}
    if not config.is_auto:
        return config, {name: fitted[name] for name in config.parts}, None
    (first,) = config.parts
    choice = choose(data.rows, fitted[first], config, _session(auto.ADDED, data, asked))
    if choice.added:
        fitted[auto.ADDED] = choice.added
    return config.alone("+".join(fitted)), fitted, choice.reason


def _fit(name: str, config: Config, data: _Data, asked: _Asked) -> Fitted:
    return fit(kind(name), data.rows, config.alone(name), _session(name, data, asked))


def _session(name: str, data: _Data, asked: _Asked) -> Session:
    hosts = asked.hosts if kind(name).shared else ALONE
    checkpoints = data.folders.checkpoints / name if data.folders.checkpoints else None
    say = print_at_once if hosts.first else lambda _: None  # all hosts have the same to say
    return Session(checkpoints, asked.should_stop, say, hosts=hosts)


def _calibrating(fitted: Fitted) -> Scores:
    """Return the scores that all but the accuracy comes from: out of fold where there are folds."""
    return fitted.out_of_fold or fitted.validation


def _mixed(parts: list[Scores], mixture: Sequence[float], truths: Numbers) -> Measured:
    return Measured(
        mix_logits([part.logits for part in parts], mixture),
        truths,
        parts[0].in_vocabulary_ratios,
        np.minimum.reduce([part.similarities for part in parts]),
    )


def _all(measured: Sequence[Measured]) -> tuple[Floats, Numbers]:
    """Return the logits and the labels of all rows that were measured."""
    return (
        np.concatenate([each.logits for each in measured]),
        np.concatenate([each.truths for each in measured]),
    )


def _labelled(data: _Data) -> Iterator[Row]:
    """Yield the labelled rows that a model was asked about which had not seen them."""
    if data.folds:
        yield from read_folder(data.folders.train)
    yield from data.validation


def _described(classifier: Classifier, data: _Data) -> dict[str, list[Phrase]]:
    """Return what speaks for each label, as evaluation.json tells it."""
    phrases = top_phrases(classifier, data.rows.validation_texts)
    return {
        label: [{"phrase": each.phrase, "weight": each.weight} for each in spoken]
        for label, spoken in phrases.items()
    }


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
