"""Which n-grams, and what they count: as the configuration says, or chosen on a part of the training rows."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from model.calibration import cross_entropy, temperature
from model.config import AUTO, FOLDS, Config
from model.cross_fitting import tellable
from model.data import Floats, Numbers
from model.errors import TrainingStopped
from model.ngram_buckets import Grams, Repeats
from model.ngram_scales import scales
from model.ngram_training import NgramTask, NgramTrainer
from model.ngrams import LEAST_TEXTS, NgramEncoder, Norm, Optimizer, Scale
from model.sparse_rows import SparseRows

T = TypeVar("T")

FEW_ROWS = 1500  # of more, only the first fold is left out to choose; of fewer, each in turn
LEAST_ROWS = 50  # that tell what to choose; below, the first that comes into question is taken
TRIED_EPOCHS = 2  # which tell as much as more would
MOST_EPOCHS = 16
AS_LOW = 1.005  # times the lowest loss is as low: all rows need fewer epochs than some of them
USUAL_EPOCHS = 4  # where there are too few rows to choose on

OF_WORDS, WITH_CHARACTERS = Grams(3, 0, None, 0), Grams(2, 4, (1, 4), 0)
OF_SINGLE_WORDS = Grams(1, 0, None, 0)
OF_FEW_ROWS = (Grams(2, 4, (2, 5), 0), Grams(1, 0, (2, 6), 0))
LONG = 500  # characters; in longer texts n-grams of characters take long and add nothing with Adam
CHARACTERS_OF_LONG = (2, 5)
MOST_OF_LONG = (
    10_000_000  # characters of all long texts: of more, their n-grams of characters fill the memory
)
REPEATING = 200  # characters; in shorter texts few words stand twice
ENDS = (0, 20)
REPEATS: tuple[Repeats, ...] = (False, True, "log")
WORTH = 0.99  # times the loss without them are ends and repeats worth the time that they take
LEASTS = (LEAST_TEXTS, 1)
OPTIMIZERS: tuple[Optimizer, ...] = ("adam", "sgd")
SCALES: tuple[Scale, ...] = ("nb", "nb-idf", "idf")
NORMS: tuple[Norm, ...] = ("sqrt", "none")
MOST_WEIGHTS = 40_000_000  # 160 MB, which training needs about four times
MOST_KEPT = 100_000_000  # bytes of a trial that is kept to go on with


@dataclasses.dataclass(frozen=True)
class NgramSettings:
    """Which n-grams a model adds up, what each counts, and how often it reads its rows."""

    grams: Grams
    scale: Scale
    norm: Norm
    least_texts: int = LEAST_TEXTS
    optimizer: Optimizer = OPTIMIZERS[0]
    epochs: int = USUAL_EPOCHS

    def described(self) -> dict[str, object]:
        """Return the settings by the names of the configuration's keys."""
        return {
            "ngram_words": self.grams.words,
            "ngram_skip": self.grams.skip,
            "ngram_chars": list(self.grams.chars) if self.grams.chars else None,
            "ngram_end": self.grams.end,
            "ngram_repeats": self.grams.repeats,
            "ngram_least_texts": self.least_texts,
            "ngram_scale": self.scale,
            "ngram_norm": self.norm,
            "ngram_optimizer": self.optimizer,
            "ngram_epochs": self.epochs,
        }


@dataclasses.dataclass(frozen=True)
class Sample:
    """Rows to choose on."""

    texts: Sequence[str]
    labels: Numbers
    folds: Numbers
    """The fold of each row, 0 to FOLDS - 1."""
    classes: int


