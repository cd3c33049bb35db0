"""The training loop: it learns, repeats, resumes, stops early, and says what goes wrong."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import validation
from model.config import Config
from model.data import Examples, Numbers, Row, Split, batches
from model.encoder import WordEncoder
from model.errors import TrainingError, TrainingStopped
from model.network import Network, seed_everything
from model.progress import Progress
from model.training import Result, Session, perplexity, train

from .conftest import BLOCKS, TOPICS

Train = Callable[..., tuple[Network, Result]]


NOT_ASKED: Callable[[], bool] = lambda: False  # noqa: E731  it has a type


def numbered(rows: list[Row]) -> Numbers:
    return np.array([list(TOPICS).index(row.label) for row in rows])


@pytest.fixture(scope="module")
def split(toy: Callable[..., list[Row]]) -> Split:
    """The toy task by word."""
    rows, held_out = toy(150), toy(50, seed=1)
    encoder = WordEncoder.fit((row.text for row in rows), 100, 20)
    return Split(
        *(
            Examples(encoder.encode([row.text for row in some]).texts, numbered(some))
            for some in (rows, held_out)
        )
    )


@pytest.fixture
def fit(split: Split, tiny: Callable[..., Config]) -> Train:
    def trained(
        checkpoints: Path | None = None, should_stop: Callable[[], bool] = NOT_ASKED, **changes: object
    ) -> tuple[Network, Result]:
        config = tiny(**{"architecture": "cnn", "num_epoch": 4, **changes})
        seed_everything(config.seed)
        network = Network(BLOCKS[config.parts[0]], config, 100, 3)
        return network, train(network, config, split, Session(checkpoints, should_stop))

    return trained


def same(one: Network, other: Network) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.weights(), other.weights(), strict=True))


def stop_at(batch: int) -> Callable[[], bool]:
    asked: Iterator[int] = iter(range(10_000))
    return lambda: next(asked) == batch


@pytest.mark.parametrize("architecture", ["cnn", "lstm"])
def test_every_architecture_learns_a_separable_task_completely(architecture: str, fit: Train) -> None:
    _, result = fit(architecture=architecture, num_epoch=6)
    assert result.best_accuracy == 1


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd", "nag", "rmsprop"])
def test_every_optimizer_lowers_the_loss(optimizer: str, fit: Train) -> None:
    _, result = fit(optimizer=optimizer, num_epoch=3, patience=3)
    assert result.history[-1]["train_loss"] < result.history[0]["train_loss"] < 1.3


@pytest.mark.parametrize("architecture", ["cnn", "lstm"])
def test_the_same_seed_gives_the_same_weights_and_another_seed_gives_others(
    architecture: str, fit: Train
) -> None:
    changes = {"architecture": architecture, "num_epoch": 2, "dropout": 0.5}
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


@pytest.mark.parametrize("batch", [0, 7, 10, 23])
@pytest.mark.parametrize("architecture", ["lstm"])
def test_every_architecture_goes_on_from_where_it_was_stopped(
    architecture: str, batch: int, fit: Train, tmp_path: Path
) -> None:
    changes = {"architecture": architecture, "num_epoch": 4, "val_log_interval": 4}
    undisturbed, expected = fit(**changes)
    with pytest.raises(TrainingStopped, match="a restart goes on from its checkpoint"):
        fit(tmp_path, stop_at(batch), **changes)
    resumed, result = fit(tmp_path, **changes)
    assert same(undisturbed, resumed)
    assert (result.history, result.best_epoch) == (expected.history, expected.best_epoch)


@pytest.mark.parametrize("architecture", ["cnn", "lstm"])
def test_a_finished_run_that_is_started_again_trains_no_more(
    architecture: str, fit: Train, tmp_path: Path
) -> None:
    first, _ = fit(tmp_path, architecture=architecture)
    again, _ = fit(tmp_path, stop_at(0), architecture=architecture)
    assert same(first, again)


def test_the_best_weights_are_those_of_the_highest_accuracy_and_then_of_the_lowest_loss() -> None:
    progress = Progress()
    seen = [(0.8, 0.5), (0.9, 0.6), (0.8, 0.4), (0.9, 0.3), (0.9, 0.3)]
    found = []
    for accuracy, loss in seen:
        found.append(progress.improves(accuracy, loss))
        progress.epoch += 1
    assert found == [True, True, False, True, False]
    assert progress.improved_epoch == 2
    assert (progress.best_accuracy, progress.best_loss, progress.best_epoch) == (0.9, 0.3, 4)


def test_the_weights_that_are_kept_are_the_best_of_the_history(
    split: Split, tiny: Callable[..., Config]
) -> None:
    config = tiny(architecture="cnn", num_epoch=8, patience=8, learning_rate=0.5, power_decay=False)
    seed_everything(0)
    network = Network(BLOCKS[config.parts[0]], config, 100, 3)
    history = train(network, config, split, Session()).history
    logits, truths = network.logits(split.validation.texts), split.validation.labels
    highest = max(entry["validation_accuracy"] for entry in history)
    assert (logits.argmax(axis=1) == truths).mean() == pytest.approx(highest, abs=1e-6)


RARE = 8  # rows of one class, among the many of the other


def uneven() -> Split:
    """Two classes that words hint at; one is rare."""
    chance = np.random.default_rng(0)

    def examples(common: int, rare: int) -> Examples:
        labels = np.array([0] * common + [1] * rare)
        texts = [
            np.where(chance.random(8) < 0.6, chance.integers(2, 8, 8), chance.integers(2, 5, 8) + 3 * label)
            for label in labels
        ]
        return Examples([text.astype(np.int32) for text in texts], labels)

    return Split(examples(160, RARE), examples(100, 100))


def test_balanced_class_weights_raise_the_recall_of_a_rare_class(tiny: Callable[..., Config]) -> None:
    split, recall = uneven(), {}
    for weight in (None, "balanced"):
        config = tiny(architecture="cnn", num_epoch=5, patience=5, class_weight=weight, learning_rate=0.01)
        seed_everything(0)
        network = Network(BLOCKS[config.parts[0]], config, 10, 2)
        train(network, config, split, Session())
        guesses = network.logits(split.validation.texts).argmax(axis=1)
        recall[weight] = (guesses[split.validation.labels == 1] == 1).mean()
    assert recall["balanced"] > recall[None] + 0.2


def test_a_checkpoint_of_another_configuration_is_not_used(
    fit: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(tmp_path, num_epoch=1)
    fit(tmp_path, num_epoch=1, learning_rate=0.02)
    said = capsys.readouterr().out
    assert "Resuming" not in said
    assert "of this configuration, data and version: training starts over" in said


def test_a_checkpoint_of_another_version_is_not_used(
    fit: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(tmp_path, num_epoch=1)
    (path,) = tmp_path.glob("*.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "state": {**content["state"], "new": 1}}), encoding="utf-8")
    fit(tmp_path, num_epoch=1)
    assert "training starts over" in capsys.readouterr().out


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(fit: Train, tmp_path: Path) -> None:
    undisturbed, _ = fit(tmp_path, num_epoch=3)
    newest = max(tmp_path.glob("*.npz"))
    newest.write_bytes(newest.read_bytes()[:-100])
    resumed, _ = fit(tmp_path, num_epoch=3)
    assert same(undisturbed, resumed)


def test_the_validation_rows_are_put_into_batches_once(fit: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*arguments: Any) -> list[Numbers]:
        calls.append(arguments)
        return batches(*arguments)

    monkeypatch.setattr(validation, "batches", counted)
    _, result = fit(num_epoch=3, val_log_interval=5)
    assert len(result.history) == 6
    assert len(calls) == 1


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
