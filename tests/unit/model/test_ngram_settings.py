"""Which n-grams are chosen: what the configuration fixes, and for the rest what tells the classes apart."""

import dataclasses
import random
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest

from model import ngram_settings
from model.config import FOLDS, Config
from model.ngram_buckets import Grams
from model.ngram_settings import (
    CHARACTERS_OF_LONG,
    ENDS,
    LEAST_ROWS,
    MOST_WEIGHTS,
    NORMS,
    SCALES,
    TRIED_EPOCHS,
    WITH_CHARACTERS,
    NgramSettings,
    Sample,
    feature_limit,
    settings,
)
from model.ngram_training import NgramTrainer

FIXED: dict[str, Any] = {
    "ngram_words": 2,
    "ngram_skip": 1,
    "ngram_chars": [2, 3],
    "ngram_end": 5,
    "ngram_repeats": False,
    "ngram_scale": "idf",
    "ngram_norm": "none",
    "ngram_least_texts": 2,
    "ngram_optimizer": "sgd",
    "ngram_epochs": 3,
}
FILLER = [f"w{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"]

MakeText = Callable[[random.Random, int], list[str]]


def sample(make: MakeText, count: int = 240) -> Sample:
    """Rows of two classes; `make` gives the words of a text of class 0 or 1."""
    chance = random.Random(0)
    labels = [number % 2 for number in range(count)]
    folds = np.arange(count) // 2 % FOLDS
    return Sample([" ".join(make(chance, label)) for label in labels], np.array(labels), folds, 2)


def filler(chance: random.Random, count: int) -> list[str]:
    return chance.choices(FILLER, k=count)


def chosen(make: MakeText, **fixed: object) -> NgramSettings:
    least = {"ngram_scale": "nb", "ngram_norm": "sqrt", "ngram_least_texts": 2, "ngram_epochs": 4}
    config = Config.parse({**least, **fixed})
    return settings(config, lambda: sample(make))


def no_sample() -> NoReturn:
    pytest.fail("the sample was read")


def test_a_configuration_that_fixes_everything_chooses_nothing_and_reads_no_sample() -> None:
    assert settings(Config.parse(FIXED), no_sample) == NgramSettings(
        Grams(2, 1, (2, 3), 5), "idf", "none", least_texts=2, optimizer="sgd", epochs=3
    )


def test_no_n_grams_of_characters_can_be_fixed_too() -> None:
    assert settings(Config.parse({**FIXED, "ngram_chars": None}), no_sample).grams.chars is None


@pytest.mark.parametrize("chars", [[2, 4], [4, 2]])
def test_the_shortest_and_longest_run_of_characters_can_come_in_either_order(chars: list[int]) -> None:
    assert settings(Config.parse({**FIXED, "ngram_chars": chars}), no_sample).grams.chars == (2, 4)


def pieces(chance: random.Random, label: int) -> list[str]:
    """Only a piece inside words that are ever new tells the class."""
    front, back = ("".join(chance.choices("bcdfgh", k=4)) for _ in range(2))
    return [*filler(chance, 5), front + ("ung", "eit")[label] + back, *filler(chance, 2)]


def test_n_grams_of_characters_are_chosen_where_only_pieces_of_words_tell() -> None:
    assert chosen(pieces, ngram_end=0).grams.chars is not None


TRIPLES = [
    [f"{first}x {second}y {third}z" for first in "ab" for second in "ab" for third in "ab"][number]
    for number in range(8)
]
EVEN = [0, 3, 5, 6]


def triples(chance: random.Random, label: int) -> list[str]:
    """Only three words in a row tell: every pair of them is in the texts of both classes."""
    own = [TRIPLES[n] for n in range(8) if (n in EVEN) == (label == 0)]
    chance.shuffle(own)
    return [word for triple in own for word in (*triple.split(), *filler(chance, 8))]


def test_longer_n_grams_of_words_are_chosen_where_only_three_words_in_a_row_tell() -> None:
    assert chosen(triples, ngram_chars=None, ngram_end=0).grams.words == 3


def apart(chance: random.Random, label: int) -> list[str]:
    """Only which words stand near each other tells, with an ever different one between them."""
    pairs = [("one", "red"), ("two", "blue")] if label else [("one", "blue"), ("two", "red")]
    chance.shuffle(pairs)
    return [word for a, b in pairs for word in (a, *filler(chance, 1), b, *filler(chance, 8))]


def test_pairs_of_words_are_chosen_where_only_words_that_stand_apart_tell() -> None:
    assert chosen(apart, ngram_chars=None, ngram_end=0).grams.skip > 0


