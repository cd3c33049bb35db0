"""Which n-grams, and what they count: as the configuration says, or chosen on a part of the training rows."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from model.calibration import cross_entropy, temperature
from model.config import Config
from model.data import Examples, Floats, Numbers, Split
from model.encoder import Ids
from model.network import Network, NgramSum, seed_everything
from model.ngram_sums import scales
from model.ngrams import Grams, NgramEncoder, Norm, Scale
from model.training import Session, train

T = TypeVar("T")

AUTO = "auto"
HELD_OUT = 0.2  # of the rows that are chosen on
LEAST_ROWS = 100  # to choose on; below, the first that comes into question is taken
TRIED_EPOCHS = 6

OF_WORDS, WITH_CHARACTERS = Grams(3, 0, None, 0), Grams(2, 4, (1, 4), 0)
LONG = 500  # characters; in longer texts n-grams of characters take long and add nothing
ENDS = (0, 20)
SCALES: tuple[Scale, ...] = ("nb", "nb-idf", "idf")
NORMS: tuple[Norm, ...] = ("sqrt", "none")

MOST_EPOCHS = 8
PATIENCE = 1
STEP = 0.045  # by which one row may move the logits of a text, on average; a batch, by its root as much
STEP_TEXTS = 2000  # that the step is fitted to
STEPS = 100  # wanted in an epoch: small files take small batches
BATCH_SIZES = (16, 256)
MOST_WEIGHTS = 40_000_000  # 160 MB, which training needs about five times


@dataclasses.dataclass(frozen=True)
class NgramSettings:
    """Which n-grams a network adds up, and what each counts."""

    grams: Grams
    scale: Scale
    norm: Norm

    def described(self) -> dict[str, object]:
        """Return the settings by the names of the configuration's keys."""
        return {
            "ngram_words": self.grams.words,
            "ngram_skip": self.grams.skip,
            "ngram_chars": list(self.grams.chars) if self.grams.chars else None,
            "ngram_end": self.grams.end,
            "ngram_scale": self.scale,
            "ngram_norm": self.norm,
        }


@dataclasses.dataclass(frozen=True)
class Sample:
    """Rows to choose on."""

    texts: Sequence[str]
    labels: Numbers
    classes: int


def settings(
    config: Config, sample: Callable[[], Sample], should_stop: Callable[[], bool] = lambda: False
) -> NgramSettings:
    """Return the settings of the configuration; what it leaves to `auto` is chosen on the sample.

    One thing after the other, each time by the cross-entropy, at its best temperature, of the part of the
    sample that was held out. Raises TrainingStopped when it was asked to stop.
    """
    ends = _allowed(config.ngram_end, ENDS)
    allowed_scales, norms = _allowed(config.ngram_scale, SCALES), _allowed(config.ngram_norm, NORMS)
    both = _fixed(config, ends[0], (WITH_CHARACTERS, OF_WORDS))
    if len(both) == len(ends) == len(allowed_scales) == len(norms) == 1:
        return NgramSettings(both[0], allowed_scales[0], norms[0])
    rows = sample()
    grams = both if _mean_length(rows.texts) <= LONG else both[-1:]
    first = NgramSettings(grams[0], allowed_scales[0], norms[0])
    if len(rows.texts) < LEAST_ROWS:
        return first
    trial = _Trial(config, rows, should_stop)
    best = trial.best([dataclasses.replace(first, grams=each) for each in grams])
    best = trial.best(
        [dataclasses.replace(best, grams=dataclasses.replace(best.grams, end=end)) for end in ends]
    )
    best = trial.best([dataclasses.replace(best, scale=each) for each in allowed_scales])
    return trial.best([dataclasses.replace(best, norm=each) for each in norms])


def untrained(
    config: Config, chosen: NgramSettings, examples: Examples, size: int, classes: int
) -> tuple[Network, Config, Floats]:
    """Return a network for the n-grams of the training examples, how to train it, and what each counts.

    The rate of Adam, whose step does not depend on the size of the gradient, is such that a step moves the
    logits of a text with all its n-grams by STEP * sqrt(batch size) on average.
    """
    scale = scales(examples, classes, size, chosen.scale)
    batch_size = int(np.clip(2 ** round(math.log2(len(examples.texts) / STEPS)), *BATCH_SIZES))
    changes = {
        "ngram_norm": chosen.norm,
        "optimizer": "adam",
        "learning_rate": STEP * math.sqrt(batch_size) / _mean_sum(examples.texts, scale, chosen.norm),
        "power_decay": False,
        "wd": 0.0,
        "clip_gradient": None,
        "batch_size": batch_size,
        "num_epoch": MOST_EPOCHS if config.ngram_epochs == AUTO else config.ngram_epochs,
        "patience": PATIENCE if config.ngram_epochs == AUTO else MOST_EPOCHS,
    }
    training = config.model_copy(update=changes)
    seed_everything(config.seed)
    return Network(NgramSum, training, size, classes, scale=scale), training, scale


