"""Cross-fitting: no row is scored by a model that has learned from its text."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from model.config import Config
from model.cross_fitting import fit, folds, tellable
from model.data import Numbers
from model.parts import kind
from model.parts.part import Fitted, Part, Rows, Scores
from model.pipeline import Folders, run
from model.texts import hash_texts
from model.training import Session

TEXTS = [f"text {number}" for number in range(200)]
SILENT = Session(say=lambda _: None)


def test_only_a_row_whose_label_other_folds_have_too_tells_anything() -> None:
    labels = np.array([0, 0, 1, 1, 2, 3, 3])
    of_rows = np.array([0, 1, 2, 2, 0, 1, 1])
    assert tellable(labels, of_rows).tolist() == [True, True, False, False, False, False, False]
    assert tellable(labels[:0], of_rows[:0]).tolist() == []


class Memory(Part):
    """A part that knows the texts it has learned: they get 1, all others 0."""

    title = "memory"

    def __init__(self, texts: Iterator[str]) -> None:
        self.texts = frozenset(texts)

    def score(self, texts: list[str]) -> Scores:  # type: ignore[override]
        known = np.array([text in self.texts for text in texts], dtype=np.float64)
        number = np.array([int(text.split()[1]) for text in texts], dtype=np.float32)
        return Scores(number[:, None].repeat(2, axis=1), known, np.ones(len(texts)))

    check = evidence = arrays = described = load = None  # type: ignore[assignment]

    @classmethod
    def fit(cls, rows: Rows, config: Config, session: Session) -> Fitted:
        return Fitted(cls(rows.texts()), Memory(iter(())).score([]), {})


def rows(texts: list[str], of_rows: Numbers | None) -> Rows:
    labels = np.zeros(len(texts), dtype=np.int64)
    return Rows(lambda: iter(texts), labels, [], labels[:0], classes=2, characters=0, folds=of_rows)


def scores_of(given: Rows) -> Scores | None:
    return fit(Memory, given, Config(), SILENT).out_of_fold


def test_the_folds_are_of_about_the_same_size() -> None:
    sizes = np.bincount(folds(hash_texts(TEXTS * 10), 5), minlength=5)
    assert len(sizes) == 5
    assert sizes.min() > 200


def test_rows_of_the_same_text_share_a_fold_whatever_their_case_and_blanks() -> None:
    of_rows = folds(hash_texts(["The drum leaks", "the  DRUM leaks ", "another"]), 5)
    assert of_rows[0] == of_rows[1]


def test_no_row_is_scored_by_a_part_that_knows_its_text_and_their_order_stays() -> None:
    texts = [*TEXTS, *TEXTS[:50]]
    scores = scores_of(rows(texts, folds(hash_texts(texts), 5)))
    assert scores is not None
    assert not scores.in_vocabulary_ratios.any()
    assert scores.logits[:, 0].tolist() == [int(text.split()[1]) for text in texts]


def test_a_fold_without_rows_is_left_out() -> None:
    scores = scores_of(rows(TEXTS, np.arange(len(TEXTS)) % 2 * 3))
    assert scores is not None
    assert len(scores.logits) == len(TEXTS)


def test_without_folds_there_is_nothing_out_of_fold() -> None:
    assert scores_of(rows(TEXTS, None)) is None


@pytest.mark.parametrize(("keys", "count"), [({}, 5), ({"folds": 3}, 3), ({"folds": 0}, 0)])
def test_all_but_the_accuracy_comes_from_the_folds(
    keys: dict[str, int], count: int, folders: Folders, tiny: Callable[..., Config]
) -> None:
    evaluation = run(tiny(architecture="ngram", **keys), folders)
    measured = evaluation["measured"]
    assert (measured["on"], measured["folds"]) == ("folds" if count else "validation", count)
    expected = evaluation["data"]["training_rows"] if count else evaluation["validation_rows"]
    assert measured["rows"] == expected == sum(label["support"] for label in evaluation["per_class"])


@pytest.mark.parametrize("architecture", ["cnn", "ngram+cnn"])
def test_the_slow_networks_are_not_cross_fitted_unless_asked(
    architecture: str, folders: Folders, tiny: Callable[..., Config]
) -> None:
    assert run(tiny(architecture=architecture), folders)["measured"]["folds"] == 0
    evaluation = run(tiny(architecture=architecture, folds=2, num_epoch=1), folders)
    assert evaluation["measured"]["folds"] == 2


def test_a_kind_of_part_scores_as_many_rows_out_of_fold_as_it_learns_from() -> None:
    texts = [
        f"brake {number % 7} squeals" if number % 2 else f"oil {number % 5} leaks" for number in range(120)
    ]
    given = dataclasses.replace(
        rows(texts, folds(hash_texts(texts), 3)),
        labels=np.arange(120) % 2,
        validation_texts=texts[:10],
        validation_labels=np.arange(10) % 2,
    )
    fitted = fit(kind("ngram"), given, Config(architecture="ngram"), SILENT)
    assert fitted.out_of_fold is not None
    assert fitted.out_of_fold.logits.shape == (120, 2)
