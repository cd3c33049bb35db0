"""A part of the model: one way to read a text. What every kind of part can do; a model mixes one or more."""

import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from model.config import Config
from model.data import Arrays, Floats, Numbers
from model.encoder import Shares

if TYPE_CHECKING:  # it imports MXNet
    from model.training import Result, Session

Evidence: TypeAlias = tuple[Sequence[str], npt.NDArray[np.float64]]  # phrases, (phrases, classes)


@dataclass(frozen=True)
class Rows:
    """The labelled rows of a training. Training texts are streamed from their files."""

    texts: Callable[[], Iterator[str]]
    """Return the training texts from the first on; each call reads them anew."""
    labels: Numbers
    """The number of the label of each training row."""
    validation_texts: Sequence[str]
    validation_labels: Numbers
    classes: int
    characters: int
    """Of all training texts."""
    folds: Numbers | None = None
    """Shape (training rows,): the fold of each, by its text, from 0; None: no cross-fitting."""

    def only(self, wanted: npt.NDArray[np.bool_]) -> "Rows":
        """Return these rows with the wanted ones of the training rows alone."""

        def texts() -> Iterator[str]:
            return itertools.compress(self.texts(), wanted.tolist())

        folds = None if self.folds is None else self.folds[wanted]
        return replace(self, texts=texts, labels=self.labels[wanted], folds=folds)


@dataclass(frozen=True)
class Scores:
    """What a part makes of texts."""

    logits: Floats
    """Shape (texts, classes), float32."""
    in_vocabulary_ratios: Shares
    """Shape (texts,): the share of a text's words that the part knows, 0 to 1; signs do not count."""
    similarities: Shares
    """Shape (texts,): how like its training texts the part finds a text, 0 to 1; 1 where it cannot tell."""

    def only(self, wanted: npt.NDArray[np.bool_]) -> "Scores":
        """Return the scores of the wanted texts alone."""
        return Scores(self.logits[wanted], self.in_vocabulary_ratios[wanted], self.similarities[wanted])


@dataclass(frozen=True)
class Fitted:
    """A part that has learned, and how that went."""

    part: "Part"
    validation: Scores
    """Of the validation rows."""
    settings: dict[str, Any]
    """What the part is made of, as evaluation.json tells it."""
    result: "Result | None" = None
    """Of the training loop; None of a part that learns in one pass."""
    out_of_fold: Scores | None = None
    """Of the training rows, each from a part that has learned without its fold; None without folds, and where
    that is left to `model.cross_fitting`, which fits the part anew for each fold.
    """


class Part(Protocol):
    """One way to read a text, trained: texts in, logits out.

    A kind of part is a class that inherits from this one and fills in the abstract methods.
    """

    title: ClassVar[str]
    """What the report calls it."""
    shared: ClassVar[bool] = False
    """Whether all hosts of a training fit it together; the first host fits the others alone."""
    forks: ClassVar[bool] = True
    """Whether forked processes predict with it, one a core; not where a framework has threads of its own, or
    holds what a fork does not copy."""

    @classmethod
    def check(cls, config: Config) -> None:
        """Raise a ModelError if anything from outside that `fit` needs is missing; no row is read yet."""
        _ = config

    @classmethod
    @abstractmethod
    def fit(cls, rows: Rows, config: Config, session: "Session") -> Fitted:
        """Learn from all training rows; a part that can score them out of fold at less cost does so, too.

        `config.architecture` names this kind alone. Raises TrainingError or TrainingStopped.
        """

    @abstractmethod
    def score(self, texts: Sequence[str]) -> Scores:
        """Return the scores in the order of the texts; what stands beside a text does not matter."""

    @abstractmethod
    def evidence(self, text: str) -> Evidence:
        """Return phrases of a text and what each adds to its logits; nothing where that cannot be told."""

    @abstractmethod
    def arrays(self) -> Arrays:
        """Return by name all that was learned in numbers."""

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """Return the rest of what `load` needs, as JSON."""

    @classmethod
    @abstractmethod
    def load(cls, described: Mapping[str, Any], arrays: Arrays, config: Config, classes: int) -> Self:
        """Return the part whose `arrays` and `described` these are.

        `config.architecture` names this kind alone. Raises KeyError, TypeError or ValueError when something
        is missing or does not fit.
        """

    @staticmethod
    def settings_in_words(settings: Mapping[str, Any]) -> str:
        """Return what a fitted part is made of, as one sentence of the report."""
        return ", ".join(f"{name}: {value}" for name, value in settings.items())
