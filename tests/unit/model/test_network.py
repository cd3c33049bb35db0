"""The networks: every parameter has its effect, and a text's logits do not depend on its neighbours."""

from collections.abc import Callable

import numpy as np
import pytest

from model.config import Config
from model.network import Network, seed_everything

from .conftest import BLOCKS

WORDS = 50
BY_WORD = ["cnn", "lstm"]


def network(config: Config, classes: int = 3, seed: int = 0) -> Network:
    """A network with random weights, those of n-grams included, which start at 0 by themselves."""
    seed_everything(seed)
    if config.parts != ["ngram"]:
        return Network(BLOCKS[config.parts[0]], config, WORDS, classes)
    chance = np.random.default_rng(seed)
    made = Network(
        BLOCKS[config.parts[0]], config, WORDS, classes, scale=np.linspace(0, 1, WORDS, dtype=np.float32)
    )
    made.set_weights([chance.normal(0, 1, array.shape).astype(np.float32) for array in made.weights()])
    return made


def texts(*lengths: int) -> list[np.ndarray]:
    chance = np.random.default_rng(0)
    return [chance.integers(1, WORDS, length).astype(np.int32) for length in lengths]


@pytest.fixture(params=BLOCKS)
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_logits_have_a_row_for_each_text_and_a_column_for_each_class(
    architecture: str, tiny: Callable[..., Config]
) -> None:
    net = network(tiny(architecture=architecture), classes=5)
    assert net.logits(texts(3, 70, 1, 64)).shape == (4, 5)
    assert net.logits([]).shape == (0, 5)


def test_the_logits_of_a_text_do_not_depend_on_the_texts_beside_it(
    architecture: str, tiny: Callable[..., Config]
) -> None:
    net = network(tiny(architecture=architecture, kernel_size=[1, 2, 5, 8], n_layers=2))
    short, long, full = texts(5, 200, 64)
    alone = np.concatenate([net.logits([text]) for text in (short, long, full)])
    np.testing.assert_allclose(net.logits([short, long, full]), alone, atol=1e-5)


def test_logits_come_in_the_order_of_the_texts(architecture: str, tiny: Callable[..., Config]) -> None:
    net, many = network(tiny(architecture=architecture)), texts(*range(1, 40))
    np.testing.assert_allclose(net.logits(many)[::-1], net.logits(many[::-1]), atol=1e-5)


def test_the_arrays_of_a_network_make_another_the_same(
    architecture: str, tiny: Callable[..., Config]
) -> None:
    config = tiny(architecture=architecture)
    net, other = network(config), network(config, seed=1)
    assert not np.array_equal(net.logits(texts(9)), other.logits(texts(9)))
    other.set_arrays(net.arrays())
    assert np.array_equal(net.logits(texts(9)), other.logits(texts(9)))
    with pytest.raises(KeyError):
        other.set_arrays({})


def test_weights_can_be_put_back_after_use(architecture: str, tiny: Callable[..., Config]) -> None:
    net = network(tiny(architecture=architecture))
    before, weights = net.logits(texts(9)), net.weights()
    net.set_weights([array * 0 for array in weights])
    assert not net.logits(texts(9)).any()
    net.set_weights(weights)
    assert np.array_equal(net.logits(texts(9)), before)


def size(config: Config) -> int:
    return sum(array.size for array in network(config).weights())


def test_each_kernel_size_has_as_many_filters_as_a_word_has_numbers(tiny: Callable[..., Config]) -> None:
    words, output = WORDS * 8, 3
    one = tiny(architecture="cnn", kernel_size=3, hidden_size=4)
    assert size(one) == words + (3 * 8 * 8) + 8 + (8 * 3) + output
    two = tiny(architecture="cnn", kernel_size=[2, 3], hidden_size=4)
    assert size(two) == words + (5 * 8 * 8) + 16 + (16 * 3) + output


def lstm(inputs: int, units: int) -> int:
    return 4 * units * (inputs + units + 2)