def settings(
    config: Config, sample: Callable[[], Sample], should_stop: Callable[[], bool] = lambda: False
) -> NgramSettings:
    """Return the settings of the configuration; what it leaves to `auto` is chosen on the sample.

    One thing after the other, each time by the cross-entropy, at its best temperature, of rows that were left
    out, after few epochs; last, how many epochs are best. Raises TrainingStopped when it was asked to stop.
    """
    ends, repeats = _allowed(config.ngram_end, ENDS), _allowed(config.ngram_repeats, REPEATS)
    allowed_scales, norms = _allowed(config.ngram_scale, SCALES), _allowed(config.ngram_norm, NORMS)
    least = _allowed(config.ngram_least_texts, LEASTS)
    optimizers = _allowed(config.ngram_optimizer, OPTIMIZERS)
    epochs = config.ngram_epochs if isinstance(config.ngram_epochs, int) else USUAL_EPOCHS
    both = _fixed(config, (WITH_CHARACTERS, OF_WORDS))
    first = NgramSettings(both[0], allowed_scales[0], norms[0], least[0], optimizers[0], epochs)
    choices = (both, ends, repeats, allowed_scales, norms, least, optimizers)
    is_fixed = all(len(each) == 1 for each in choices)
    if is_fixed and config.ngram_epochs != AUTO:
        return first
    rows = sample()
    length, few = _mean_length(rows.texts), len(rows.texts) < FEW_ROWS
    is_repeating = length >= REPEATING
    of_short = (WITH_CHARACTERS, OF_WORDS, *(OF_FEW_ROWS if few else ()))
    grams = _fixed(config, of_short if length <= LONG else (OF_WORDS, OF_SINGLE_WORDS))
    first = dataclasses.replace(first, grams=grams[0])
    if len(rows.texts) < 2 * rows.classes:  # what a label has of its own, a single row has
        first = dataclasses.replace(first, least_texts=least[-1])
    trial = _Trial(config, rows, should_stop)
    if trial.told.sum() < LEAST_ROWS:
        return first
    best = trial.best([dataclasses.replace(first, grams=each) for each in grams])
    best = trial.best([dataclasses.replace(best, least_texts=each) for each in least[: 2 if few else 1]])
    best = trial.best([_with(best, end=each) for each in ends], WORTH)
    tried_repeats = [_with(best, repeats=each) for each in repeats[: 3 if is_repeating else 1]]
    best = trial.best(tried_repeats, WORTH)
    best = trial.best([dataclasses.replace(best, scale=each) for each in allowed_scales])
    best = trial.best([dataclasses.replace(best, norm=each) for each in norms])
    tried = optimizers[: 2 if is_repeating else 1]
    best = trial.best([dataclasses.replace(best, optimizer=each) for each in tried])
    is_small = LONG < length <= MOST_OF_LONG / len(rows.texts)
    if is_small and best.optimizer == "sgd" and config.ngram_chars == AUTO:
        best = trial.best([_with(best, chars=each) for each in (None, CHARACTERS_OF_LONG)])
    return dataclasses.replace(best, epochs=trial.epochs(best) if config.ngram_epochs == AUTO else epochs)


