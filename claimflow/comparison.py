"""Two models on the same rows: where they differ, and which one is right where the categories are known."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from claimflow import evaluation, table
from claimflow.bootstrap import macro_f1_interval
from claimflow.errors import ClaimflowError, one_sentence
from claimflow.evaluation import Evaluation
from claimflow.model import Model
from contract.columns import AGREES, CONFIDENCE, ERROR, LABEL, LABEL_NAMES, NEEDS_REVIEW, PREDICTION
from contract.plain import plain
from model import calibration
from model.texts import hash_texts

Flags: TypeAlias = npt.NDArray[np.bool_]
SHOWN = (PREDICTION, CONFIDENCE, NEEDS_REVIEW)  # of each model, where the two differ
RECALL, F1, SUPPORT = "recall", "f1", "support"


@dataclass(frozen=True)
class Judged:
    """What the categories of the rows say of the two. Shares are numbers from 0 to 1.

    Attributes:
        rows: those that have a text and a category and that neither has learned from
        learned: rows left out, as one of the two has learned from their text
        evaluations: that of the first model and that of the second, on these rows
        macro_f1_intervals: the 95% bootstrap interval of each macro F1
        only_first_right: rows that the first model has right and the second one wrong
        only_second_right: the other way round
        p_value: chance of a difference at least this large between equally good models: McNemar's exact test,
            two-sided
        categories: recall and f1 of each model in each category, and its rows (`support`)

    """

    rows: int
    learned: int
    evaluations: tuple[Evaluation, Evaluation]
    macro_f1_intervals: tuple[tuple[float, float], tuple[float, float]]
    only_first_right: int
    only_second_right: int
    p_value: float
    categories: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class Comparison:
    """Two models on the same rows. Shares are numbers from 0 to 1.

    Attributes:
        names: of the first model and of the second: their versions, where they have one
        rows: those that have a text, from which all figures come
        left_out: the other rows
        same: share of the rows to which both give the same category
        accepted: share of the rows that need no person, by the first model and by the second
        differing: the rows to which they give different categories, with what each says, under the data's own
            index; `agrees_…` is there where the rows have categories
        judged: what the categories of the rows say; None: there are none, or one of the two has learned from
            all of them
        learned: rows with a category that do not count in `judged`, as one of the two has learned from them

    """

    names: tuple[str, str]
    rows: int
    left_out: int
    same: float
    accepted: tuple[float, float]
    differing: pd.DataFrame = field(repr=False)
    judged: Judged | None = field(repr=False)
    learned: int = 0


def compare(
    first: Model, second: Model, data: pd.DataFrame, *, text: str | None = None, label: str | None = None
) -> Comparison:
    """Return how two models differ on the rows of a table and, where it has categories, which one is right.

    A row whose text one of the two has learned from would flatter that one, so it does not count for who is
    right.

    >>> found = claimflow.compare(model, model, claims)
    >>> found.same, found.judged.p_value
    (1.0, 1.0)

    Args:
        first: the one, for example the live model
        second: the other
        data: the rows
        text: the column of the texts; None: the one that a model learned from, or one with a common name
        label: the column of the categories; None: likewise, if there is one

    Raises:
        ClaimflowError: a column that is named is missing, or no row has a text

    """
    texts = table.texts_of(data, text or _column(data, first.text_column, second.text_column))
    said = first.predict(texts), second.predict(texts)
    usable = said[0][ERROR].eq("").to_numpy()
    if not usable.any():
        raise ClaimflowError("No row has a text that can be labelled, so there is nothing to compare.")
    names = _names(first, second)
    answers = [each[PREDICTION].fillna("").map(plain).to_numpy() for each in said]
    differ = usable & (answers[0] != answers[1])
    given = _labels(data, label or _column(data, first.label_column, second.label_column), named=bool(label))
    judged, learned = (None, 0) if given is None else _judge((first, second), texts, said, given)
    return Comparison(
        names=names,
        rows=int(usable.sum()),
        left_out=int((~usable).sum()),
        same=float(1 - differ.sum() / usable.sum()),
        accepted=(_accepted(said[0], usable), _accepted(said[1], usable)),
        differing=_differing(data, said, given, differ, names),
        judged=judged,
        learned=learned,
    )


def _names(first: Model, second: Model) -> tuple[str, str]:
    names = str(first.version or "first"), str(second.version or "second")
    return names if names[0] != names[1] else ("first", "second")


def _column(data: pd.DataFrame, *learned: str | None) -> str | None:
    """Return the first of the columns that the models learned from that the table has."""
    return next((name for name in learned if name in data.columns), None)


def _labels(data: pd.DataFrame, column: str | None, *, named: bool) -> "pd.Series[str] | None":
    """Return the categories; None: the table has no column for them, and none was asked for."""
    try:
        return table.labels_of(data, column)
    except ClaimflowError:
        if named or any(plain(str(name)) in map(plain, LABEL_NAMES) for name in data.columns):
            raise
        return None


def _judge(
    models: tuple[Model, Model],
    texts: "pd.Series[str]",
    said: tuple[pd.DataFrame, pd.DataFrame],
    given: "pd.Series[str]",
) -> tuple[Judged | None, int]:
    """Return what the categories say, and how many rows do not count, as one model has learned from them."""
    usable = (said[0][ERROR].eq("") & given.ne("")).to_numpy()
    hashes = hash_texts(texts)
    seen = np.zeros(len(texts), dtype=bool)
    for model in models:
        if model.learned is not None:
            seen |= np.isin(hashes, model.learned)
    kept, learned = usable & ~seen, int((usable & seen).sum())
    if not kept.any():
        return None, learned
    with one_sentence():
        found = [
            evaluation.evaluate(frame[kept], given[kept], model.labels)
            for model, frame in zip(models, said, strict=True)
        ]
    first, second = (each.predictions[AGREES].to_numpy(dtype=bool) for each in found)
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    return Judged(
        rows=int(kept.sum()),
        learned=learned,
        evaluations=(found[0], found[1]),
        macro_f1_intervals=(_interval(models[0], found[0]), _interval(models[1], found[1])),
        only_first_right=only_first,
        only_second_right=only_second,
        p_value=calibration.chance_difference(only_first, only_second),
        categories=_categories(found, _names(*models)),
    ), learned


def _interval(model: Model, found: Evaluation) -> tuple[float, float]:
    """Return the interval of the macro F1, categories in their plain form numbered as they come."""
    truths, guesses = (found.predictions[name].map(plain) for name in (LABEL, PREDICTION))
    codes, names = pd.factorize(pd.concat([truths, guesses]))
    return macro_f1_interval(codes[: len(truths)], codes[len(truths) :], len(names))


def _categories(found: list[Evaluation], names: tuple[str, str]) -> pd.DataFrame:
    """Return recall and F1 of each model in each category that the rows have, that of most rows first."""
    sides = [
        each.categories[[SUPPORT, RECALL, F1]].rename(index=plain).add_suffix(f"_{name}")
        for each, name in zip(found, names, strict=True)
    ]
    spelled = {plain(label): label for each in found for label in each.categories.index}
    both = sides[0].join(sides[1], how="outer").fillna(0)
    rows = both[[f"{SUPPORT}_{name}" for name in names]].max(axis="columns").astype(int)
    shown = both.drop(columns=[f"{SUPPORT}_{name}" for name in names])
    shown.insert(0, SUPPORT, rows)
    shown.index = pd.Index([spelled[label] for label in shown.index], name=LABEL)
    return shown[shown[SUPPORT] > 0].sort_values(SUPPORT, ascending=False, kind="stable")


def _accepted(said: pd.DataFrame, usable: Flags) -> float:
    return float((~said[NEEDS_REVIEW].to_numpy(dtype=bool))[usable].mean())


def _differing(
    data: pd.DataFrame,
    said: tuple[pd.DataFrame, pd.DataFrame],
    given: "pd.Series[str] | None",
    differ: Flags,
    names: tuple[str, str],
) -> pd.DataFrame:
    """Return the rows that get different categories, as they came, with what each model says of them."""
    rows = data[differ].copy()
    for frame, name in zip(said, names, strict=True):
        for column in SHOWN:
            rows[f"{column}_{name}"] = frame.loc[differ, column].to_numpy()
        if given is not None:
            right = (frame[PREDICTION].fillna("").map(plain) == given.map(plain)).astype(object)
            right[given == ""] = None
            rows[f"{AGREES}_{name}"] = right[differ].to_numpy()
    return rows
