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
    """A network with random weights."""
    seed_everything(seed)
    return Network(BLOCKS[config.parts[0]], config, WORDS, classes)


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
