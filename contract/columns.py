"""The columns of the tables that pass between the parts, and of those that people get."""

from typing import NamedTuple

from contract.part import Prediction


class ShardRow(NamedTuple):
    """A row of a shard, as the prediction reads it."""

    row: int
    """Number of the data row in the input file, from 0."""
    text: str


class ChannelRow(NamedTuple):
    """A row of a training channel."""

    row: int
    """Number of the data row in the input file, from 0."""
    text: str
    label: str
    line: int
    """Line of the input file on which the row begins, from 1."""


class SuspectRow(NamedTuple):
    """A labelled row whose label is probably wrong."""

    line: int
    """Line of the input file on which the row begins."""
    text: str
    label: str
    """The label that the row came with."""
    likely_label: str
    """The label that a model which has not seen the row finds likeliest."""
    chance: float
    """Of the label that the row came with, by that model, 0 to 1."""
    file: str = ""
    """The name of the row's file; the list of a training from one file has no such column."""


class RejectedRow(NamedTuple):
    """A row of the input that cannot be used, as people and collect read it."""

    line: int
    """Line of the input file on which the row begins."""
    reason: str
    """Why; details follow a colon, and of several files the file's name in brackets."""
    raw: str
    """The row as it stands in the file, shortened to 2,000 characters."""


# Why a row has no prediction; details follow a colon.
NO_TEXT = "no text"
TOO_LONG = "text too long"
TEXT_LIMIT = 1_000_000  # characters


class Judgement(NamedTuple):
    """What collect adds to a row of the results, behind the columns of its prediction."""

    needs_review: bool
    """Whether a person should look at the row."""
    agrees: bool | None
    """Whether the prediction is the category that the row came with; empty without one."""
    model_version: str
    """Version of the model that labelled the row; empty without a prediction."""
    error: str
    """Why the row has no prediction."""


# In the last column of a row that was taken out (`claimflow forget`); its other cells are empty. It keeps the
# place of a row in the files whose rows are known by their places: the results and the suspects.
REMOVED = "removed on request"

SHARD, CHANNEL, REJECTED = ShardRow._fields, ChannelRow._fields, RejectedRow._fields
SUSPECT = SuspectRow._fields
ROW, TEXT, LABEL, _ = CHANNEL
FILE = SUSPECT[-1]  # of a training channel with rows of several files, too, behind its other columns
LINE, REASON, RAW = REJECTED  # the rows to review have a column with the reason, too
NEEDS_REVIEW, AGREES, MODEL_VERSION, ERROR = Judgement._fields
PREDICTION, CONFIDENCE, RUNNER_UP, BECAUSE = "prediction", "confidence", "runner_up", "because"

# Columns of a part that people do not get: the row stands where it stood, the doubt in the reason, and the
# levels in columns of their own (`contract.part.level_columns`).
_INTERNAL = (ROW, "doubt", "levels")
RESULTS = (*[name for name in Prediction._fields if name not in _INTERNAL], *Judgement._fields)
"""What the results have beside the columns of the input; `agrees` and `because` not always."""
ALWAYS = frozenset({PREDICTION, CONFIDENCE, RUNNER_UP, NEEDS_REVIEW})
"""Columns that results of every version have, by which files of our own are known again."""

# How people name the column of the texts and that of the categories, the commonest first.
TEXT_NAMES = (
    "text", "review", "description", "claim", "claim_text", "complaint", "comment", "comments",
    "message", "body", "content", "note", "notes", "feedback", "ticket", "summary", "narrative", "remarks",
    # German
    "beschreibung", "beschwerde", "reklamation", "kommentar", "bemerkung", "nachricht", "inhalt", "notiz",
    "schadensbeschreibung", "freitext",
    # French
    "texte", "plainte", "réclamation", "commentaire", "remarque", "avis", "contenu", "motif",
    # Spanish
    "texto", "descripción", "reclamación", "queja", "comentario", "observaciones", "mensaje", "contenido",
)  # fmt: skip
LABEL_NAMES = (
    "label", "category", "class", "sentiment", "target", "topic", "intent", "labels", "choice",
    # German
    "kategorie", "klasse", "thema", "schadensart",
    # French
    "étiquette", "catégorie", "classe", "thème",
    # Spanish
    "etiqueta", "categoría", "clase", "tema",
)  # fmt: skip
