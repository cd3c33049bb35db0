"""One training from the labelled rows to the saved model: encode, train, calibrate, measure, report, save."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from model import artifact
from model.calibration import cross_entropy, temperature
from model.classifier import Classifier, Part, mixed
from model.comparison import Contender, compare
from model.config import Config
from model.data import Examples, Floats, Numbers, Split, read_folder, read_notes
from model.encoder import Encoded, Ids, Shares, WordEncoder
from model.errors import DataError
from model.evaluation import Evaluation, Measured, Trained, evaluate
from model.explanation import speaking
from model.hosts import ALONE, Hosts
from model.network import Network, all_devices, seed_everything
from model.ngram_settings import MOST_CHARACTERS, Sample, feature_limit, settings, untrained
from model.ngram_sums import NgramSums
from model.ngrams import NgramEncoder
from model.report import render
from model.texts import Hashes, hash_texts
from model.tokenizer import grouped
from model.training import Result, Session, print_at_once, train
from model.vectors import SpacyVectors

NGRAM = "ngram"
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
    """The labelled rows: texts are streamed from their files whenever they are needed."""

    folders: Folders
    labels: tuple[str, ...]
    training: Numbers  # the label of each training row
    validation: Numbers
    characters: int  # of the training texts
    learned: Hashes  # of the training texts, each once
    vectors: SpacyVectors | None  # that words start from

    def texts(self) -> Iterator[str]:
        return (row.text for row in read_folder(self.folders.train))

    def validation_texts(self) -> list[str]:
        return [row.text for row in read_folder(self.folders.validation)]


@dataclasses.dataclass(frozen=True)
class _Asked:
    """What a training is asked for by those who run it."""

    should_stop: Callable[[], bool]
    hosts: Hosts


@dataclasses.dataclass(frozen=True)
class _TrainedPart:
    part: Part
    logits: Floats  # of the validation rows
    known_shares: Shares
    figures: dict[str, Any]


def run(
    config: Config,
    folders: Folders,
    champion: Contender | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    hosts: Hosts = ALONE,
) -> Evaluation:
    """Train, measure and save a model; gives what evaluation.json holds.

    Of several hosts, the first calls this and the others `assist`.

    Raises DataError, VectorsError, TrainingError or TrainingStopped, each in one sentence.
    """
    started = time.monotonic()
    data = _read(config, folders)
    asked = _Asked(should_stop, hosts)
    # n-grams last when other hosts wait to train the other part.
    order = sorted(config.parts, key=lambda name: hosts.several and name == NGRAM)
    trained = {name: _train_part(name, config, data, asked) for name in order}
    parts = [trained[name] for name in config.parts]
    mixture = _mixture([part.logits for part in parts], data.validation)
    classifier = Classifier(config, data.labels, tuple(part.part for part in parts), mixture)
    contender = Contender(classifier, data.learned, folders.validation)
    training = {
        "architecture": "+".join(config.parts),
        "seconds": round(time.monotonic() - started, 1),
        "mixture": dict(zip(config.parts, mixture, strict=True)) if len(parts) > 1 else None,
        "parts": [part.figures for part in parts],
    }
    phrases = speaking(classifier, (row.text for row in read_folder(folders.validation)))
    described = {label: [dataclasses.asdict(each) for each in found] for label, found in phrases.items()}
    evaluation, decision = evaluate(
        Measured(mixed([part.logits for part in parts], mixture), data.validation, parts[0].known_shares),
        read_folder(folders.validation),
        Trained(
            data.labels,
            training,
            described,
            training_rows=len(data.training),
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
        _fit_words(_only(name, config), _read(config, folders), _Asked(should_stop, hosts))


def shared_parts(config: Config) -> list[str]:
    """Return the parts that several hosts train together; n-grams take one host less time than that."""
    return [name for name in config.parts if name != NGRAM]


def _read(config: Config, folders: Folders) -> _Data:
    vectors = _spacy_vectors(config)  # first, as they may be missing
    training, characters = [], 0
    for row in read_folder(folders.train):
        training.append(row.label)
        characters += len(row.text)
    learned = np.unique(hash_texts(row.text for row in read_folder(folders.train)))
    labels = tuple(sorted(set(training)))
    _check_labels(config, len(labels))
    numbers = {label: number for number, label in enumerate(labels)}
    validation = np.array([_known(row.number, row.label, numbers) for row in read_folder(folders.validation)])
    if not len(validation):
        raise DataError("The validation channel has no rows; a model cannot be measured without them.")
    print_at_once(f"{len(training)} training rows, {len(validation)} validation rows, {len(labels)} labels")
    truths = np.array([numbers[label] for label in training])
    return _Data(folders, labels, truths, validation, characters, learned, vectors)


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


def _spacy_vectors(config: Config) -> SpacyVectors | None:
    wanted = config.use_spacy_pretrained and bool(shared_parts(config))
    return SpacyVectors.load(config.spacy_model, config.embed_size) if wanted else None


def _train_part(name: str, config: Config, data: _Data, asked: _Asked) -> _TrainedPart:
    if name == NGRAM:
        session = Session(_checkpoints(name, data), asked.should_stop, by_loss=True)
        return _train_ngrams(config, data, session)
    return _train_words(_only(name, config), data, asked)


def _only(name: str, config: Config) -> Config:
    return config.model_copy(update={"architecture": name})


def _checkpoints(name: str, data: _Data) -> Path | None:
    return data.folders.checkpoints / name if data.folders.checkpoints else None


def _train_ngrams(config: Config, data: _Data, session: Session) -> _TrainedPart:
    chosen = settings(config, lambda: _sample(config, data), session.should_stop)
    classes = len(data.labels)
    encoder, encoded = NgramEncoder.fit(
        data.texts(), chosen.grams, config.seq_len, feature_limit(config, classes)
    )
    print_at_once(f"{encoder.size - 1} n-grams")
    validation = encoder.encode(data.validation_texts())
    split = Split(Examples(encoded, data.training), Examples(validation.texts, data.validation))
    network, training, scale = untrained(config, chosen, split.training, encoder.size, classes)
    result = train(network, training, split, session)
    sums = NgramSums.of(network.arrays(), scale, chosen.norm)
    figures = _figures(NGRAM, result) | {
        "settings": {**chosen.described(), "ngram_epochs": result.best_epoch, "n-grams": encoder.size - 1}
    }
    part = Part(NGRAM, encoder, sums)
    return _TrainedPart(part, sums.logits(validation.texts), validation.known_shares, figures)


def _train_words(config: Config, data: _Data, asked: _Asked) -> _TrainedPart:
    part, validation, figures = _fit_words(config, data, asked)
    return _TrainedPart(part, part.scorer.logits(validation.texts), validation.known_shares, figures)


def _fit_words(config: Config, data: _Data, asked: _Asked) -> tuple[Part, Encoded, dict[str, Any]]:
    encoder = WordEncoder.fit(data.texts(), config.vocab_size, config.seq_len)
    print_at_once(f"{encoder.size} words")
    validation = encoder.encode(data.validation_texts())
    split = Split(
        Examples(_all_encoded(encoder, data.texts()), data.training),
        Examples(validation.texts, data.validation),
    )
    network = _untrained_words(config, encoder, len(data.labels))
    made_of = {"words": encoder.size} | _start_from(data.vectors, network, encoder)
    (name,) = config.parts
    say = print_at_once if asked.hosts.first else lambda _: None  # all hosts have the same to say
    session = Session(_checkpoints(name, data), asked.should_stop, say, hosts=asked.hosts)
    figures = _figures(name, train(network, config, split, session)) | {"settings": made_of}
    return Part(name, encoder, network), validation, figures


def _all_encoded(encoder: WordEncoder, texts: Iterator[str]) -> list[Ids]:
    return [ids for group in grouped(texts) for ids in encoder.encode(group).texts]


def _start_from(vectors: SpacyVectors | None, network: Network, encoder: WordEncoder) -> dict[str, int]:
    """Start the words from their vectors; gives how many have one, as evaluation.json tells it."""
    if vectors is None:
        return {}
    words = encoder.vocabulary
    filled, found = vectors.fill(network.vectors(), words)
    network.use_vectors(filled)
    print_at_once(
        f"spaCy vectors of {vectors.package} for {found:,} of {len(words):,} words; "
        "the others start at random"
    )
    return {"words with a vector": found}


def _untrained_words(config: Config, encoder: WordEncoder, classes: int) -> Network:
    seed_everything(config.seed)
    network = Network(config, encoder.size, classes, devices=all_devices())
    if config.amp and network.device.device_type == "gpu":
        network.use_mixed_precision()
    elif config.amp:
        print_at_once("amp is true, but there is no GPU: training stays in float32.")
    return network


def _sample(config: Config, data: _Data) -> Sample:
    """Return training rows at random, about MOST_CHARACTERS of them."""
    share = min(1.0, MOST_CHARACTERS / max(data.characters, 1))
    taken = np.random.default_rng(config.seed).random(len(data.training)) < share
    texts = [text for text, wanted in zip(data.texts(), taken, strict=True) if wanted]
    return Sample(texts, data.training[taken], len(data.labels))


def _mixture(logits: list[Floats], truths: Numbers) -> tuple[float, ...]:
    """Return the weight of each part: the ones whose mixture fits the validation rows best, calibrated."""
    if len(logits) == 1:
        return (1.0,)
    losses = []
    for first in MIXTURES:
        together = mixed(logits, (first, 1 - first))
        losses.append(cross_entropy(together, truths, temperature(together, truths)))
    best = round(float(MIXTURES[int(np.argmin(losses))]), 4)
    return (best, round(1 - best, 4))


def _figures(name: str, result: Result) -> dict[str, Any]:
    return {
        "architecture": name,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "seconds": result.seconds,
        "history": result.history,
    }


def _write(classifier: Classifier, learned: Hashes | None, evaluation: Evaluation, folders: Folders) -> None:
    report = render(evaluation)
    artifact.save(folders.model, classifier, evaluation, report, learned)
    folders.output.mkdir(parents=True, exist_ok=True)
    artifact.write_json(folders.output / artifact.EVALUATION, evaluation)
    (folders.output / artifact.REPORT).write_text(report, encoding="utf-8")
