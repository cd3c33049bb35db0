import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from examples import make_claims

FOLDER = Path(make_claims.__file__).parent
Claims = list[tuple[str, str]]


def rows(name: str) -> list[list[str]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def whole_claims(name: str) -> Claims:
    return [(row[3], row[4]) for row in rows(name)[1:] if len(row) == 5 and row[3].strip() and row[4]]


@pytest.fixture(scope="module")
def train() -> Claims:
    return whole_claims("claims_train.csv")


@pytest.fixture(scope="module")
def predict() -> Claims:
    return whole_claims("claims_predict.csv")


@pytest.mark.parametrize("kind", [make_claims.TRAIN, make_claims.PREDICT], ids=lambda kind: kind.name)
def test_the_committed_files_are_what_the_program_makes_byte_for_byte(kind: make_claims.Kind) -> None:
    assert make_claims.make_file(kind) == (FOLDER / f"claims_{kind.name}.csv").read_bytes()


def test_main_writes_both_files_into_the_folder_it_is_given(tmp_path: Path) -> None:
    make_claims.main(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claims_predict.csv", "claims_train.csv"]


def test_both_files_know_the_same_twelve_categories_none_of_them_rare(train: Claims, predict: Claims) -> None:
    counts = Counter(label for _, label in train)
    assert len(counts) == 12
    assert set(counts) == {label for _, label in predict}
    assert min(counts.values()) > 0.03 * len(train)


@pytest.mark.parametrize("name", ["claims_train.csv", "claims_predict.csv"])
def test_each_file_has_six_broken_rows_of_which_each_is_broken_in_its_own_way(name: str) -> None:
    broken = [row for row in rows(name)[1:] if len(row) != 5 or not row[3].strip() or not row[4]]
    assert sorted(map(len, broken)) == [1, 3, 5, 5, 5, 7]


@pytest.mark.parametrize("name", ["claims_train.csv", "claims_predict.csv"])
@pytest.mark.parametrize("sign", ["\n", "ñ", "保", "🙏", "=HYPERLINK(", '"'], ids=ascii)
def test_each_file_has_descriptions_that_are_unusual_but_fine(name: str, sign: str) -> None:
    assert any(sign in row[3] for row in rows(name) if len(row) == 5)


def test_claim_numbers_are_unique_across_both_files() -> None:
    numbers = [row[0] for name in ("claims_train.csv", "claims_predict.csv") for row in rows(name)[1:]]
    assert len(set(numbers)) == len(numbers)


def test_no_slot_and_no_choice_is_left_unfilled(train: Claims, predict: Claims) -> None:
    assert not [text for text, _ in train + predict if re.search(r"[{}|\[\]]", text)]


def test_texts_vary(train: Claims) -> None:
    assert len({text for text, _ in train}) > 0.95 * len(train)


def test_the_name_of_the_category_gives_it_away_in_few_claims(train: Claims) -> None:
    named = [label.lower() in text.lower() for text, label in train]
    assert np.mean(named) < 0.05


def test_single_words_do_not_settle_it_but_nearly_do(train: Claims, predict: Claims) -> None:
    accuracy = naive_bayes_accuracy(train, predict)
    assert 0.85 < accuracy < 0.95


def naive_bayes_accuracy(train: Claims, test: Claims) -> float:
    """Multinomial naive Bayes over the words of a text, each counted once."""
    words = sorted({word for text, _ in train for word in words_of(text)})
    labels = sorted({label for _, label in train})
    column = {word: at for at, word in enumerate(words)}
    counts = np.full((len(labels), len(words)), 0.1)
    for text, label in train:
        counts[labels.index(label), [column[word] for word in words_of(text)]] += 1
    weights = np.log(counts / counts.sum(axis=1, keepdims=True))
    prior = np.log([np.mean([label == each for _, label in train]) for each in labels])
    right = 0
    for text, label in test:
        known = [column[word] for word in words_of(text) if word in column]
        right += labels[int(np.argmax(prior + weights[:, known].sum(axis=1)))] == label
    return right / len(test)


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))
