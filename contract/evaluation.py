"""What a training tells of its model: evaluation.json, the model's card, and the notes of validation.

`config/evaluation.schema.json` has the limits of each figure of evaluation.json.
"""

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict

SCHEMA = 2
LEAST_TARGET = 0.5  # precision of accepted rows that may be asked for; it is below 1
READ_SCHEMAS = (1, SCHEMA)  # a training image may be older than the functions, and lack some keys


class Data(TypedDict):
    """The file that the model was trained from."""

    file: str | None
    """Its name; None: not known."""
    training_rows: int
    """Rows that the model learned from."""
    rejected_rows: int | None
    """Rows that could not be used; None: not known."""
    warnings: list[str]
    """What was found odd about the file, each in a sentence."""


class LabelFigures(TypedDict):
    """How the rows of one label were labelled."""

    label: str
    precision: float
    """Of the rows that got this label, the share that have it."""
    recall: float
    """Of the rows that have this label, the share that got it."""
    f1: float
    """Harmonic mean of precision and recall."""
    support: int
    """Rows that have this label."""


class StudioFigure(TypedDict):
    """A figure in SageMaker's schema of model quality."""

    value: float
    standard_deviation: NotRequired[float]
    """Absent where none is known."""


class StudioMetrics(TypedDict):
    """The figures of the measured rows as SageMaker Studio shows them beside a registered version."""

    accuracy: StudioFigure
    weighted_precision: StudioFigure
    """Mean of the labels' precisions, each counting by its rows; so the others."""
    weighted_recall: StudioFigure
    weighted_f1: StudioFigure
    confusion_matrix: NotRequired[dict[str, dict[str, int]]]
    """By label and predicted label; absent where the labels are too many to be drawn."""


class Confusion(TypedDict):
    """Rows of one label that were taken for another."""

    label: str
    """The label that the rows came with."""
    prediction: str
    """The label that the model gave."""
    rows: int


class Inseparable(TypedDict):
    """Two categories that the model cannot tell apart."""

    labels: list[str]
    """Both of them."""
    rows: int
    """Rows of one of them that were taken for the other."""


class LeftOut(TypedDict):
    """The pairs beyond the first 1,000, and their rows."""

    pairs: int
    rows: int


class Bin(TypedDict):
    """The rows whose confidence lies in one of ten bins of equal width."""

    low: float
    """Least confidence of the bin."""
    high: float
    """Where the next bin begins."""
    count: int
    """Rows in the bin."""
    confidence: float
    """Their mean confidence; 0 when there are none."""
    accuracy: float
    """Share of them labelled right; 0 when there are none."""


class Calibration(TypedDict):
    """How well the confidence tells the share of right labels."""

    temperature: float
    """What the logits are divided by before the softmax."""
    ece_before: float
    """Expected calibration error at temperature 1."""
    ece_after: float
    """Expected calibration error at the temperature."""
    bins: list[Bin]
    """The rows by confidence, in ten bins of equal width."""


class WatchedGroup(TypedDict):
    """Categories whose rows must not be accepted as another's."""

    labels: list[str]
    why: str
    """`protected`: the configuration names it; `few rows`: too few to judge it by; `low recall`: too many of
    its rows would be accepted as another's.
    """
    sent: float
    """Share of all rows that the group sends to a person."""


class Target(TypedDict):
    """What a target gives: one step of the ladder."""

    target_precision: float
    """Least precision of the accepted rows, with 95% assurance."""
    threshold: float | None
    """Least confidence of an accepted row; None: nothing is accepted."""
    coverage: float
    """Share of the rows accepted."""
    precision: float | None
    """Share of the accepted rows labelled right; None when there are none."""
    chances: list[float]
    """One for each watched group: a row labelled otherwise goes to a person when it has more than this chance
    of a label of the group.
    """
    levels: NotRequired[list[float | None]]
    """Of a hierarchy: least confidence of each upper level, the topmost first; None: out of reach."""


class Check(TypedDict):
    """The validation rows under the rule that was found on the folds."""

    rows: int
    accepted: int
    precision: float | None
    """Share of the accepted rows labelled right; None when there are none."""
    contradicted: bool
    """The validation rows refute the target (one-sided exact test at 5%); the stricter rule was taken."""


