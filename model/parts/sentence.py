"""The part that reads whole sentences: a pretrained encoder, and a softmax regression on its vectors."""

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from model.calibration import cross_entropy, temperature
from model.config import FOLDS, Config
from model.cross_fitting import folds, in_order, tellable
from model.data import Arrays, Floats, Numbers
from model.errors import ArtifactError
from model.parts.part import Evidence, Fitted, Part, Rows, Scores
from model.sentence_encoder import SentenceEncoder
from model.softmax_regression import SoftmaxRegression
from model.text_vectors import text_vectors
from model.texts import hash_texts

if TYPE_CHECKING:
    from model.training import Session

PENALTIES = (1.0, 0.2, 0.05, 0.0125)  # divided by the rows, each weaker than the one before
USUAL_PENALTY = 0.05  # where no row tells
CHOOSING_ROWS = 2000  # of more, a single fold chooses the penalty,
CHOOSING_LOGITS = 500_000  # and of more rows times classes
NEIGHBOURS = 3
MOST_NEIGHBOURS = 20_000  # training rows that are kept to compare with: 15 MB
BLOCK = 2048  # rows that are compared at once


@dataclasses.dataclass(frozen=True)
class SentencePart(Part):
    """The encoder, the weights on its vectors, and training rows to compare with."""

    encoder: SentenceEncoder
    regression: SoftmaxRegression
    known: Floats
    """Vectors of training rows, shape (at most MOST_NEIGHBOURS, size), float16."""

    title = "sentence model"
    forks = False

    @classmethod
    def check(cls, config: Config) -> None:
        """Raise SentenceModelError if the pretrained model is not there or cannot be used."""
        _encoder(config.sentence_model)

    @classmethod
    def fit(cls, rows: Rows, config: Config, session: "Session") -> Fitted:
        """Compute the vectors once, choose the penalty by the rows of one fold or all, and learn."""
        encoder = _encoder(config.sentence_model)
        with _folder(session) as folder:
            vectors = text_vectors(encoder, rows.texts, len(rows.labels), Path(folder), session)
            trial = _Trial(vectors, rows, config.seed)
            penalty = trial.penalty()
            session.say(f"Sentences: {len(vectors):,} vectors, penalty {penalty:g} / rows")
            everything = np.arange(len(vectors))
            regression = trial.regression(everything, penalty)
            part = cls(encoder, regression, trial.neighbours(everything))
            out_of_fold = None if rows.folds is None else trial.out_of_fold(rows.folds, penalty)
        settings = {"model": config.sentence_model, "numbers": encoder.size, "penalty": penalty}
        return Fitted(part, part.score(rows.validation_texts), settings, None, out_of_fold)

    def score(self, texts: Sequence[str]) -> Scores:
        """Return what the regression makes of the vectors; no word is unknown to the encoder."""
        return _scores(self.encoder.encode(texts), self.regression, self.known)

    def evidence(self, text: str) -> Evidence:
        """Return nothing: what a single word adds cannot be told."""
        return [], np.empty((0, self.regression.weights.shape[1]))

    def arrays(self) -> Arrays:
        """Return the weights, and the rows to compare with."""
        return {"weights": self.regression.weights, "known": self.known}

    def described(self) -> dict[str, Any]:
        """Return which pretrained model the vectors are of."""
        return {"model": self.encoder.name, "digest": self.encoder.digest}

    @classmethod
    def load(cls, described: Mapping[str, Any], arrays: Arrays, config: Config, classes: int) -> Self:
        """Return the saved part; raises ArtifactError where the pretrained model is another one now."""
        encoder = _encoder(described["model"])
        if encoder.digest != described["digest"]:
            raise ArtifactError(
                f"The model was trained with another version of the sentence model {described['model']!r} "
                "than the one that is installed here; use the image that it was trained with, or train again."
            )
        return cls(encoder, SoftmaxRegression(arrays["weights"]), arrays["known"])

    @staticmethod
    def settings_in_words(settings: Mapping[str, Any]) -> str:
        """Return which pretrained model it reads with."""
        return (
            f"It reads whole sentences with the pretrained model {settings['model']}, which makes "
            f"{settings['numbers']:,} numbers of a text, and weighs these."
        )


