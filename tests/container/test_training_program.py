"""The program `train`: the SageMaker contract, through the program itself."""

import errno
import json
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from container import program, training
from container.training import parse_hyperparameters
from model.config import Config
from model.errors import ArtifactError, ConfigError

from .conftest import ROOT, Run, environment

Job = Callable[..., Path]


def test_a_job_leaves_model_evaluation_report_and_suspects_and_no_failure(trained: Path) -> None:
    assert {path.name for path in (trained / "model").iterdir()} >= {
        "manifest.json",
        "model.params",
        "encoder.json",
    }
    assert {path.name for path in (trained / "output" / "data").iterdir()} == {
        "evaluation.json",
        "report.html",
        "suspects.csv",
        "program.json",
    }
    assert not (trained / "output" / "failure").exists()


def test_a_job_says_which_program_it_was_and_of_which_revision_inside_an_image(job: Job, run: Run) -> None:
    base = job(num_epoch=1)
    assert run("train", CLAIMFLOW_BASE_DIR=str(base), CLAIMFLOW_REVISION="0123456789ab").returncode == 0
    told = json.loads((base / "output" / "data" / "program.json").read_text(encoding="utf-8"))
    assert told == {"revision": "0123456789ab", "digest": program.version()}


def test_the_log_names_the_best_validation_accuracy(job: Job, run: Run) -> None:
    assert "Best Validation Accuracy" in run("train", CLAIMFLOW_BASE_DIR=str(job())).stdout


def test_the_model_holds_its_complete_configuration(trained: Path) -> None:
    config = json.loads((trained / "model" / "config.json").read_text(encoding="utf-8"))
    assert set(config) == set(Config.model_fields)
    assert config["kernel_size"] == [1, 2]


def failure(base: Path, done: "subprocess.CompletedProcess[str]") -> str:
    """The sentence of a job that failed on what it was given."""
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    sentence = (base / "output" / "failure").read_text(encoding="utf-8")
    assert "\n" not in sentence
    assert sentence in done.stdout
    assert not (base / "model" / "manifest.json").exists()
    return sentence


def test_every_problem_of_the_configuration_is_in_the_failure(job: Job, run: Run) -> None:
    base = job(learning_rate=-1, epochs=3)
    sentence = failure(base, run("train", CLAIMFLOW_BASE_DIR=str(base)))
    assert "learning_rate is -1" in sentence
    assert '"epochs" is not a key' in sentence


def test_a_missing_channel_is_named(job: Job, run: Run) -> None:
    base = job()
    shutil.rmtree(base / "input" / "data" / "validation")
    assert "The channel validation has no CSV file" in failure(
        base, run("train", CLAIMFLOW_BASE_DIR=str(base))
    )


def test_labels_that_do_not_agree_with_n_classes_are_told(job: Job, run: Run) -> None:
    base = job(n_classes=7)
    assert "n_classes is 7" in failure(base, run("train", CLAIMFLOW_BASE_DIR=str(base)))


def test_an_unexpected_error_leaves_a_sentence_and_a_traceback_in_the_log(job: Job, run: Run) -> None:
    base = job()
    part = base / "input" / "data" / "train" / "part-00000.csv"
    part.write_bytes(b"row,text,label\nx,\xff\xfe,y\n")
    done = run("train", CLAIMFLOW_BASE_DIR=str(base))
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "Unexpected UnicodeDecodeError" in (base / "output" / "failure").read_text(encoding="utf-8")


def test_a_stale_failure_is_removed(job: Job, run: Run) -> None:
    base = job(num_epoch=1)
    (base / "output").mkdir()
    (base / "output" / "failure").write_text("of the attempt before", encoding="utf-8")
    assert run("train", CLAIMFLOW_BASE_DIR=str(base)).returncode == 0
    assert not (base / "output" / "failure").exists()


def test_a_folder_that_cannot_be_written_is_told(job: Job, run: Run) -> None:
    base = job()
    (base / "output").write_text("no folder", encoding="utf-8")
    done = run("train", CLAIMFLOW_BASE_DIR=str(base))
    assert done.returncode == 1
    assert f"The folder {base / 'output'} cannot be written (File exists)" in done.stdout
    assert "Traceback" not in done.stderr


