"""A model, and what it says of texts: the same as a run says, row by row."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from claimflow import evaluation, table
from claimflow.errors import one_sentence
from claimflow.evaluation import Evaluation
from claimflow.table import Texts
from contract.columns import BECAUSE, CONFIDENCE, ERROR, NEEDS_REVIEW, PREDICTION, REASON, RUNNER_UP
from contract.evaluation import Evaluation as TrainingEvaluation
from contract.part import Prediction, level_columns, level_values
from model import prediction
from model.calibration import Array
from model.classifier import Classifier
from model.data import Row
from model.explanation import odds
from model.texts import Hashes

PHRASE, ADDS = "phrase", "adds"


@dataclass(frozen=True)
class Model:
    """A trained model. `claimflow.load` gives one.

    Its methods take a DataFrame, a column of one, texts, or one text, and answer with a DataFrame that has
    the same index.

    Attributes:
        version: its number in the registry; None: it was read from a file
        text_column: the name of the column that it learned from, where that is known
        label_column: the name of the column of the categories, where that is known
        training: `evaluation.json`: how it did on rows that it did not learn from (docs/contracts.md)
        classifier: the model itself
        learned: hashes of the texts that it learned from; None: it was saved before they were kept

    """

    classifier: Classifier = field(repr=False)
    training: TrainingEvaluation = field(repr=False)
    version: int | None = None
    text_column: str | None = None
    label_column: str | None = None
    learned: Hashes | None = field(default=None, repr=False, compare=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories that it knows, in the order of the columns of `predict_proba`.

        >>> model.labels[:4]
        ('Battery', 'Connectivity', 'Cosmetic', 'Display')
        """
        return self.classifier.labels

    def predict(self, data: Texts, *, text: str | None = None, explain: bool = False) -> pd.DataFrame:
        """Return what a run says of each row: category, confidence, and whether a person should look.

        >>> found = model.predict(["It leaks water from below.", ""])
        >>> found[["prediction", "error"]].loc[0].to_list()
        ['Leak', '']
        >>> found["error"][1]
        'no text'
        >>> labelled = claims.join(model.predict(claims))
        >>> list(labelled.columns)[-7:]
        ['category', 'prediction', 'confidence', 'runner_up', 'needs_review', 'reason', 'error']

        Args:
            data: the texts
            text: the column of the texts in a DataFrame; None: the one that it learned from, or one with a
                common name (`text`, `description`, `claim`, …)
            explain: add `because`, the words that decided

        Returns:
            The columns of the results: `prediction`, `confidence` (0 to 1), `runner_up`, `because` where it
            is asked for, those of the levels of a hierarchy (`level_1`, …, `accepted_as`), `needs_review`
            with the `reason`, and `error`: why a row has no prediction.

        Raises:
            ClaimflowError: there is no column of texts

        """
        texts = self._texts(data, text)
        errors = table.errors_of(texts)
        with one_sentence():
            found = list(prediction.predict(self.classifier, _rows(texts, errors), explain))
        return _labelled(found, errors, explain, level_columns(len(self.classifier.hierarchy)))

    def predict_proba(self, data: Texts, *, text: str | None = None) -> pd.DataFrame:
        """Return how likely each category is: a column for each, whose figures add up to 1 in each row.

        They are calibrated: the highest one of a row is the confidence of its prediction. A row that cannot
        be labelled has no figures (NaN).

        >>> chances = model.predict_proba("It leaks water from below.")
        >>> chances.shape, chances.idxmax(axis="columns")[0]
        ((1, 12), 'Leak')

        Args:
            data: the texts
            text: as of `predict`

        Raises:
            ClaimflowError: there is no column of texts

        """
        texts = self._texts(data, text)
        chances = np.full((len(texts), len(self.labels)), np.nan)
        with one_sentence():
            for chunk in prediction.chunks(_rows(texts, table.errors_of(texts))):
                scores = self.classifier.predict_proba([row.text for row in chunk])
                chances[[row.number for row in chunk]] = scores.probabilities
        return pd.DataFrame(chances, texts.index, list(self.labels))

    def explain(self, data: Texts, *, text: str | None = None, label: str | None = None) -> pd.DataFrame:
        """Return each phrase of each text with what it adds to the log-odds, the strongest first.

        The odds are those of the prediction against the next likeliest category, by natural logarithm. The
        words in `because` are the first of them.

        >>> words = model.explain("It leaks water from below.")
        >>> list(words.columns)
        ['phrase', 'adds', 'prediction', 'runner_up']
        >>> "leaks" in set(words[words["adds"] > 0]["phrase"])
        True

        Args:
            data: the texts; an explanation takes longer than a prediction, so give some rows, not all
            text: as of `predict`
            label: the category to explain, against the likeliest other one; None: the prediction

        Returns:
            A row for each phrase of a text, under the text's index: `phrase`, `adds`, the category that it
            speaks for (`prediction`) or against it (`runner_up`).

        Raises:
            ClaimflowError: there is no column of texts, or no such category

        """
        texts = self._texts(data, text)
        chances = self.predict_proba(texts).to_numpy()
        rows = _rows(texts, table.errors_of(texts))
        lines = [line for row in rows for line in self._phrases(row, chances[row.number], label)]
        columns = [PHRASE, ADDS, PREDICTION, RUNNER_UP]
        index = texts.index[[place for place, *_ in lines]]
        return pd.DataFrame([line[1:] for line in lines], index, columns)

    def evaluate(
        self, data: pd.DataFrame, *, text: str | None = None, label: str | None = None
    ) -> Evaluation:
        """Return how well the model labels rows whose categories are known.

        Rows that it learned from flatter it: take others.

        >>> result = model.evaluate(claims)
        >>> result.rows, result.accuracy > 0.8
        (100, True)

        Args:
            data: the rows
            text: as of `predict`
            label: the column of the categories; None: the one that it learned from, or one with a common name
                (`label`, `category`, …)

        Raises:
            ClaimflowError: a column is missing, or no row has both a text and a category

        """
        with one_sentence():
            given = table.labels_of(data, label or self._if_there(data, self.label_column))
            return evaluation.evaluate(self.predict(data, text=text), given, self.labels)

    def _texts(self, data: Texts, column: str | None) -> "pd.Series[str]":
        return table.texts_of(data, column or self._if_there(data, self.text_column))

    def _if_there(self, data: Texts, column: str | None) -> str | None:
        """Return the column that the model learned from if the table has it; another may stand in for it."""
        return column if isinstance(data, pd.DataFrame) and column in data.columns else None

    def _phrases(self, row: Row, chances: Array, label: str | None) -> list[tuple[int, str, float, str, str]]:
        ranked = np.argsort(-chances, kind="stable").tolist()
        if label is not None:
            asked = evaluation.number_of(label, self.labels)
            ranked = [asked, *(number for number in ranked if number != asked)]
        first, other = ranked[:2]
        names = self.labels[first], self.labels[other]
        added = odds(self.classifier, row.text, first, other)
        return [(row.number, phrase, adds, *names) for phrase, adds in added.items()]


