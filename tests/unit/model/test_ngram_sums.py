"""What n-grams count, and their sums without the framework: against naive computations and the network."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.config import Config
from model.data import Examples, Numbers
from model.encoder import Ids
from model.network import Network
from model.ngram_sums import SMOOTHING, NgramSums, columns, scales
from model.ngrams import Norm, Scale

from .conftest import BLOCKS

SIZE, CLASSES = 12, 3
NORMS: list[Norm] = ["none", "sqrt"]
SCALES: list[Scale] = ["none", "idf", "nb", "nb-idf"]
TEXTS = st.lists(st.lists(st.integers(1, SIZE - 1), unique=True, max_size=6), min_size=1, max_size=8)


def as_ids(texts: Sequence[Sequence[int]]) -> list[Ids]:
    return [np.array(text, dtype=np.int32) for text in texts]


def labels_of(texts: Sequence[object], classes: int = CLASSES) -> Numbers:
    return np.arange(len(texts), dtype=np.int64) % classes


def idf(texts: Sequence[Sequence[int]], gram: int) -> float:
    return math.log(1 + len(texts) / max(sum(gram in text for text in texts), 1))


def largest_ratio(texts: Sequence[Sequence[int]], labels: Sequence[int], gram: int) -> float:
    """Max over the labels of |log(share within the label / share outside)|, both smoothed."""

    def share(wanted: Callable[[int], bool]) -> float:
        inside = [text for text, label in zip(texts, labels, strict=True) if wanted(label)]
        held = sum(text.count(gram) for text in inside)
        return (held + SMOOTHING) / (sum(map(len, inside)) + SMOOTHING * SIZE)

    ratios = [
        math.log(share(lambda of, own=label: of == own) / share(lambda of, own=label: of != own))  # type: ignore[misc]
        for label in set(labels)
    ]
    return max(abs(ratio) for ratio in ratios)


@settings(deadline=None)
@given(TEXTS.filter(all))
def test_the_scales_are_those_of_their_formulas(texts: list[list[int]]) -> None:
    labels = labels_of(texts)
    examples, classes = Examples(as_ids(texts), labels), len(set(labels.tolist()))
    found = {scale: scales(examples, classes, SIZE, scale) for scale in SCALES}
    for gram in range(1, SIZE):
        rarity, ratio = idf(texts, gram), largest_ratio(texts, labels.tolist(), gram)
        assert found["none"][gram] == 1
        assert found["idf"][gram] == pytest.approx(rarity, rel=1e-5)
        assert found["nb"][gram] == pytest.approx(ratio, rel=1e-4, abs=1e-6)
        assert found["nb-idf"][gram] == pytest.approx(ratio * rarity, rel=1e-4, abs=1e-6)
    for array in found.values():
        assert (array.shape, array.dtype, array[0]) == ((SIZE,), np.float32, 0)


def test_naive_bayes_counts_an_n_gram_of_one_class_for_more_than_one_of_all() -> None:
    texts = as_ids([[1, 2], [1, 2], [1, 3], [1, 3]])
    nb = scales(Examples(texts, np.array([0, 0, 1, 1])), 2, 4, "nb")
    assert nb[1] == pytest.approx(0, abs=1e-6)
    assert nb[2] == pytest.approx(nb[3])
    assert nb[2] > 1


def test_a_rare_n_gram_counts_more_than_a_frequent_one_by_idf() -> None:
    found = scales(Examples(as_ids([[1, 2], [1], [1], [1]]), labels_of(range(4))), CLASSES, 3, "idf")
    assert found[2] > found[1] == pytest.approx(math.log(2))


def random_sums(norm: Norm, classes: int) -> NgramSums:
    chance = np.random.default_rng(0)
    weights = chance.normal(0, 1, (SIZE, columns(classes))).astype(np.float32)
    return NgramSums(weights, chance.normal(0, 1, columns(classes)).astype(np.float32), norm)


def of_classes(values: np.ndarray) -> np.ndarray:
    """A single value is the second class's, and the first class has it with the other sign."""
    return np.concatenate([-values, values]) if len(values) == 1 else values


norms = pytest.mark.parametrize("norm", NORMS)
some_classes = pytest.mark.parametrize("classes", [2, CLASSES])


@some_classes
@norms
@settings(deadline=None)
@given(texts=TEXTS)
def test_the_logits_are_the_sums_over_a_texts_n_grams(
    norm: Norm, classes: int, texts: list[list[int]]
) -> None:
    sums = random_sums(norm, classes)
    found = sums.logits(as_ids(texts))
    for line, text in zip(found, texts, strict=True):
        divisor = math.sqrt(len(text) + 1) if norm == "sqrt" else 1
        expected = sums.bias + sum(sums.weights[gram] for gram in text) / divisor
        np.testing.assert_allclose(line, of_classes(expected), rtol=1e-5, atol=1e-5)
    assert found.dtype == np.float32


@some_classes
@norms
def test_the_logits_of_a_text_do_not_depend_on_the_texts_beside_it(norm: Norm, classes: int) -> None:
    sums, texts = random_sums(norm, classes), as_ids([[1], [], list(range(1, SIZE)), [5, 2]])
    alone = np.concatenate([sums.logits([text]) for text in texts])
    assert np.array_equal(sums.logits(texts), alone)
    assert np.array_equal(sums.logits(texts[::-1])[::-1], alone)


@some_classes
@norms
def test_a_text_without_known_n_grams_has_the_bias(norm: Norm, classes: int) -> None:
    sums = random_sums(norm, classes)
    assert np.array_equal(sums.logits(as_ids([[]])), of_classes(sums.bias)[None])
    assert sums.logits([]).shape == (0, classes)


@some_classes
@norms
def test_the_shares_of_the_n_grams_and_the_bias_are_the_logits(norm: Norm, classes: int) -> None:
    sums, (text,) = random_sums(norm, classes), as_ids([[3, 7, 1, 8]])
    together = sums.shares(text, len(text)).sum(axis=0) + of_classes(sums.bias)
    np.testing.assert_allclose(together, sums.logits([text])[0], rtol=1e-5)


@some_classes
@norms
def test_the_table_gives_the_logits_of_the_network_that_was_trained(
    norm: Norm, classes: int, tiny: Callable[..., Config]
) -> None:
    chance = np.random.default_rng(1)
    scale = chance.random(SIZE).astype(np.float32)
    scale[0] = 0
    network = Network(
        BLOCKS["ngram"], tiny(architecture="ngram", ngram_norm=norm, batch_size=4), SIZE, classes, scale=scale
    )
    network.set_weights([chance.normal(0, 1, array.shape).astype(np.float32) for array in network.weights()])
    texts = [chance.permutation(np.arange(1, SIZE, dtype=np.int32))[:length] for length in range(SIZE)]
    sums = NgramSums.of(network.arrays(), scale, norm)
    np.testing.assert_allclose(sums.logits(texts), network.logits(texts), rtol=1e-4, atol=1e-5)


@some_classes
def test_all_weights_are_given_by_name(classes: int) -> None:
    sums = random_sums("none", classes)
    assert {name: array.shape for name, array in sums.arrays().items()} == {
        "weights": (SIZE, columns(classes)),
        "bias": (columns(classes),),
    }
