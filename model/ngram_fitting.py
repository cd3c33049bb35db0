"""Fits the part of n-grams: settings, weights, and the scores of all training rows out of fold."""

import itertools
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from contract.evaluation import HistoryEntry
from model.calibration import Flags, cross_entropy
from model.config import FOLDS, Config
from model.cores import on_all_cores
from model.cross_fitting import folds, in_order
from model.data import Floats, Numbers
from model.errors import TrainingStopped
from model.ngram_scales import scales
from model.ngram_settings import NgramSettings, Sample, feature_limit, settings, task
from model.ngram_training import NgramTrainer
from model.ngrams import NgramEncoder
from model.parts.ngram import NgramPart
from model.parts.part import Fitted, Rows, Scores
from model.sparse_rows import SparseRows
from model.texts import hash_texts
from model.training import Result, perplexity

if TYPE_CHECKING:
    from model.training import Session

MOST_CHARACTERS = 20_000_000  # of the rows that settings are chosen on: more rows need other settings


def fit(rows: Rows, config: Config, session: "Session") -> Fitted:
    """Return the fitted part; the validation rows are scored, nothing is chosen by them.

    Raises TrainingError or TrainingStopped.
    """
    started = time.monotonic()
    chosen = settings(config, lambda: _sample(config, rows), session.should_stop)
    limit = feature_limit(config, rows.classes)
    limits = (config.seq_len, limit, chosen.least_texts)
    encoder, texts = NgramEncoder.fit(rows.texts(), chosen.grams, *limits)
    session.say(f"{encoder.size - 1} n-grams")
    learning = _Learning(rows, texts, encoder, config, chosen)
    part, history = learning.whole(session)
    out_of_fold = None if rows.folds is None else learning.out_of_fold(rows.folds)
    result = Result(
        chosen.epochs,
        chosen.epochs,
        history[-1]["validation_accuracy"],
        round(time.monotonic() - started, 1),
        history,
    )
    validation = part.score_encoded(learning.validation)
    return Fitted(part, validation, chosen.described() | {"n-grams": encoder.size - 1}, result, out_of_fold)


class _Learning:
    def __init__(
        self, rows: Rows, texts: SparseRows, encoder: NgramEncoder, config: Config, chosen: NgramSettings
    ) -> None:
        self.rows, self.texts, self.encoder, self.config, self.chosen = rows, texts, encoder, config, chosen
        self.validation = encoder.encode(rows.validation_texts)

    def whole(self, session: "Session") -> tuple[NgramPart, list[HistoryEntry]]:
        """Return what learns from all rows, and how it did on the validation rows after each epoch."""
        trainer = self._trainer(self.texts, self.rows.labels)
        history: list[HistoryEntry] = []
        for epoch in range(1, self.chosen.epochs + 1):
            train_loss = trainer.epoch()
            loss, accuracy = _measure(trainer.logits(self.validation.texts), self.rows.validation_labels)
            history.append(
                {
                    "epoch": epoch,
                    "train_loss": round(train_loss, 6),
                    "validation_loss": round(loss, 6),
                    "validation_accuracy": round(accuracy, 6),
                }
            )
            session.say(
                f"epoch {epoch}/{self.chosen.epochs} validation loss={loss:.4f} "
                f"perplexity={perplexity(loss):.3f} accuracy={accuracy:.4f}"
            )
            if session.should_stop():
                raise TrainingStopped("The training was asked to stop; a restart begins the n-grams anew.")
        session.say(f"Best Validation Accuracy: {accuracy:.4f} (epoch {self.chosen.epochs}, chosen before)")
        return self._part(trainer, np.ones(self.encoder.size, dtype=bool)), history

    def out_of_fold(self, of_rows: Numbers) -> Scores:
        """Return the scores of all rows, each fold's from what has learned from the others, on all cores."""
        each = np.unique(of_rows).tolist()
        return in_order(on_all_cores(partial(self._fold, of_rows), iter(each)), of_rows)

    def _fold(self, of_rows: Numbers, fold: int) -> Scores:
        """Return the scores of a fold; an n-gram that too few of the other texts have is unknown."""
        inside = of_rows != fold
        texts = self.texts.only(inside)
        known = texts.frequencies(self.encoder.size) >= self.chosen.least_texts
        known[0] = True
        of_known = np.where(known, np.arange(self.encoder.size, dtype=np.int32), 0)
        trainer = self._trainer(texts.renumbered(of_known), self.rows.labels[inside])
        for _ in range(self.chosen.epochs):
            trainer.epoch()
        return self._part(trainer, known).score(list(itertools.compress(self.rows.texts(), ~inside)))

    def _trainer(self, texts: SparseRows, labels: Numbers) -> NgramTrainer:
        classes = self.rows.classes
        scale = scales(texts, labels, classes, self.encoder.size, self.chosen.scale)
        return NgramTrainer(task(self.config, self.chosen, texts, labels, classes, scale))

    def _part(self, trainer: NgramTrainer, known: Flags) -> NgramPart:
        sums = trainer.sums()
        return NgramPart(self.encoder.only(known), replace(sums, weights=sums.weights[known]))


def _measure(logits: Floats, labels: Numbers) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy."""
    return cross_entropy(logits, labels, 1.0), float((logits.argmax(axis=1) == labels).mean())


def _sample(config: Config, rows: Rows) -> Sample:
    """Return training rows at random, about MOST_CHARACTERS of them, and their folds."""
    share = min(1.0, MOST_CHARACTERS / max(rows.characters, 1))
    taken = np.random.default_rng(config.seed).random(len(rows.labels)) < share
    texts = list(itertools.compress(rows.texts(), taken.tolist()))
    return Sample(texts, rows.labels[taken], folds(hash_texts(texts), FOLDS), rows.classes)
