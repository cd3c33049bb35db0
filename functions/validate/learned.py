"""What the model that predicts has learned from, and whether the given categories of a file are its own."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from contract.evaluation import Card
from contract.plain import is_blank, plain
from contract.state import ColumnNames
from contract.text import count, listed
from validate.columns import MODEL, Columns

EXAMPLES = 1_000


@dataclass(frozen=True)
class Learned:
    """The columns that a model learned from, and its categories; None where that is not known.

    `problem` is the sentence for people when it should be known and is not.
    """

    text_column: str | None = None
    label_column: str | None = None
    labels: tuple[str, ...] | None = None
    problem: str = ""

    @classmethod
    def of(cls, card: Card) -> "Learned":
        """Take what is needed from a model's card."""
        return cls(card.get("text_column"), card.get("label_column"), tuple(card.get("labels") or ()) or None)

    @property
    def columns(self) -> ColumnNames:
        """The columns that the model learned from."""
        return {"text_column": self.text_column, "label_column": self.label_column}

    def other_columns(self, columns: Columns) -> Iterator[str]:
        """Return warnings about columns that were taken in place of those that the model learned from."""
        for column, name, what in (
            (columns.text, self.text_column, "text"),
            (columns.label, self.label_column, "category"),
        ):
            if column and name and column.found_by not in {MODEL, "the configuration"}:
                yield (
                    f"The model learned from the column {listed([name])}, which this file does not have: the "
                    f"{what} was taken from {listed([column.name])}, found by {column.found_by}."
                )


@dataclass
class Given:
    """The given categories of a file to predict, counted as they pass."""

    found: Columns
    labels: tuple[str, ...] | None
    filled: int = 0
    strange: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Compare in the plain form: what looks the same is the same."""
        self._known = {plain(label) for label in self.labels or ()}

    def add(self, labels: "pd.Series[str]") -> None:
        """Take in the given categories of some rows."""
        if self.found.label is None or self.labels is None:
            return
        for label, rows in labels.value_counts(sort=False).to_dict().items():
            if is_blank(str(label)):
                continue
            self.filled += rows
            if plain(str(label)) not in self._known:
                self.strange[str(label) if len(self.strange) < EXAMPLES else ""] += rows

    @property
    def columns(self) -> Columns:
        """The columns that are used: without labels if none of those given is a category of the model."""
        none_known = self.filled > 0 and self.strange.total() == self.filled
        return Columns(self.found.text, None if none_known else self.found.label)

    def warnings(self) -> Iterator[str]:
        """Return warnings about values that are no category of the model."""
        if self.found.label is None or not self.strange:
            return
        name, strange = listed([self.found.label.name]), self.strange.total()
        if self.columns.label is None:
            yield (
                f"The column {name} was not taken for the category: none of its values is a category of the "
                f"model, which knows {listed(self.labels or (), 5)}."
            )
            return
        yield (
            f"{strange:,} of {count(self.filled, 'given category', 'given categories')} in {name} "
            f"{'is' if strange == 1 else 'are'} none that the model knows: "
            f"{listed((label for label in self.strange if label), 5)}."
        )
