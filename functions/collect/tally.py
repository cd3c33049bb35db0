"""Counts what the report and the message tell of a prediction."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from contract.part import UNFAMILIAR, Prediction
from contract.text import shorten

PAIR_LIMIT = 10_000  # different pairs of categories that are counted one by one
EXAMPLES = 4  # rows shown of those that are accepted and of those that are not
EXAMPLE_CHARACTERS = 200


class Example(NamedTuple):
    """A row that the report shows."""

    text: str
    prediction: str
    confidence: float
    reason: str


@dataclass
class Tally:
    """Counts over all rows, and a few of them."""

    rows: int = 0
    predicted: int = 0
    missing: int = 0  # rows of shards that failed
    review_rows: int = 0
    labelled: int = 0
    agreeing: int = 0
    unlike: int = 0  # rows unlike the training texts
    in_queue: int = 0  # rows that people are asked to decide
    confidences: float = 0.0  # the sum over the predicted rows
    chances_wrong: float = 0.0  # the sum over the accepted rows
    categories: Counter[str] = field(default_factory=Counter)
    review_by_category: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    disagreements: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    accepted_examples: list[Example] = field(default_factory=list)
    review_examples: dict[str, list[Example]] = field(default_factory=dict)  # by reason

    @property
    def accepted(self) -> int:
        """The predicted rows that nobody has to look at."""
        return self.predicted - self.review_rows

    @property
    def accuracy(self) -> float | None:
        """The share of the labelled rows whose label is the prediction; None without labels."""
        return self.agreeing / self.labelled if self.labelled else None

    @property
    def wrong_share(self) -> float | None:
        """The share of the accepted rows that is likely wrong, by their confidence; None without such."""
        return self.chances_wrong / self.accepted if self.accepted else None

    @property
    def mean_confidence(self) -> float | None:
        """The mean confidence of the predicted rows; None without such."""
        return self.confidences / self.predicted if self.predicted else None

    def count(self, prediction: Prediction, reasons: list[str]) -> None:
        """Count a predicted row, and why a person should look at it."""
        self.predicted += 1
        self.unlike += prediction.doubt.startswith(UNFAMILIAR)
        self.confidences += prediction.confidence
        self.categories[prediction.prediction] += 1
        self.reasons.update(reasons)
        if reasons:
            self.review_rows += 1
            self.review_by_category[prediction.prediction] += 1
        else:
            self.chances_wrong += 1 - prediction.confidence

    def compare(self, given: str, predicted: str, *, agrees: bool) -> None:
        """Count a row that came with a category."""
        self.labelled += 1
        self.agreeing += agrees
        pair = (given, predicted)
        if not agrees and (pair in self.disagreements or len(self.disagreements) < PAIR_LIMIT):
            self.disagreements[pair] += 1

    def show(self, text: str, prediction: Prediction, reason: str) -> None:
        """Keep a row as an example, if there are not enough of its kind."""
        kind = reason.split(":", 1)[0]
        examples = self.review_examples.setdefault(kind, []) if reason else self.accepted_examples
        if len(examples) < EXAMPLES:
            shown = shorten(text, EXAMPLE_CHARACTERS)
            examples.append(Example(shown, prediction.prediction, prediction.confidence, reason))
