"""One training from the labelled rows to the saved model: encode, train, calibrate, measure, report, save."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model import artifact
from model.calibration import coverage_curve
from model.classifier import Classifier
from model.config import Config
from model.data import Examples, Split, encode, read_folder
from model.encoder import Encoder
from model.errors import DataError
from model.evaluation import Evaluation, Measured, evaluate
from model.network import Network
from model.prediction import predict
from model.report import Mistake, render, shorten
from model.training import Result, seed_everything, train
from model.vectors import with_spacy_vectors

MISTAKES_SHOWN = 20


@dataclass(frozen=True)
class Folders:
    """Where a training reads and writes."""

    train: Path
    validation: Path
    model: Path  # the artifact
    output: Path  # evaluation.json and report.html
    checkpoints: Path | None = None


def run(
    config: Config,
    folders: Folders,
    champion: Classifier | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Train, measure and save a model; gives what evaluation.json holds.

    Raises DataError, VectorsError, TrainingError or TrainingStopped, each in one sentence.
    """
    encoder = Encoder.fit(
        ((row.text, row.label) for row in read_folder(folders.train)), config.vocab_size, config.seq_len
    )
    _check_labels(config, encoder)
    split = Split(
        encode(read_folder(folders.train), encoder), encode(read_folder(folders.validation), encoder)
    )
    if not split.validation.texts:
        raise DataError("The validation channel has no rows; a model cannot be measured without them.")
    print(
        f"{len(split.training.texts)} training rows, {len(split.validation.texts)} validation rows, "
        f"{len(encoder.labels)} labels, {encoder.size} words",
        flush=True,
    )
    network = _untrained(config, encoder)
    accuracy = champion_accuracy(champion, folders.validation) if champion else None
    result = train(network, config, split, folders.checkpoints, should_stop)
    measured = _measure(network, encoder, split.validation)
    evaluation, rule = evaluate(
        measured, encoder.labels, config.target_precision, accuracy, _training_figures(config, result)
    )
    classifier = Classifier(config, encoder, network, rule)
    _write(classifier, evaluation, folders)
    return evaluation


def champion_accuracy(champion: Classifier, validation: Path) -> float:
    """Give the share of the validation rows that the live model labels right.

    A label that it does not know counts as wrong.
    """
    truths = (row.label for row in read_folder(validation))
    predictions = predict(champion, read_folder(validation))
    return float(np.mean([found.label == truth for found, truth in zip(predictions, truths, strict=True)]))


def _check_labels(config: Config, encoder: Encoder) -> None:
    found = len(encoder.labels)
    if found < 2:
        raise DataError(f"The training rows have {found} label(s); a classifier needs at least 2.")
    if config.n_classes not in (None, found):
        raise DataError(
            f"n_classes is {config.n_classes}, but the training rows have {found} labels; set it to null."
        )


def _untrained(config: Config, encoder: Encoder) -> Network:
    seed_everything(config.seed)
    network = Network(config, encoder.size, len(encoder.labels))
    if config.use_spacy_pretrained:
        network.use_vectors(with_spacy_vectors(network.vectors(), encoder, config.spacy_model))
    return network


def _measure(network: Network, encoder: Encoder, validation: Examples) -> Measured:
    shares = np.array([encoder.known_share(ids) for ids in validation.texts])
    return Measured(network.logits(validation.texts), validation.labels, shares)


def _training_figures(config: Config, result: Result) -> dict[str, object]:
    return {
        "architecture": config.architecture,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "seconds": result.seconds,
        "history": result.history,
    }


def _write(classifier: Classifier, evaluation: Evaluation, folders: Folders) -> None:
    report = _report(classifier, evaluation, folders.validation)
    artifact.save(folders.model, classifier, evaluation, report)
    folders.output.mkdir(parents=True, exist_ok=True)
    artifact.write_json(folders.output / artifact.EVALUATION, evaluation)
    (folders.output / artifact.REPORT).write_text(report, encoding="utf-8")


def _report(classifier: Classifier, evaluation: Evaluation, validation: Path) -> str:
    """Give the page, from the model's predictions of the validation rows, which are streamed once more."""
    confidences, correct = [], []
    mistakes: list[Mistake] = []
    for row, guess in zip(read_folder(validation), predict(classifier, read_folder(validation)), strict=True):
        confidences.append(guess.confidence)
        correct.append(guess.label == row.label)
        if guess.label != row.label:
            mistake = Mistake(guess.confidence, row.number, shorten(row.text), row.label, guess.label)
            mistakes = heapq.nlargest(MISTAKES_SHOWN, [*mistakes, mistake], key=lambda made: made.confidence)
    return render(evaluation, coverage_curve(np.array(confidences), np.array(correct)), mistakes)