def feature_limit(config: Config, classes: int) -> int:
    """Return how many n-grams may be known: as configured, and no more than there is memory for."""
    return min(config.ngram_features, max(MOST_WEIGHTS // classes, 1))


@dataclasses.dataclass(frozen=True)
class _Split:
    """Rows to learn from, rows to judge by, and how many n-grams there are."""

    inside: SparseRows
    inside_labels: Numbers
    outside: SparseRows
    outside_labels: Numbers
    size: int


@dataclasses.dataclass(frozen=True)
class _Tried:
    """Settings that were tried: what has learned under them so far, and the loss after each epoch."""

    settings: NgramSettings
    trainers: list[NgramTrainer]
    losses: list[float]


class _Trial:
    def __init__(self, config: Config, sample: Sample, should_stop: Callable[[], bool]) -> None:
        self.config, self.sample, self.should_stop = config, sample, should_stop
        self.told = tellable(sample.labels, sample.folds)
        self.losses: dict[NgramSettings, float] = {}
        self.splits: dict[tuple[Grams, int], list[_Split]] = {}
        self.lowest: _Tried | None = None

    def best(self, candidates: Sequence[NgramSettings], worth: float = 1.0) -> NgramSettings:
        """Return the candidate of the lowest loss after TRIED_EPOCHS.

        The first, which is the quickest, is taken where no other's is below `worth` times its loss.
        """
        for candidate in candidates:
            if candidate not in self.losses:
                tried = _Tried(candidate, self._trainers(candidate), [])
                for _ in range(TRIED_EPOCHS):
                    self._epoch(tried)
                self.losses[candidate] = tried.losses[-1]
                self._keep(tried)
                print(f"Choosing n-grams: {_in_words(candidate)}: {self.losses[candidate]:.4f}", flush=True)
        lowest = min(candidates, key=self.losses.__getitem__)
        return lowest if self.losses[lowest] < worth * self.losses[candidates[0]] else candidates[0]

    def epochs(self, candidate: NgramSettings) -> int:
        """Return the fewest epochs with about the lowest loss; one that is worse than the one before ends."""
        tried = self._began(candidate)
        losses = tried.losses
        while len(losses) < MOST_EPOCHS and not (len(losses) > 1 and losses[-1] > losses[-2]):
            self._epoch(tried)
        print(f"Choosing epochs: {', '.join(f'{loss:.4f}' for loss in losses)}", flush=True)
        return next(number for number, loss in enumerate(losses, 1) if loss <= AS_LOW * min(losses))

    def _keep(self, tried: _Tried) -> None:
        """Keep what has the lowest loss so far, as it is likely to be gone on with, unless it is large."""
        if self.lowest is None or tried.losses[-1] < self.lowest.losses[-1]:
            small = sum(trainer.state.nbytes for trainer in tried.trainers) <= MOST_KEPT
            self.lowest = tried if small else None

    def _began(self, candidate: NgramSettings) -> _Tried:
        """Return the candidate as far as it was tried, or anew."""
        if self.lowest is not None and self.lowest.settings == candidate:
            return self.lowest
        return _Tried(candidate, self._trainers(candidate), [])

    def _epoch(self, tried: _Tried) -> None:
        """Let what is tried learn once more, and note its loss."""
        for trainer in tried.trainers:
            trainer.epoch()
            if self.should_stop():
                raise TrainingStopped("The training was asked to stop; a restart begins the n-grams anew.")
        tried.losses.append(_loss(tried.trainers, self._splits(tried.settings)))

    def _trainers(self, candidate: NgramSettings) -> list[NgramTrainer]:
        return [NgramTrainer(self._task(candidate, split)) for split in self._splits(candidate)]

    def _task(self, candidate: NgramSettings, split: _Split) -> NgramTask:
        scale = scales(split.inside, split.inside_labels, self.sample.classes, split.size, candidate.scale)
        return task(self.config, candidate, split.inside, split.inside_labels, self.sample.classes, scale)

    def _splits(self, candidate: NgramSettings) -> list[_Split]:
        grams, least = candidate.grams, candidate.least_texts
        if (grams, least) not in self.splits:
            self.splits.clear()  # those of one kind of n-grams at a time, as they take memory
            self.splits[grams, least] = list(self._split(grams, least))
        return self.splits[grams, least]

    def _split(self, grams: Grams, least: int) -> Iterator[_Split]:
        texts, labels = self.sample.texts, self.sample.labels
        limits = (self.config.seq_len, feature_limit(self.config, self.sample.classes), least)
        for fold in range(FOLDS if len(texts) < FEW_ROWS else 1):
            outside = np.flatnonzero((self.sample.folds == fold) & self.told)
            inside = np.flatnonzero(self.sample.folds != fold)
            if not len(outside):
                continue
            encoder, encoded = NgramEncoder.fit((texts[i] for i in inside), grams, *limits)
            left_out = encoder.encode([texts[i] for i in outside]).texts
            yield _Split(encoded, labels[inside], left_out, labels[outside], encoder.size)


def task(  # noqa: PLR0913, PLR0917  what a task is made of
    config: Config, chosen: NgramSettings, rows: SparseRows, labels: Numbers, classes: int, scale: Floats
) -> NgramTask:
    """Return what a training learns from, under settings that were chosen."""
    balanced = config.class_weight == "balanced"
    return NgramTask(rows, labels, classes, scale, chosen.norm, chosen.optimizer, balanced, 0.0, config.seed)


def _loss(trainers: Sequence[NgramTrainer], splits: Sequence[_Split]) -> float:
    """Return the mean cross-entropy of all rows that were left out, at its best temperature."""
    logits = np.concatenate(
        [trainer.logits(split.outside) for trainer, split in zip(trainers, splits, strict=True)]
    )
    truths = np.concatenate([split.outside_labels for split in splits])
    return cross_entropy(logits, truths, temperature(logits, truths))


def _mean_length(texts: Sequence[str]) -> float:
    return sum(map(len, texts)) / max(len(texts), 1)


def _with(settings: NgramSettings, **of_grams: Any) -> NgramSettings:  # noqa: ANN401  fields of Grams
    """Return the settings with something else about their n-grams."""
    return dataclasses.replace(settings, grams=dataclasses.replace(settings.grams, **of_grams))


def _fixed(config: Config, choices: Sequence[Grams]) -> list[Grams]:
    """Return the choices with what the configuration fixes put in, each once."""
    given = {
        "words": config.ngram_words,
        "skip": config.ngram_skip,
        "end": config.ngram_end,
        "repeats": config.ngram_repeats,
    }
    fixed: dict[str, Any] = {name: value for name, value in given.items() if value != AUTO}
    if config.ngram_chars != AUTO:
        fixed["chars"] = tuple(sorted(config.ngram_chars)) if config.ngram_chars else None
    return list(dict.fromkeys(dataclasses.replace(grams, **fixed) for grams in choices))


def _allowed(given: object, choices: Sequence[T]) -> Sequence[T]:
    return choices if given == AUTO else [cast("T", given)]


def _in_words(candidate: NgramSettings) -> str:
    grams = candidate.grams
    parts = [f"1 to {grams.words} words" if grams.words > 1 else "single words"]
    parts += [f"pairs with up to {grams.skip} between"] * bool(grams.skip)
    parts += ["{} to {} characters".format(*grams.chars)] if grams.chars else []
    parts += [f"the last {grams.end} apart"] * bool(grams.end)
    parts += ["repeated words apart"] * (grams.repeats is True)
    parts += ["repeats by their logarithm"] * (grams.repeats == "log")
    parts += ["also those seen once"] * (candidate.least_texts == 1)
    return f"{', '.join(parts)}; scale {candidate.scale}, norm {candidate.norm}, {candidate.optimizer}"