class _Trial:
    def __init__(self, config: Config, sample: Sample, should_stop: Callable[[], bool]) -> None:
        self.config, self.sample, self.should_stop = config, sample, should_stop
        self.losses: dict[NgramSettings, float] = {}
        self.encoded: dict[Grams, tuple[NgramEncoder, list[Ids]]] = {}
        held_out = np.random.default_rng(config.seed).random(len(sample.texts)) < HELD_OUT
        self.inside, self.outside = np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def best(self, candidates: Sequence[NgramSettings]) -> NgramSettings:
        for candidate in candidates:
            if candidate not in self.losses:
                self.losses[candidate] = self._loss(candidate)
                print(f"Choosing n-grams: {_in_words(candidate)}: {self.losses[candidate]:.4f}", flush=True)
        return min(candidates, key=self.losses.__getitem__)

    def _loss(self, candidate: NgramSettings) -> float:
        encoder, split = self._split(candidate.grams)
        config = self.config.model_copy(update={"ngram_epochs": AUTO})
        network, training, _ = untrained(config, candidate, split.training, encoder.size, self.sample.classes)
        limited = training.model_copy(update={"num_epoch": TRIED_EPOCHS})
        train(
            network, limited, split, Session(should_stop=self.should_stop, say=lambda _: None, by_loss=True)
        )
        logits = network.logits(split.validation.texts)
        return cross_entropy(logits, split.validation.labels, temperature(logits, split.validation.labels))

    def _split(self, grams: Grams) -> tuple[NgramEncoder, Split]:
        texts, labels = self.sample.texts, self.sample.labels
        if grams not in self.encoded:
            limits = (self.config.seq_len, feature_limit(self.config, self.sample.classes))
            self.encoded[grams] = NgramEncoder.fit((texts[i] for i in self.inside), grams, *limits)
        encoder, encoded = self.encoded[grams]
        outside = encoder.encode([texts[i] for i in self.outside]).texts
        return encoder, Split(Examples(encoded, labels[self.inside]), Examples(outside, labels[self.outside]))


def feature_limit(config: Config, classes: int) -> int:
    """Return how many n-grams may be known: as configured, and no more than there is memory for."""
    return min(config.ngram_features, max(MOST_WEIGHTS // classes, 1))


def _mean_length(texts: Sequence[str]) -> float:
    return sum(map(len, texts)) / max(len(texts), 1)


def _fixed(config: Config, end: int, choices: Sequence[Grams]) -> list[Grams]:
    """Return the choices with what the configuration fixes put in, each once."""
    fixed: dict[str, Any] = {"end": end} | {
        name: value
        for name, value in (("words", config.ngram_words), ("skip", config.ngram_skip))
        if value != AUTO
    }
    if config.ngram_chars != AUTO:
        fixed["chars"] = tuple(sorted(config.ngram_chars)) if config.ngram_chars else None
    return list(dict.fromkeys(dataclasses.replace(grams, **fixed) for grams in choices))


def _allowed(given: object, choices: Sequence[T]) -> Sequence[T]:
    return choices if given == AUTO else [cast("T", given)]


def _mean_sum(texts: Sequence[Ids], scale: Floats, norm: Norm) -> float:
    """Return the mean over about STEP_TEXTS of the texts of what their n-grams count together."""
    some = texts[:: max(1, len(texts) // STEP_TEXTS)]
    sums = [scale[ids].sum() / (math.sqrt(len(ids) + 1) if norm == "sqrt" else 1) for ids in some]
    return float(np.mean(sums)) or 1.0


def _in_words(candidate: NgramSettings) -> str:
    grams = candidate.grams
    parts = [f"1 to {grams.words} words" if grams.words > 1 else "single words"]
    parts += [f"pairs with up to {grams.skip} between"] * bool(grams.skip)
    parts += ["{} to {} characters".format(*grams.chars)] if grams.chars else []
    parts += [f"the last {grams.end} apart"] * bool(grams.end)
    return f"{', '.join(parts)}; scale {candidate.scale}, norm {candidate.norm}"