_encoder = lru_cache(maxsize=1)(SentenceEncoder.load)  # looked for before a row is read, used after


def _folder(session: "Session") -> Any:  # noqa: ANN401  a context that yields a path
    if session.checkpoints:
        return nullcontext(session.checkpoints)
    return tempfile.TemporaryDirectory()


@dataclasses.dataclass(frozen=True)
class _Trial:
    """The training rows as vectors."""

    vectors: Floats
    rows: Rows
    seed: int

    def penalty(self) -> float:
        """Return the penalty of the lowest loss, at its best temperature, on rows that were left out."""
        of_rows = (
            self.rows.folds if self.rows.folds is not None else folds(hash_texts(self.rows.texts()), FOLDS)
        )
        many = len(of_rows) > CHOOSING_ROWS or len(of_rows) * self.rows.classes > CHOOSING_LOGITS
        tried = np.unique(of_rows)[: 1 if many else None]
        losses = np.zeros(len(PENALTIES))
        told = tellable(self.rows.labels, of_rows)
        if not told.any():
            return USUAL_PENALTY
        for fold in tried.tolist():
            inside, outside = np.flatnonzero(of_rows != fold), np.flatnonzero((of_rows == fold) & told)
            regression = self._untrained()
            for number, penalty in enumerate(PENALTIES if len(outside) else ()):
                regression = self._fitted(regression, inside, penalty)
                logits, truths = regression.logits(self.vectors[outside]), self.rows.labels[outside]
                losses[number] += len(outside) * cross_entropy(logits, truths, temperature(logits, truths))
        return PENALTIES[int(losses.argmin())]

    def regression(self, inside: Numbers, penalty: float) -> SoftmaxRegression:
        """Return what learns from some rows."""
        return self._fitted(self._untrained(), inside, penalty)

    def neighbours(self, inside: Numbers) -> Floats:
        """Return the vectors of some rows, of many a sample, as float16."""
        chosen = np.random.default_rng(self.seed).permutation(inside)[:MOST_NEIGHBOURS]
        known: Floats = self.vectors[np.sort(chosen)].astype(np.float16)
        return known

    def out_of_fold(self, of_rows: Numbers, penalty: float) -> Scores:
        """Return the scores of all rows, each fold's from what has learned from the others."""
        scores = []
        for fold in np.unique(of_rows).tolist():
            inside, outside = np.flatnonzero(of_rows != fold), np.flatnonzero(of_rows == fold)
            regression = self.regression(inside, penalty)
            scores.append(_scores(self.vectors[outside], regression, self.neighbours(inside)))
        return in_order(scores, of_rows)

    def _untrained(self) -> SoftmaxRegression:
        return SoftmaxRegression.untrained(self.vectors.shape[1], self.rows.classes)

    def _fitted(self, start: SoftmaxRegression, inside: Numbers, penalty: float) -> SoftmaxRegression:
        if not len(inside):  # all rows are of the fold that is left out
            return start
        return start.fit(self.vectors, self.rows.labels, inside, penalty / len(inside))


def _scores(vectors: Floats, regression: SoftmaxRegression, known: Floats) -> Scores:
    ones = np.ones(len(vectors))
    return Scores(regression.logits(vectors), ones, _similarities(vectors, known))


def _similarities(vectors: Floats, known: Floats) -> Any:  # noqa: ANN401  model.encoder.Shares
    """Return the mean cosine of each vector to its NEIGHBOURS nearest known ones, none below 0."""
    others = known.astype(np.float32).T
    count = min(NEIGHBOURS, others.shape[1])
    if count == 0:
        return np.zeros(len(vectors))
    means = [
        np.partition(vectors[start : start + BLOCK] @ others, -count, axis=1)[:, -count:].mean(axis=1)
        for start in range(0, len(vectors), BLOCK)
    ]
    return np.clip(np.concatenate([np.empty(0), *means]), 0, 1)