def endings(chance: random.Random, label: int) -> list[str]:
    """Both words are in every text; only the one near the end tells."""
    words = [["good"], ["bad"]]
    first, last = words[label], words[1 - label]
    return [*first, *filler(chance, 30), *last, *filler(chance, 3)]


def test_the_last_words_count_apart_where_only_the_end_tells() -> None:
    fixed: dict[str, Any] = {"ngram_words": 1, "ngram_skip": 0, "ngram_chars": None}
    assert chosen(endings, **fixed).grams.end == max(ENDS)
    assert chosen(triples, **fixed, ngram_end=7).grams.end == 7


def hinted(chance: random.Random, label: int) -> list[str]:
    """In short texts one word tells, nine times in ten; that it is near the end tells no more."""
    words = ["good", "bad"]
    telling = words[label if chance.random() < 0.9 else 1 - label]
    return [*filler(chance, 4), telling, *filler(chance, 3)]


def test_the_last_words_do_not_count_apart_where_that_tells_hardly_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fixed: dict[str, Any] = {"ngram_words": 2, "ngram_skip": 0, "ngram_chars": None}
    assert chosen(hinted, **fixed).grams.end == 0
    monkeypatch.setattr(ngram_settings, "WORTH", 1.0)
    assert chosen(hinted, **fixed).grams.end == max(ENDS), "a little more it does tell"


def test_what_is_fixed_stays_and_only_the_rest_is_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    changes: dict[str, Any] = {"ngram_scale": "auto", "ngram_norm": "auto"}
    found = settings(Config.parse({**FIXED, **changes}), lambda: sample(pieces))
    assert found.grams == Grams(2, 1, (2, 3), 5)
    assert found.scale in SCALES
    assert found.norm in NORMS
    said = capsys.readouterr().out.splitlines()
    assert len(SCALES) + len(NORMS) - 1 <= len(said) <= len(SCALES) + len(NORMS)
    assert all(line.startswith("Choosing n-grams: 1 to 2 words, pairs with up to 1") for line in said)


def test_the_same_sample_gives_the_same_choice_with_the_same_losses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = []
    for _ in range(2):
        chosen(pieces, ngram_words=2, ngram_skip=0)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert len(said[0].splitlines()) == 5  # four kinds of characters or none, then with the end apart


def test_too_few_rows_take_the_first_of_each_choice() -> None:
    found = settings(Config(), lambda: sample(pieces, LEAST_ROWS - 1))
    assert found == NgramSettings(WITH_CHARACTERS, SCALES[0], NORMS[0])
    assert found.grams.end == ENDS[0]