def give_champion(base: Path, archive: Path) -> Path:
    folder = base / "input" / "data" / "champion"
    folder.mkdir()
    return Path(shutil.copy(archive, folder / "model.tar.gz"))


def evaluation_of(base: Path) -> dict[str, Any]:
    return dict(json.loads((base / "output/data/evaluation.json").read_text(encoding="utf-8")))


def test_the_champion_is_measured_on_the_rows_held_out_for_it_too(job: Job, run: Run, trained: Path) -> None:
    base = job(num_epoch=1)
    give_champion(base, trained / "model.tar.gz")
    held_out = base / "input/data/champion_validation"
    held_out.mkdir()
    (held_out / "notes.json").write_text("{}", encoding="utf-8")
    (held_out / "part-00000.csv").write_text("row,text,label\n0,nobody learned this,x\n", encoding="utf-8")
    assert run("train", CLAIMFLOW_BASE_DIR=str(base)).returncode == 0
    found = evaluation_of(base)["champion"]
    assert (found["rows_of_live"], found["both_wrong"] >= 1) == (1, True)
    assert found["rows"] > 1


def test_a_challenger_is_compared_with_the_champion_and_not_trained_again(
    job: Job, run: Run, trained: Path
) -> None:
    base = job()
    give_champion(base, trained / "model.tar.gz")
    shutil.copytree(base / "input/data/champion", base / "input/data/challenger")
    done = run("train", CLAIMFLOW_BASE_DIR=str(base))
    assert (done.returncode, "epoch" in done.stdout) == (0, False)
    assert "Compared again" in done.stdout
    found = evaluation_of(base)
    assert found["champion"]["accuracy"] == found["champion"]["new_accuracy"]
    assert found["accuracy"] == evaluation_of(trained)["accuracy"]


def test_a_champion_that_cannot_be_read_is_told_with_what_to_do(job: Job, run: Run, trained: Path) -> None:
    base = job()
    archive = give_champion(base, trained / "model.tar.gz")
    archive.write_bytes(archive.read_bytes()[:500])
    sentence = failure(base, run("train", CLAIMFLOW_BASE_DIR=str(base)))
    assert "The live model cannot be read" in sentence
    assert "Reject its version in the model package group" in sentence