class Acceptance(TypedDict):
    """Which rows need no person, and what that gave."""

    target_precision: float
    """Least precision of the accepted rows, with 95% assurance."""
    threshold: float | None
    """Least confidence of an accepted row; None: nothing is accepted."""
    coverage: float
    """Share of the rows accepted."""
    precision: float | None
    """Share of the accepted rows labelled right; None when there are none."""
    least_known_share: float
    """A text with a smaller share of known words is unlike the training texts and is never accepted."""
    advice: str | None
    """Why less than a quarter of the rows is accepted and what would help, in sentences for people;
    None: more is.
    """
    least_similarity: NotRequired[float]
    """A text that is less similar to the training texts is unlike them and is never accepted."""
    watched: NotRequired[list[WatchedGroup]]
    """Groups of categories whose rows must not be accepted as another's."""
    chances: NotRequired[list[float]]
    """One for each watched group: a row labelled otherwise goes to a person when it has more than this chance
    of a label of the group.
    """
    levels: NotRequired[list[float | None]]
    """Of a hierarchy: least confidence of each upper level, the topmost first; None: out of reach."""
    targets: NotRequired[list[Target]]
    """What other targets give, rising; a higher target never accepts more."""
    check: NotRequired[Check | None]
    """The validation rows under the rule that was found on the folds; None: there are no folds."""


def at_target(acceptance: Acceptance, target_precision: float) -> Acceptance | None:
    """Return the acceptance with another target: the lowest of its `targets` that is not below the given one.

    The advice is for the target of the training, and falls away. None: there is no such target, or the model
    is an older one, which has no others than its own.
    """
    steps = [step for step in acceptance.get("targets", []) if step["target_precision"] >= target_precision]
    step = min(steps, key=lambda step: step["target_precision"], default=None)
    return {**acceptance, **step, "advice": None} if step else None


class LevelFigures(TypedDict):
    """How the rows are labelled at an upper level of a hierarchy, the likeliest category of which counts."""

    categories: int
    accuracy: float
    """Share of the validation rows labelled right."""
    accuracy_interval: list[float]
    """[low, high]: two-sided 95% Clopper-Pearson interval of the accuracy."""
    macro_f1: float
    """Mean F1 of the level's categories over the measured rows."""
    coverage: float
    """Share of the measured rows that are accepted at this level, those accepted below it included."""
    precision: float | None
    """Share of them labelled right; None when there are none."""


class CoveragePoint(TypedDict):
    """What accepting the surest rows gives, familiar or not."""

    threshold: float
    """Least confidence of an accepted row."""
    coverage: float
    """Share of the rows accepted; rows of equal confidence come together."""
    precision: float
    """Share of the accepted rows labelled right."""


class Lost(TypedDict):
    """The labels of the live model that the new one does not know."""

    labels: list[str]
    """The first of them."""
    count: int
    rows: int
    """Rows compared that have one of them; the new model has all of them wrong."""
    live_right: int
    """Those that the live model has right."""


class Champion(TypedDict):
    """The new and the live model on the same rows."""

    rows: int
    """Rows that were held out for either model and that neither has learned from, each text once."""
    rows_of_live: int
    """How many of them were held out for the live model only."""
    new_accuracy: float | None
    """Share of the rows that the new model labels right; None: there is no row."""
    new_accuracy_interval: list[float] | None
    """[low, high]: two-sided 95% Clopper-Pearson interval of the accuracy."""
    accuracy: float | None
    """Share of the rows that the live model labels right; a label that it does not know is wrong."""
    accuracy_interval: list[float] | None
    """[low, high]: two-sided 95% Clopper-Pearson interval of the accuracy."""
    both_right: int
    only_new_right: int
    """Rows that the new model has right and the live one wrong."""
    only_live_right: int
    """Rows that the live model has right and the new one wrong."""
    both_wrong: int
    p_value: float
    """Chance of a difference at least this large between equally good models: McNemar's exact test,
    two-sided.
    """
    lost: Lost
    """The labels of the live model that the new one does not know."""


