"""What can go wrong in the classifier, each told in one sentence that says what to do.

ModelError
├── ConfigError      the configuration: every problem at once
├── DataError        the labelled files cannot be trained on
├── VectorsError     the spaCy word vectors are missing or do not fit
├── SentenceModelError  the sentence encoder is missing, damaged or not one that is read
├── TrainingError    the training itself failed, for example its loss became NaN
│   ├── HostLostError    another host of the training does not answer
│   └── TrainingStopped  it was asked to stop; its checkpoint holds what was done
└── ArtifactError    a saved model is incomplete, altered or of another version
"""

from collections.abc import Sequence


class ModelError(Exception):
    """The base of the family; its text is one sentence for a person."""


class ConfigError(ModelError):
    """A configuration that is refused; `problems` holds one sentence for each problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class DataError(ModelError):
    """The labelled files cannot be trained on."""


class VectorsError(ModelError):
    """The spaCy word vectors are missing or do not fit."""


class SentenceModelError(ModelError):
    """The sentence encoder is missing, damaged or not one that is read."""


class TrainingError(ModelError):
    """The training failed."""


class HostLostError(TrainingError):
    """Another host that trains the same model does not answer."""


class TrainingStopped(TrainingError):  # noqa: N818  it stopped; nothing went wrong
    """The training was asked to stop; its checkpoint holds what was done."""


class ArtifactError(ModelError):
    """A saved model is incomplete, altered or of another version."""
