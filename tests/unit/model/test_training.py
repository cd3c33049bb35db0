"""The training loop: it learns, repeats, resumes, stops early, and says what goes wrong."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.config import Config
from model.data import Row, Split, encode
from model.encoder import Encoder
from model.errors import TrainingError, TrainingStopped
from model.network import Network
from model.training import Result, perplexity, seed_everything, train

Train = Callable[..., tuple[Network, Result]]


@pytest.fixture(scope="module")
def split(toy: Callable[..., list[Row]]) -> Split:
    encoder = Encoder.fit(((row.text, row.label) for row in toy(150)), 100, 20)
    return Split(encode(iter(toy(150)), encoder), encode(iter(toy(50, seed=1)), encoder))


@pytest.fixture
def fit(split: Split, tiny: Callable[..., Config]) -> Train:
    def trained(
        checkpoints: Path | None = None, should_stop: Callable[[], bool] = lambda: False, **changes: object
    ) -> tuple[Network, Result]:
        config = tiny(**changes)
        seed_everything(config.seed)
        network = Network(config, 100, 3)
        return network, train(network, config, split, checkpoints, should_stop)

    return trained


def same(one: Network, other: Network) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.weights(), other.weights(), strict=True))


def stop_at(batch: int) -> Callable[[], bool]:
    asked: Iterator[int] = iter(range(10_000))
    return lambda: next(asked) == batch


@pytest.mark.parametrize("architecture", [{"cnn": True}, {"cnn": False, "num_epoch": 6}])
def test_both_architectures_learn_a_separable_task_completely(
    architecture: dict[str, Any], fit: Train
) -> None:
    _, result = fit(**architecture)
    assert result.best_accuracy == 1


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd", "nag", "rmsprop"])
def test_every_optimizer_lowers_the_loss(optimizer: str, fit: Train) -> None:
    _, result = fit(optimizer=optimizer, num_epoch=3, patience=3)
    assert result.history[-1]["train_loss"] < result.history[0]["train_loss"] < 1.3


@pytest.mark.parametrize("cnn", [True, False])
def test_the_same_seed_gives_the_same_weights_and_another_seed_gives_others(cnn: bool, fit: Train) -> None:
    changes = {"cnn": cnn, "num_epoch": 2, "dropout": 0.5}
    first, again, other = (fit(seed=seed, **changes)[0] for seed in (3, 3, 4))
    assert same(first, again)
    assert not same(first, other)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("batch", [0, 7, 10, 23])
def test_a_run_that_was_stopped_and_resumed_ends_like_one_that_was_not(
    batch: int, optimizer: str, fit: Train, tmp_path: Path
) -> None:
    changes = {"optimizer": optimizer, "num_epoch": 3, "dropout": 0.5, "val_log_interval": 4}
    undisturbed, expected = fit(**changes)
    with pytest.raises(TrainingStopped, match="a restart goes on from its checkpoint"):
        fit(tmp_path, stop_at(batch), **changes)
    resumed, result = fit(tmp_path, **changes)
    assert same(undisturbed, resumed)
    assert result.history == expected.history
    assert result.best_epoch == expected.best_epoch


def test_a_finished_run_that_is_started_again_trains_no_more(fit: Train, tmp_path: Path) -> None:
    first, _ = fit(tmp_path)
    again, _ = fit(tmp_path, stop_at(0))
    assert same(first, again)


def test_a_checkpoint_of_another_configuration_is_not_used(
    fit: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(tmp_path, num_epoch=1)
    fit(tmp_path, num_epoch=1, learning_rate=0.02)
    assert "Resuming" not in capsys.readouterr().out


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(fit: Train, tmp_path: Path) -> None:
    undisturbed, _ = fit(tmp_path, num_epoch=3)
    newest = max(tmp_path.glob("*.npz"))
    newest.write_bytes(newest.read_bytes()[:-100])
    resumed, _ = fit(tmp_path, num_epoch=3)
    assert same(undisturbed, resumed)


def test_only_two_checkpoints_are_kept_and_none_holds_a_pickle(fit: Train, tmp_path: Path) -> None:
    fit(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    for path in tmp_path.glob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(array.dtype != object for array in arrays.values())


def test_training_stops_when_accuracy_no_longer_improves_and_keeps_the_best_weights(
    fit: Train, split: Split
) -> None:
    network, result = fit(num_epoch=30, patience=2)
    accuracies = [entry["validation_accuracy"] for entry in result.history]
    assert result.epochs == accuracies.index(max(accuracies)) + 1 + 2 < 30
    accuracy = (network.logits(split.validation.texts).argmax(axis=1) == split.validation.labels).mean()
    assert accuracy == pytest.approx(result.best_accuracy)


def test_a_loss_that_is_no_number_is_told_with_the_learning_rate(fit: Train) -> None:
    with pytest.raises(TrainingError, match=r"epoch 1/4 batch \d+/10.*lower learning_rate, which is 10"):
        fit(optimizer="sgd", learning_rate=10, clip_gradient=None, dropout=0, wd=1)


def test_the_log_has_loss_and_perplexity_validation_time_left_and_the_best_accuracy(
    fit: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(num_epoch=2, train_log_interval=4, val_log_interval=5)
    lines = capsys.readouterr().out.splitlines()
    assert (
        len([line for line in lines if "training loss=" in line and "perplexity=" in line and "left" in line])
        == 4
    )
    assert len([line for line in lines if "validation loss=" in line and "accuracy=" in line]) == 4
    assert lines[-1].startswith("Best Validation Accuracy: ")


def test_the_history_follows_the_decay_of_the_learning_rate(fit: Train) -> None:
    _, result = fit(num_epoch=3, patience=3, epoch_factor=2)
    assert [entry["learning_rate"] for entry in result.history] == pytest.approx([0.03, 0.03, 0.003])


def test_perplexity_is_e_to_the_loss_and_never_overflows() -> None:
    assert perplexity(0) == 1
    assert perplexity(1) == pytest.approx(2.718281828)
    assert perplexity(10_000) > 1e300