def without_seconds(base: Path) -> dict[str, object]:
    evaluation = json.loads((base / "output/data/evaluation.json").read_text(encoding="utf-8"))
    for part in [evaluation["training"], *evaluation["training"]["parts"]]:
        del part["seconds"]
    return dict(evaluation)


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "cnn", "num_epoch": 60, "patience": 60, "dropout": 0.5},
        {"architecture": "ngram", "ngram_epochs": 60},
    ],
    ids=["cnn", "ngram"],
)
def test_a_job_that_got_sigterm_stops_and_its_restart_ends_like_an_undisturbed_one(
    changes: dict[str, object], job: Job, run: Run, tmp_path: Path
) -> None:
    base = job(**changes, train_log_interval=1)
    twin = Path(shutil.copytree(base, tmp_path / "twin"))
    started = subprocess.Popen(
        [str(ROOT / "container" / "train")],
        env=environment(CLAIMFLOW_BASE_DIR=str(base)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with started:
        assert started.stdout is not None
        for line in started.stdout:
            if line.startswith("epoch 3/60"):
                started.send_signal(signal.SIGTERM)
                break
        rest = started.stdout.read()
    assert started.returncode == 143
    assert "asked to stop" in rest
    assert not (base / "model").exists()
    assert not (base / "output" / "failure").exists()

    restarted = run("train", CLAIMFLOW_BASE_DIR=str(base))
    goes_on = changes["architecture"] == "cnn"  # n-grams take seconds and begin anew
    assert ("Resuming from a checkpoint" in restarted.stdout) is goes_on
    assert run("train", CLAIMFLOW_BASE_DIR=str(twin)).returncode == 0
    assert without_seconds(base) == without_seconds(twin)
    assert (base / "model/model.params").read_bytes() == (twin / "model/model.params").read_bytes()


def test_hyperparameters_are_the_json_text_of_their_values() -> None:
    config = parse_hyperparameters(
        {"optimizer": '"sgd"', "kernel_size": "[3, 4]", "cnn": "false", "n_classes": "null"}
    )
    assert (config.optimizer, config.kernel_sizes, config.cnn, config.n_classes) == (
        "sgd",
        [3, 4],
        False,
        None,
    )


def test_the_hyperparameter_that_sagemaker_adds_to_each_trial_of_a_tuning_is_no_key() -> None:
    config = parse_hyperparameters({"_tuning_objective_metric": "validation:accuracy", "wd": "1.0E-4"})
    assert config.wd == 1e-4


def test_a_live_model_of_an_older_version_is_told_with_what_to_do(job: Job, run: Run, trained: Path) -> None:
    base = job()
    old = Path(shutil.copytree(trained / "model", base / "old"))
    manifest = json.loads((old / "manifest.json").read_text(encoding="utf-8"))
    (old / "manifest.json").write_text(json.dumps({**manifest, "schema": 1}), encoding="utf-8")
    (base / "input" / "data" / "champion").mkdir()
    with tarfile.open(base / "input" / "data" / "champion" / "model.tar.gz", "w:gz") as tar:
        tar.add(old, arcname=".")
    sentence = failure(base, run("train", CLAIMFLOW_BASE_DIR=str(base)))
    assert "schema version 1, and this program reads version 2" in sentence
    assert "Reject its version" in sentence


def test_text_without_quotes_is_told_beside_all_other_problems() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_hyperparameters({"optimizer": "adam", "dropout": "2"})
    assert len(refused.value.problems) == 2
    assert "optimizer is 'adam', which is not JSON text" in refused.value.problems[0]


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "[" * 5_000 + "]" * 5_000, "9" * 5_000, "{"])
def test_a_hyperparameter_that_is_not_strict_json_is_told_in_one_short_sentence(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_hyperparameters({"learning_rate": text})
    assert str(refused.value).startswith(f"The hyperparameter learning_rate is '{text[:70]}")
    assert len(str(refused.value)) < 200


@pytest.fixture
def main(job: Job, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a job that `training.main()` runs in this process."""
    base = job()
    monkeypatch.setenv("CLAIMFLOW_BASE_DIR", str(base))
    return base


def disk_is_full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_in_the_failure_for_which_room_was_kept(
    main: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reserved = main / "output" / training.RESERVED

    def fills_up(_: Path) -> None:
        assert reserved.stat().st_size == training.RESERVED_BYTES
        raise ArtifactError("The model cannot be saved.") from OSError(
            errno.ENOSPC, "No space left on device"
        )

    monkeypatch.setattr(training, "_train", fills_up)
    assert training.main() == 1
    assert (main / "output" / "failure").read_text(encoding="utf-8") == training.WORDING.disk_full
    assert training.WORDING.disk_full in capsys.readouterr().out
    assert not reserved.exists()


@pytest.mark.parametrize(
    ("content", "said"), [("[]", "must hold one JSON object"), ("[" * 5_000, "is nested too deeply")]
)
def test_hyperparameters_that_are_no_object_are_told(main: Path, content: str, said: str) -> None:
    (main / "input" / "config" / "hyperparameters.json").write_text(content, encoding="utf-8")
    assert training.main() == 1
    assert (
        (main / "output" / "failure").read_text(encoding="utf-8").startswith(f"hyperparameters.json {said}")
    )


@pytest.mark.parametrize("place", ["pathlib.Path.write_bytes", "pathlib.Path.mkdir"])
def test_a_disk_that_is_full_from_the_start_is_told(
    place: str, main: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(place, disk_is_full)
    monkeypatch.setattr("pathlib.Path.open", disk_is_full)
    assert training.main() == 1
    said = capsys.readouterr().out
    assert training.WORDING.disk_full in said
    assert "The sentence cannot be written to" in said