class ShownRow(TypedDict):
    """A validation row that people look at."""

    row: int
    """Number of the data row in the input file, from 0."""
    text: str
    """The text on one line; a longer one is cut at 300 characters and ends with …"""
    label: str
    """The label that the row came with."""
    prediction: str
    """The label that the model gave."""
    confidence: float


class Suspect(TypedDict):
    """A labelled row whose label is probably wrong."""

    line: int
    """Line of the input file; 0: not known."""
    file: NotRequired[str]
    """Its name; absent where the model learned from one file."""
    text: str
    """The text on one line; a longer one is cut at 300 characters and ends with …"""
    label: str
    """The label that the row came with."""
    likely: str
    """The label that a model which has not seen the row finds likeliest."""
    chance: float
    """Of the label that the row came with, by that model."""


class Suspects(TypedDict):
    """The labelled rows whose labels are probably wrong."""

    rows: int
    """Labelled rows that were looked at."""
    count: int
    """Those of them that are worth a look."""
    shown: list[Suspect]
    """The first of them, by the lowest chance of the given label."""


class Phrase(TypedDict):
    """An n-gram that speaks for a label."""

    phrase: str
    weight: float
    """What it adds to the label's logit, above the mean of all labels, as a mean over the rows that it is in.
    """


# How many n-grams are known.
_NgramSettings = TypedDict("_NgramSettings", {"n-grams": int})


class NgramSettings(_NgramSettings):
    """`settings` of a part that adds up n-grams."""

    ngram_words: int
    """Longest n-gram of words."""
    ngram_skip: int
    """Most words skipped inside a pair of words."""
    ngram_chars: list[int] | None
    """Shortest and longest n-gram of characters in a word; None: none."""
    ngram_end: int
    """Last words of a text that count once more."""
    ngram_repeats: NotRequired[bool | str]
    """Whether repeated words count once more; `log`: all by the logarithm; absent from older models: no."""
    ngram_least_texts: NotRequired[int]
    """Fewest training texts that a known n-gram is in; absent from older models: 2."""
    ngram_scale: str
    """What an n-gram counts: 1, by rarity, by naive Bayes, or both."""
    ngram_norm: str
    """`sqrt` divides by the root of a text's n-grams."""
    ngram_optimizer: NotRequired[str]
    """Which optimizer learned the weights; absent from older models: `adam`."""
    ngram_epochs: int
    """Passes over the training rows whose weights were kept."""


class SentenceSettings(TypedDict):
    """`settings` of a part that reads sentences."""

    model: str
    """The pretrained sentence encoder."""
    numbers: int
    """Numbers of the vector that it makes of a text."""
    penalty: float
    """L2 penalty of the weights on them, times the training rows."""


# How many of them started from spaCy's vectors; absent when none are asked for.
_NetworkSettings = TypedDict("_NetworkSettings", {"words with a vector": NotRequired[int]})


class NetworkSettings(_NetworkSettings):
    """`settings` of a network that reads words."""

    words: int
    """How many words are known, padding and unknown included."""


class HistoryEntry(TypedDict):
    """One validation during a training."""

    epoch: int
    batch: NotRequired[int]
    """Batches of this epoch that were done."""
    learning_rate: NotRequired[float]
    train_loss: NotRequired[float]
    """Mean cross-entropy of this epoch's training rows so far."""
    validation_loss: NotRequired[float]
    validation_perplexity: NotRequired[float]
    """e to the power of validation_loss."""
    validation_accuracy: float


class Part(TypedDict):
    """How one part of the model was trained."""

    architecture: str
    epochs: int
    """Times that it read the training rows."""
    best_epoch: int
    """The one after which it was best; its state was kept."""
    seconds: float
    settings: Mapping[str, object]
    """What it is made of, as used; `auto` never stands here."""
    history: list[HistoryEntry]
    """Every validation, in order."""


class Training(TypedDict):
    """How the model was trained."""

    architecture: str
    seconds: float
    """The time of the whole training."""
    mixture: dict[str, float] | None
    """How much each part counts in the answer; None when there is one part."""
    parts: list[Part]


