"""The networks: every parameter has its effect, and a text's logits do not depend on its neighbours."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.config import Config
from model.network import Network, framework
from model.training import seed_everything

ARCHITECTURES = [True, False]


def network(config: Config, classes: int = 3) -> Network:
    seed_everything(config.seed)
    return Network(config, 50, classes)


def texts(*lengths: int) -> list[np.ndarray]:
    chance = np.random.default_rng(0)
    return [chance.integers(1, 50, length).astype(np.int32) for length in lengths]


@pytest.mark.parametrize("cnn", ARCHITECTURES)
def test_logits_have_a_row_for_each_text_and_a_column_for_each_class(
    cnn: bool, tiny: Callable[..., Config]
) -> None:
    assert network(tiny(cnn=cnn), classes=5).logits(texts(3, 70, 1, 64)).shape == (4, 5)
    assert network(tiny(cnn=cnn), classes=5).logits([]).shape == (0, 5)


@pytest.mark.parametrize("cnn", ARCHITECTURES)
def test_the_logits_of_a_text_do_not_depend_on_the_texts_beside_it(
    cnn: bool, tiny: Callable[..., Config]
) -> None:
    net = network(tiny(cnn=cnn, kernel_size=[1, 2, 5, 8], n_layers=2))
    short, long, full = texts(5, 200, 64)
    alone = np.concatenate([net.logits([text]) for text in (short, long, full)])
    np.testing.assert_allclose(net.logits([short, long, full]), alone, atol=1e-5)


@pytest.mark.parametrize("cnn", ARCHITECTURES)
def test_logits_come_in_the_order_of_the_texts(cnn: bool, tiny: Callable[..., Config]) -> None:
    net, many = network(tiny(cnn=cnn)), texts(*range(1, 40))
    np.testing.assert_allclose(net.logits(many)[::-1], net.logits(many[::-1]), atol=1e-5)


@pytest.mark.parametrize("cnn", ARCHITECTURES)
def test_weights_are_the_same_when_saved_and_loaded(
    cnn: bool, tiny: Callable[..., Config], tmp_path: Path
) -> None:
    net, other = network(tiny(cnn=cnn)), network(tiny(cnn=cnn, seed=1))
    net.save(tmp_path / "x.params")
    assert not np.array_equal(net.logits(texts(9)), other.logits(texts(9)))
    other = network(tiny(cnn=cnn, seed=1))
    other.load(tmp_path / "x.params")
    assert np.array_equal(net.logits(texts(9)), other.logits(texts(9)))


def test_weights_can_be_put_back_after_use(tiny: Callable[..., Config]) -> None:
    net = network(tiny())
    before, weights = net.logits(texts(9)), net.weights()
    net.set_weights([array * 0 for array in weights])
    assert not net.logits(texts(9)).any()
    net.set_weights(weights)
    assert np.array_equal(net.logits(texts(9)), before)


def size(config: Config) -> int:
    return sum(array.size for array in network(config).weights())


def test_each_kernel_size_has_hidden_size_filters(tiny: Callable[..., Config]) -> None:
    words, output = 50 * 8, 3
    assert size(tiny(kernel_size=3, hidden_size=4)) == words + (3 * 8 * 4) + 4 + (4 * 3) + output
    assert size(tiny(kernel_size=[2, 3], hidden_size=4)) == words + (5 * 8 * 4) + 8 + (8 * 3) + output


def lstm(inputs: int, units: int) -> int:
    return 4 * units * (inputs + units + 2)


def test_the_lstm_has_the_layers_and_directions_that_are_asked_for(tiny: Callable[..., Config]) -> None:
    words, output = 50 * 8, 3
    one = tiny(cnn=False, bidirectional=False, hidden_size=4)
    assert size(one) == words + lstm(8, 4) + (4 * 3) + output
    both = tiny(cnn=False, bidirectional=True, hidden_size=4, n_layers=2)
    assert size(both) == words + 2 * lstm(8, 4) + 2 * lstm(8, 4) + (8 * 3) + output


def test_only_what_lies_behind_a_text_is_nothing(tiny: Callable[..., Config]) -> None:
    net = network(tiny(kernel_size=3))
    first, second = texts(10)[0], texts(10)[0].copy()
    second[-1] = first[-1] % 49 + 1
    assert not np.array_equal(net.logits([first]), net.logits([second]))


def test_vectors_are_what_the_words_start_from(tiny: Callable[..., Config]) -> None:
    net = network(tiny())
    net.use_vectors(np.ones((50, 8), dtype=np.float32))
    assert (net.vectors() == 1).all()


def test_the_framework_names_its_version() -> None:
    assert framework() == "mxnet 1.9.1"
