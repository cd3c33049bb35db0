"""Mixed precision: the loss is scaled, a step that overflows is left out. float16 itself needs a GPU."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import step
from model.config import Config
from model.data import Examples, Split
from model.errors import TrainingStopped
from model.network import Network, TextCNN, seed_everything
from model.pipeline import Folders, run
from model.progress import Progress
from model.step import LossScaler
from model.training import Session, train

IN_FLOAT16 = """
from model.network import BiLSTM, TextCNN, amp, mx
from model.config import Config
amp.init()
for part, block in (("cnn", TextCNN), ("lstm", BiLSTM)):
    network = block(Config.parse({"architecture": part, "embed_size": 8}), 50, 3)
    logits = network(mx.sym.var("ids"))
    row = mx.gluon.loss.SoftmaxCrossEntropyLoss()(logits, mx.sym.var("label"))
    print(part, logits.infer_type(ids="float32")[1][0].__name__,
          row.infer_type(ids="float32", label="float32")[1][0].__name__)
"""


@pytest.fixture
def fit(tiny: Callable[..., Config]) -> Callable[..., Network]:
    """Trains on a few rows; with `scaled`, as in mixed precision, but for the float16."""
    chance = np.random.default_rng(0)
    labels = chance.integers(0, 2, 64)
    texts = [(chance.integers(2, 6, 5) + 4 * label).astype(np.int32) for label in labels]
    examples = Examples(texts, labels)

    def trained(scaled: bool, session: Session | None = None, **changes: object) -> Network:
        config = tiny(**{"architecture": "cnn", "num_epoch": 2, "dropout": 0.5, **changes})
        seed_everything(0)
        network = Network(TextCNN, config, 10, 2)
        network.mixed_precision = scaled
        train(network, config, Split(examples, examples), session)
        return network

    return trained


def same(one: Network, other: Network) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.weights(), other.weights(), strict=True))


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "adagrad"])
@pytest.mark.parametrize("clip_gradient", [None, 0.01])
def test_the_scale_of_the_loss_changes_no_update(
    clip_gradient: float | None, optimizer: str, fit: Callable[..., Network]
) -> None:
    changes = {"optimizer": optimizer, "clip_gradient": clip_gradient}
    plain, scaled = fit(False, **changes), fit(True, **changes)
    assert same(plain, scaled)  # to the bit: the scale is a power of two


@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])  # with and without sparse gradients
def test_a_step_that_overflows_is_left_out_and_the_next_loss_is_scaled_by_less(
    optimizer: str, fit: Callable[..., Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    scales = []

    class Overflowing(LossScaler):  # type: ignore[misc]
        def has_overflow(self, params: list[Any]) -> bool:
            scales.append(self.loss_scale)
            overflow = len(scales) <= 4
            if overflow:
                gradient = params[0].grad()
                gradient[:] = gradient * np.inf
            assert super().has_overflow(params) == overflow
            return overflow

    monkeypatch.setattr(step, "LossScaler", Overflowing)
    network = fit(True, num_epoch=1, optimizer=optimizer)
    assert scales == [2.0**16, 2.0**16, 2.0**15, 2.0**14]  # AMP halves it one step late
    assert all(np.isfinite(array).all() for array in network.weights())
    seed_everything(0)
    untrained = Network(network.architecture, network.config, 10, 2)
    assert same(network, untrained)  # all four steps of the epoch were left out


def test_a_training_begins_with_the_scale_of_amp() -> None:
    assert Progress().loss_scale == LossScaler().loss_scale


def test_a_resumed_training_goes_on_with_its_scale(
    fit: Callable[..., Network], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scales: list[float] = []

    def halve(self: LossScaler, _: object) -> bool:
        scales.append(self.loss_scale)
        self._loss_scale /= 2
        return False

    monkeypatch.setattr(LossScaler, "has_overflow", halve)
    asked = iter(range(100))
    with pytest.raises(TrainingStopped):
        fit(True, Session(tmp_path, lambda: next(asked) == 3))
    fit(True, Session(tmp_path))
    assert scales == [2.0 ** (16 - step) for step in range(8)]


def test_a_training_whose_every_step_overflowed_can_be_resumed(
    fit: Callable[..., Network], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LossScaler, "has_overflow", lambda *_: True)
    asked = iter(range(100))
    with pytest.raises(TrainingStopped):
        fit(True, Session(tmp_path, lambda: next(asked) == 3))
    monkeypatch.setattr(LossScaler, "has_overflow", lambda *_: False)
    fit(True, Session(tmp_path))


def test_on_a_processor_it_is_off_and_says_so(
    folders: Folders, tiny: Callable[..., Config], capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for amp in (True, False):
        run(tiny(architecture="cnn", num_epoch=1, amp=amp), folders)
        said.append(capsys.readouterr().out)
    assert "amp is true, but there is no GPU: training stays in float32." in said[0]
    assert "amp" not in said[1]


def test_the_types_of_every_network_fit_each_other() -> None:
    done = subprocess.run([sys.executable, "-c", IN_FLOAT16], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [
        "cnn float16 float32",
        "lstm float16 float32",
    ]