class Measured(TypedDict):
    """The rows that all figures but the accuracy come from."""

    on: Literal["folds", "validation"]
    """`folds`: the training rows, each labelled by a model that has learned without its fold (cross-fitting);
    `validation`: the validation rows.
    """
    rows: int
    folds: int
    """How many folds; 0 without cross-fitting."""
    accuracy: float
    """Share of them labelled right."""
    accuracy_interval: list[float]
    """[low, high]: two-sided 95% Clopper-Pearson interval of the accuracy."""


class Evaluation(TypedDict):
    """How a newly trained model did on rows that it did not learn from.

    Shares are numbers from 0 to 1. The accuracy comes from the validation rows, all else from the rows of
    `measured`. These also chose the mixture, the temperature and the threshold (and, without cross-fitting,
    the epochs), so their figures are slightly kind.
    """

    schema: int
    """Version of this format; a key may be added without a new one."""
    date: str
    """When the model was trained, in UTC, as 2026-11-26; empty: not known."""
    data: Data
    """The file that the model was trained from."""
    accuracy: float
    """Share of the validation rows labelled right."""
    accuracy_interval: list[float]
    """[low, high]: two-sided 95% Clopper-Pearson interval of the accuracy."""
    validation_rows: int
    """How many rows the accuracy is from."""
    measured: NotRequired[Measured]
    """The rows that all figures but the accuracy come from; absent from older models: the validation rows."""
    macro_f1: float
    """Mean of the labels' F1, a rare label counting as much as a common one."""
    levels: NotRequired[list[LevelFigures]]
    """Of a hierarchy, the figures of each upper level, the topmost first; absent without one."""
    labels: list[str]
    """Every label, in the order of per_class."""
    per_class: list[LabelFigures]
    """The figures of each label; one that would divide by zero is 0."""
    confusion: list[Confusion]
    """The pairs of labels that were taken for each other, those of the most rows first."""
    confusion_left_out: LeftOut
    """The pairs beyond the first 1,000, and their rows."""
    inseparable: NotRequired[list[Inseparable]]
    """Categories that the model cannot tell apart, the pairs of the most rows first."""
    calibration: Calibration
    """How well the confidence tells the share of right labels."""
    acceptance: Acceptance
    """Which rows need no person, and what that gave."""
    coverage: list[CoveragePoint]
    """What accepting the surest 5%, 10%, … of the rows gives, familiar or not."""
    champion: Champion | None
    """The new and the live model on the same rows; None when none is live."""
    mistakes: list[ShownRow]
    """The wrong rows of the highest confidence, the highest first."""
    examples: list[ShownRow]
    """Some rows, spread evenly from the highest confidence to the lowest."""
    phrases: dict[str, list[Phrase]]
    """By label, the n-grams that added most to it over the validation rows, that which added most first. Of
    many labels, the 200 with the most rows.
    """
    training: Training
    """How the model was trained."""
    suspects: NotRequired[Suspects]
    """The labelled rows whose labels are probably wrong; absent from older models."""
    architecture_choice: NotRequired[str | None]
    """What the architecture `auto` took and why, in a sentence; None where it was not left to `auto`."""
    multiclass_classification_metrics: NotRequired[StudioMetrics]
    """Under this name SageMaker Studio looks for them; absent from older models."""


class Notes(TypedDict):
    """notes.json, beside the validation rows: what validation found in the file that they came from."""

    schema: int
    file: str
    """The address of the file; of several the first, and how many more there are."""
    rows: int
    rejected: int
    """Rows that could not be used."""
    warnings: list[str]
    """What was found odd about the file, each in a sentence."""


class Source(TypedDict):
    """The version of the file that a model was trained from."""

    uri: str
    version: str | None
    etag: str


class Card(TypedDict):
    """card.json, beside a model: what later runs have to know about it."""

    schema: int
    run: str
    """The name of the run that trained it."""
    job: str
    """The name of its training job."""
    data: Source
    labels: list[str]
    text_column: str | None
    """That it learned from; None: not known."""
    label_column: str | None
    """That its labels came from; None: not known."""
    validation_fraction: float
    held_out: str
    """The address of the folder of the rows that judged it."""
    accuracy: float
    accuracy_interval: list[float]
    """[low, high]: two-sided 95% interval of the accuracy."""
    validation_rows: int
    acceptance: Acceptance | None
    """None: a training image of schema 1 did not tell it."""
    rows: int
    """Usable rows of the file, held out or not."""
