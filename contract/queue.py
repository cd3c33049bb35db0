"""The queue of a run: the rows that a person looks at, as the desk reads them, a page at a time.

Beside the index lies one file of JSON lines, a `QueueRow` each; a page is a range of its bytes.
"""

from typing import TypedDict

SCHEMA = 2

NONE_OF_THESE = "(none of these)"
"""What people say of a row that belongs to no category of the model: a decision like the others, which no
model learns and none has said."""


class QueueRow(TypedDict):
    """A row that a person looks at."""

    number: int
    """Number of the data row in the input file, from 0."""
    line: int
    """Line of the input file on which the row begins, from 1."""
    cells: list[str]
    """As many as the input has columns."""
    prediction: str
    confidence: float
    """Of the prediction, 0 to 1."""
    second: str
    """The next likeliest category."""
    decided: str
    """The words that decided; empty where predictions are not explained."""
    reason: str
    """Why a person should look at it; empty for an audit."""
    group: str
    """The kind of the reason, by which the queue is ordered; of an audit, that of a row beside it, so that
    nobody can tell it from the others."""
    audit: bool
    """Whether the row was accepted and only drawn to check the promise."""


class QueuePage(TypedDict):
    """A range of the file of rows."""

    first: int
    """Place of its first row in the queue, from 0."""
    rows: int
    offset: int
    """Of its first byte in the file."""
    size: int
    """In bytes."""


class QueueOrder(TypedDict):
    """What is known of each row without reading its page: three lists in the order of the queue."""

    numbers: list[int]
    """The `number` of each row."""
    predictions: list[int]
    """The place of each row's prediction in `categories`."""
    groups: list[int]
    """The place of each row's group among the keys of `groups`."""


class ResultsForm(TypedDict):
    """How the results file is to be read again."""

    uri: str
    format: str
    """`csv` or `xlsx`."""
    delimiter: str
    columns: list[str]
    """Its header."""
    category_column: int
    """Which column has the category of the model; no cell of it is empty where the model gave one."""
    review_column: int
    """Which column says whether a person should look at the row."""


# Of a queue whose rows are those of no results file.
NO_RESULTS: ResultsForm = {
    "uri": "",
    "format": "csv",
    "delimiter": ",",
    "columns": [],
    "category_column": 0,
    "review_column": 0,
}


class Queue(TypedDict):
    """The index."""

    schema: int
    run: str
    """The run's name."""
    file: str
    """The input's name."""
    model: int
    """The version of the model that labelled."""
    columns: list[str]
    """The input's header."""
    text: int
    """Which column has the text."""
    label: int | None
    """Which column has the given category, if there is one."""
    categories: list[str]
    """Of the model and of the predictions, in order."""
    rows: str
    """The address of the file of rows."""
    to_review: int
    """Rows in the queue that the model left to people."""
    audits: int
    """Rows in the queue that were accepted."""
    left_out: int
    """Rows to review that the queue has no room for; the review file has all."""
    groups: dict[str, int]
    """How many rows each kind of reason has, in the order of the queue."""
    by_category: dict[str, int]
    """How many rows each predicted category has."""
    order: QueueOrder
    pages: list[QueuePage]
    results: ResultsForm
