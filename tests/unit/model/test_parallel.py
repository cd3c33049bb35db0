"""Several devices train what one would; MXNet takes `cpu(0)` and `cpu(1)` for two."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.config import Config
from model.data import Examples, Row, Split
from model.encoder import WordEncoder
from model.errors import TrainingStopped
from model.hosts import ALONE, Hosts
from model.network import Network, mx, seed_everything
from model.parallel import AllReduce
from model.training import Result, Session, train

from .conftest import BLOCKS, TOPICS

Train = Callable[..., tuple[Network, Result]]
ROWS = 145  # the last batch of 16 has one row: there is none for a second device


@pytest.fixture(scope="module")
def split(toy: Callable[..., list[Row]]) -> Split:
    rows, held_out = toy(ROWS), toy(50, seed=1)
    encoder = WordEncoder.fit((row.text for row in rows), 100, 20)

    def encoded(some: list[Row]) -> Examples:
        labels = np.array([list(TOPICS).index(row.label) for row in some])
        return Examples(encoder.encode([row.text for row in some]).texts, labels)

    return Split(encoded(rows), encoded(held_out))


@pytest.fixture
def fit(split: Split, tiny: Callable[..., Config]) -> Train:
    def trained(devices: int, session: Session | None = None, **changes: object) -> tuple[Network, Result]:
        config = tiny(**{"architecture": "cnn", "num_epoch": 3, "patience": 3, "dropout": 0, **changes})
        seed_everything(config.seed)
        network = Network(
            BLOCKS[config.parts[0]], config, 100, 3, devices=[mx.cpu(number) for number in range(devices)]
        )
        return network, train(network, config, split, session)

    return trained


def copies(network: Network, device: int) -> list[np.ndarray]:
    return [parameter.data(network.devices[device]).asnumpy() for parameter in network.parameters]


def assert_same(one: list[np.ndarray], other: list[np.ndarray], tolerance: float = 0.0) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd", "rmsprop"])
def test_several_devices_train_what_one_does(optimizer: str, class_weight: str | None, fit: Train) -> None:
    changes = {"optimizer": optimizer, "class_weight": class_weight, "wd": 0.01}
    alone, expected = fit(1, **changes)
    for devices in (2, 3):
        together, result = fit(devices, **changes)
        assert_same(copies(together, 0), copies(alone, 0), tolerance=2e-3)
        assert result.history[-1] == pytest.approx(expected.history[-1], abs=1e-3)


def test_an_lstm_too(fit: Train) -> None:
    (alone, _), (together, _) = (fit(devices, architecture="lstm") for devices in (1, 2))
    assert_same(copies(together, 0), copies(alone, 0), tolerance=2e-3)


def test_all_devices_have_the_same_weights_after_every_step(
    split: Split, tiny: Callable[..., Config]
) -> None:
    config = tiny(architecture="cnn", num_epoch=2, dropout=0.5)
    network = Network(BLOCKS[config.parts[0]], config, 100, 3, devices=[mx.cpu(0), mx.cpu(1)])
    steps = 0

    def compare() -> bool:
        nonlocal steps
        steps += 1
        assert_same(copies(network, 0), copies(network, 1))
        return False

    train(network, config, split, Session(should_stop=compare))
    assert steps == 20


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_run_on_two_devices_goes_on_from_its_checkpoint(optimizer: str, fit: Train, tmp_path: Path) -> None:
    changes = {"optimizer": optimizer, "dropout": 0.5}
    undisturbed, expected = fit(2, **changes)
    asked = iter(range(100))
    with pytest.raises(TrainingStopped):
        fit(2, Session(tmp_path, lambda: next(asked) == 14), **changes)
    resumed, result = fit(2, Session(tmp_path), **changes)
    assert_same(copies(undisturbed, 0), copies(resumed, 0))
    assert result.history == expected.history


def test_the_sum_of_sparse_gradients_names_every_row_of_the_batch() -> None:
    devices = [mx.cpu(0), mx.cpu(1)]
    gradients = [
        mx.nd.sparse.row_sparse_array(
            (mx.nd.array([[1.0, 2.0]], ctx=device), mx.nd.array([row], ctx=device)), shape=(5, 2), ctx=device
        )
        for row, device in zip((1, 3), devices, strict=True)
    ]
    AllReduce(ALONE, devices).add_rows("words", gradients, np.array([1, 3, 4]))
    for gradient in gradients:
        assert gradient.stype == "row_sparse"
        assert gradient.indices.asnumpy().tolist() == [1, 3, 4]
        assert gradient.data.asnumpy().tolist() == [[1, 2], [1, 2], [0, 0]]


@pytest.mark.parametrize("rows", [1, 5, 16])
def test_every_row_of_a_batch_belongs_to_one_worker(rows: int) -> None:
    group = np.arange(100, 100 + rows)
    names = ("algo-1", "algo-2")
    shares = []
    for name in names:
        reduce = AllReduce(ALONE, [mx.cpu(0), mx.cpu(1)])
        reduce.hosts, reduce.workers = (
            Hosts(names, name),
            4,
        )  # it would wait for them if it was made with them
        shares += [reduce.share(group, device) for device in (0, 1)]
    assert sorted(np.concatenate(shares)) == group.tolist()
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