@pytest.mark.parametrize(
    ("losses", "epochs"),
    [([0.5, 0.3, 0.2992, 0.31], 2), ([0.5, 0.3, 0.29, 0.295], 3), ([0.5, 0.6], 1)],
)
def test_of_epochs_with_about_the_lowest_loss_the_fewest_are_taken(
    losses: list[float], epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter(losses)
    monkeypatch.setattr(ngram_settings, "_loss", lambda *_: next(said))
    fixed = Config.parse({**FIXED, "ngram_epochs": "auto", "ngram_scale": "nb"})
    monkeypatch.setattr(ngram_settings._Trial, "best", lambda _, candidates, *worth: candidates[0])
    assert settings(fixed, lambda: sample(pieces)).epochs == epochs


def test_going_on_with_the_best_trial_chooses_the_same_as_beginning_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learned: list[NgramTrainer] = []
    epoch = NgramTrainer.epoch
    monkeypatch.setattr(NgramTrainer, "epoch", lambda trainer: (learned.append(trainer), epoch(trainer))[1])
    kept = settings(Config(), lambda: sample(pieces)), capsys.readouterr().out
    with_kept = len(learned)
    monkeypatch.setattr(ngram_settings, "MOST_KEPT", 0)
    assert (settings(Config(), lambda: sample(pieces)), capsys.readouterr().out) == kept
    assert len(learned) - with_kept > with_kept


def test_rows_that_are_alone_with_their_label_choose_nothing_and_lose_no_n_gram() -> None:
    rows = sample(pieces, 400)
    alone = dataclasses.replace(rows, labels=np.arange(400), classes=400)
    found = settings(Config(), lambda: alone)
    assert found == NgramSettings(WITH_CHARACTERS, SCALES[0], NORMS[0], least_texts=1)


def test_the_settings_are_described_by_the_keys_of_the_configuration() -> None:
    described = settings(Config.parse(FIXED), no_sample).described()
    assert described == FIXED
    assert set(described) < set(Config.model_fields)


@pytest.mark.parametrize(
    ("wanted", "classes", "limit"),
    [
        (1000, 2, 1000),
        (16_000_000, 2, 16_000_000),
        (16_000_000, 100, MOST_WEIGHTS // 100),
        (1000, 10_000, 1000),
        (2_000_000, 10_000, MOST_WEIGHTS // 10_000),
    ],
)
def test_as_many_n_grams_are_known_as_configured_and_as_there_is_memory_for(
    wanted: int, classes: int, limit: int
) -> None:
    assert feature_limit(Config.parse({"ngram_features": wanted}), classes) == limit


def repeating(chance: random.Random, label: int) -> list[str]:
    """Only how often a word stands there tells the class: texts of both have the same words."""
    often, seldom = ("oil", "brake") if label else ("brake", "oil")
    words = [often] * 4 + [seldom] + filler(chance, 60)
    chance.shuffle(words)
    return words


def test_words_that_a_text_repeats_count_once_more_where_they_tell() -> None:
    assert chosen(repeating, ngram_words=1, ngram_skip=0, ngram_chars=None, ngram_end=0).grams.repeats


@pytest.mark.parametrize(("of_repeats", "repeats"), [(0.995, False), (0.98, True)])
def test_repeats_that_hardly_lower_the_loss_are_not_worth_their_time(
    of_repeats: float, repeats: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter(loss for loss in (1.0, of_repeats, 1.0) for _ in range(TRIED_EPOCHS))
    monkeypatch.setattr(ngram_settings, "_loss", lambda *_: next(losses))
    fixed = {**FIXED, "ngram_repeats": "auto", "ngram_scale": "nb"}
    found = settings(Config.parse(fixed), lambda: sample(repeating))
    assert found.grams.repeats is repeats


def test_in_short_texts_repeated_words_are_not_tried(capsys: pytest.CaptureFixture[str]) -> None:
    chosen(pieces, ngram_end=0)
    assert "repeated" not in capsys.readouterr().out


def rare(chance: random.Random, label: int) -> list[str]:
    """Only words tell that few of the texts have."""
    words = [f"rare{label}{chance.randrange(40)}x" for _ in range(2)] + filler(chance, 60)
    chance.shuffle(words)
    return words


def frequent(chance: random.Random, label: int) -> list[str]:
    """Only a frequent word tells, among many that few of the texts have."""
    return [f"often{label}", *(f"rare{chance.randrange(1500)}x" for _ in range(60))]


def test_the_optimizer_is_the_one_that_learns_less_noise() -> None:
    fixed: dict[str, Any] = {"ngram_words": 1, "ngram_chars": None, "ngram_skip": 0, "ngram_end": 0}
    assert chosen(rare, **fixed, ngram_repeats=False).optimizer == "adam"
    assert chosen(frequent, **fixed, ngram_repeats=False).optimizer == "sgd"
    assert chosen(rare, **fixed, ngram_repeats=False, ngram_optimizer="sgd").optimizer == "sgd"


def test_in_short_texts_no_other_optimizer_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen(lambda chance, label: frequent(chance, label)[:20], ngram_end=0).optimizer == "adam"
    assert "sgd" not in capsys.readouterr().out


def test_single_words_are_chosen_in_long_texts_where_longer_runs_only_add_noise() -> None:
    def noisy(chance: random.Random, label: int) -> list[str]:
        words = [*chance.choices(FILLER[:20], k=150), f"about{label}"]
        chance.shuffle(words)
        return words

    assert chosen(noisy, ngram_end=0, ngram_repeats=False).grams.words == 1


def pieces_in_long(chance: random.Random, label: int) -> list[str]:
    return [*filler(chance, 120), *pieces(chance, label)]


def test_n_grams_of_characters_are_not_tried_in_long_texts_with_adam(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert chosen(pieces_in_long, ngram_end=0, ngram_optimizer="adam").grams.chars is None
    assert "characters" not in capsys.readouterr().out


def test_n_grams_of_characters_of_many_long_texts_are_not_tried(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ngram_settings, "MOST_OF_LONG", 100_000)  # of the 240 texts of over 500 each
    assert chosen(pieces_in_long, ngram_end=0, ngram_optimizer="sgd").grams.chars is None
    assert "characters" not in capsys.readouterr().out


def test_n_grams_of_characters_are_chosen_in_long_texts_where_they_tell_and_gradient_descent_learns() -> None:
    assert chosen(pieces_in_long, ngram_end=0, ngram_optimizer="sgd").grams.chars == CHARACTERS_OF_LONG
    without: dict[str, Any] = {"ngram_end": 0, "ngram_optimizer": "sgd", "ngram_chars": None}
    assert chosen(pieces_in_long, **without).grams.chars is None