def _rows(texts: "pd.Series[str]", errors: "pd.Series[str]") -> list[Row]:
    """Return the texts that can be labelled, each with its place."""
    pairs = enumerate(zip(texts, errors, strict=True))
    return [Row(place, text) for place, (text, error) in pairs if not error]


def _labelled(
    found: list[Prediction], errors: "pd.Series[str]", explain: bool, levels: list[str]
) -> pd.DataFrame:
    """Return the predictions as the results have them; the rows that have none in their places."""
    at_levels = [level_values(each) for each in found]
    columns = {
        PREDICTION: [each.prediction for each in found],
        CONFIDENCE: [each.confidence for each in found],
        RUNNER_UP: [each.runner_up for each in found],
        **({BECAUSE: [each.because for each in found]} if explain else {}),
        **{name: [values[name] for values in at_levels] for name in levels},
        NEEDS_REVIEW: [bool(each.doubt) for each in found],
        REASON: [each.doubt for each in found],
    }
    frame = pd.DataFrame(columns, [each.row for each in found]).reindex(range(len(errors)))
    frame.index = errors.index
    frame[CONFIDENCE] = frame[CONFIDENCE].astype(float)
    frame[NEEDS_REVIEW] = frame[NEEDS_REVIEW].eq(True)
    frame[REASON] = frame[REASON].astype(object).fillna("")
    frame[ERROR] = errors
    return frame