def test_the_lstm_has_the_layers_and_directions_that_are_asked_for(tiny: Callable[..., Config]) -> None:
    words, output = WORDS * 8, 3
    one = tiny(architecture="lstm", bidirectional=False, hidden_size=4)
    assert size(one) == words + lstm(8, 4) + (4 * 3) + output
    both = tiny(architecture="lstm", bidirectional=True, hidden_size=4, n_layers=2)
    assert size(both) == words + 2 * lstm(8, 4) + 2 * lstm(8, 4) + (8 * 3) + output


def test_n_grams_have_a_weight_for_each_class_and_start_at_nothing(tiny: Callable[..., Config]) -> None:
    scale = np.ones(WORDS, dtype=np.float32)
    net = Network(BLOCKS["ngram"], tiny(architecture="ngram"), WORDS, 3, scale=scale)
    assert sum(array.size for array in net.weights()) == WORDS * 3 + 3
    assert not net.logits(texts(9)).any()


@pytest.mark.parametrize(("norm", "divisor"), [("none", 1), ("sqrt", 2)])
def test_n_grams_add_up_by_their_scale_and_the_norm(
    norm: str, divisor: int, tiny: Callable[..., Config]
) -> None:
    scale = np.array([0, 1, 10, 100], dtype=np.float32)
    weights = np.array([[9, 9, 9], [1, -1, 0], [2, 0, 0], [3, 1, 0]], dtype=np.float32)
    bias = np.array([[0.5, 0, 0.25]])
    (logits,) = ngram_logits(tiny(architecture="ngram", ngram_norm=norm), scale, weights, bias)
    assert logits.tolist() == pytest.approx([321 / divisor + 0.5, 99 / divisor, 0.25])


def test_of_two_classes_the_first_has_the_weights_of_the_second_with_the_other_sign(
    tiny: Callable[..., Config],
) -> None:
    scale, weights = np.array([0, 1, 10, 100], dtype=np.float32), np.array([[9], [1], [2], [3]])
    config = tiny(architecture="ngram", ngram_norm="none")
    (logits,) = ngram_logits(config, scale, weights, np.array([[0.5]]))
    assert logits.tolist() == pytest.approx([-321.5, 321.5])


def ngram_logits(config: Config, scale: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The logits of a text with all n-grams, by a network with these weights."""
    net = Network(BLOCKS[config.parts[0]], config, len(scale), max(weights.shape[1], 2), scale=scale)
    net.set_arrays({name: weights if "embedding" in name else bias for name in net.arrays()})
    return net.logits([np.arange(1, len(scale), dtype=np.int32)])


def test_only_what_lies_behind_a_text_is_nothing(architecture: str, tiny: Callable[..., Config]) -> None:
    net = network(tiny(architecture=architecture, kernel_size=3))
    first, second = texts(10)[0], texts(10)[0].copy()
    second[-1] = first[-1] % 49 + 1
    assert not np.array_equal(net.logits([first]), net.logits([second]))


@pytest.mark.parametrize("name", BY_WORD)
@pytest.mark.parametrize("length", [1, 2, 16, 70])
def test_the_peaks_and_the_last_bias_are_the_logits(
    length: int, name: str, tiny: Callable[..., Config]
) -> None:
    net, (text,) = network(tiny(architecture=name, kernel_size=[1, 2, 5])), texts(length)
    shares, first, last = net.peaks(text)
    bias = net.block.output.bias.data().asnumpy()
    np.testing.assert_allclose(shares.sum(axis=0) + bias, net.logits([text])[0], atol=1e-5)
    assert (first >= 0).all()
    assert (first <= last).all()
    assert (last < length).all()


def test_the_peak_of_a_filter_names_the_words_under_it(tiny: Callable[..., Config]) -> None:
    net, (text,) = network(tiny(architecture="cnn", kernel_size=[2, 5])), texts(30)
    _, first, last = net.peaks(text)
    widths = last - first + 1
    assert (widths[:8] <= 2).all()
    assert (widths[8:] <= 5).all()
    inside = (first > 0) & (last < 29)
    assert (widths == np.repeat([2, 5], 8))[inside].all()


def test_vectors_are_what_the_words_start_from(tiny: Callable[..., Config]) -> None:
    net = network(tiny(architecture="cnn"))
    net.use_vectors(np.ones((WORDS, 8), dtype=np.float32))
    assert (net.vectors() == 1).all()
