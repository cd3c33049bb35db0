"""The program `train` inside the image: no network, a read-only root, no capabilities."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import BATCH, NO_CAPABILITIES, PROGRAM_SECONDS, SAGEMAKER, Image, Job, figures, volume

AS_ROOT = ("--user", "0", *NO_CAPABILITIES)
LONG = {"architecture": "cnn", "num_epoch": 100, "patience": 100, "dropout": 0.5, "power_decay": False}


def mounted(base: Path) -> tuple[str, str]:
    return volume(base, "/opt/ml")


def failure(base: Path) -> str:
    sentence = (base / "output" / "failure").read_text(encoding="utf-8")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    "user", [BATCH, AS_ROOT, SAGEMAKER], ids=["user", "root without capabilities", "as sagemaker starts it"]
)
def test_a_job_leaves_a_model(user: tuple[str, ...], image: Image, job: Job) -> None:
    base = job(architecture="ngram+cnn")
    done = image.run("train", options=(*user, *mounted(base)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Best Validation Accuracy" in done.stdout
    assert {"manifest.json", "model.params", "encoder.json"} <= {
        path.name for path in (base / "model").iterdir()
    }
    assert {path.name for path in (base / "output" / "data").iterdir()} == {
        "evaluation.json",
        "report.html",
        "suspects.csv",
        "program.json",
    }
    assert not (base / "output" / "failure").exists()


def test_it_becomes_an_ordinary_user_where_sagemaker_mounts_all_for_root(image: Image, job: Job) -> None:
    """SageMaker's own local mode makes the inputs readable for root only."""
    base = job()
    for folder in ("model", "output", "checkpoints"):
        (base / folder).rmdir()
    for path in (base, *base.rglob("*")):
        os.chown(path, 0, 0) if os.geteuid() == 0 else None
        path.chmod(0o700 if path.is_dir() else 0o600)
    base.chmod(0o755)
    done = image.run("train", options=(*SAGEMAKER, *mounted(base)))
    assert done.returncode == 0, done.stdout + done.stderr
    if os.geteuid() == 0:  # without root, an engine maps users to others
        assert {path.stat().st_uid for path in (base / "model").rglob("*")} == {10001}
    assert "as root" not in done.stdout


def test_a_failing_training_leaves_its_sentence_and_a_non_zero_exit(image: Image, job: Job) -> None:
    base = job(learning_rate=-1)
    assert image.run("train", options=(*BATCH, *mounted(base))).returncode == 1
    assert "learning_rate is -1" in failure(base)
    assert not list((base / "model").iterdir())


@pytest.mark.parametrize("user", [BATCH, SAGEMAKER], ids=["user", "as sagemaker starts it"])
def test_a_job_without_its_folder_is_told(user: tuple[str, ...], image: Image) -> None:
    done = image.run("train", options=user)
    assert done.returncode == 1
    assert "The folder /opt/ml/output cannot be written (Read-only file system)" in done.stdout
    assert "Traceback" not in done.stderr


def test_spacy_vectors_that_are_not_in_the_image_are_told(image: Image, job: Job) -> None:
    base = job(architecture="cnn", use_spacy_pretrained=True)
    assert image.run("train", options=(*BATCH, *mounted(base))).returncode == 1
    assert "build the image with it, or set use_spacy_pretrained to false" in failure(base)


def test_spacy_vectors_in_a_folder_are_used(image: Image, job: Job, vectors_folder: Path) -> None:
    base = job(architecture="cnn", use_spacy_pretrained=True, spacy_model="/opt/vectors/claims")
    options = (*BATCH, *mounted(base), *volume(vectors_folder, "/opt/vectors/claims", "ro"))
    done = image.run("train", options=options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/opt/vectors/claims" in done.stdout


def test_a_stopped_training_goes_on_from_its_checkpoint_to_the_same_end(image: Image, job: Job) -> None:
    stopped, undisturbed = job("stopped", **LONG), job("undisturbed", **LONG)
    options = (*BATCH, *mounted(stopped))
    with subprocess.Popen(image.command(["train"], options), stdout=subprocess.PIPE, text=True) as program:
        deadline = time.monotonic() + PROGRAM_SECONDS
        while not list((stopped / "checkpoints").rglob("*.json")) and time.monotonic() < deadline:
            time.sleep(0.05)
        subprocess.run(
            [image.engine, "kill", "--signal", "TERM", image.started[-1]], check=True, capture_output=True
        )
        said, _ = program.communicate(timeout=PROGRAM_SECONDS)
    assert program.returncode == 128 + signal.SIGTERM, said
    assert "asked to stop" in said
    assert not (stopped / "model" / "manifest.json").exists()
    again = image.run("train", options=options)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Resuming from a checkpoint" in again.stdout
    assert image.run("train", options=(*BATCH, *mounted(undisturbed))).returncode == 0
    assert figures(stopped) == figures(undisturbed)


def test_two_hosts_train_one_model(image: Image, job: Job) -> None:
    """Two containers that share a loopback interface and nothing else."""
    changes = {"architecture": "cnn", "dropout": 0}
    names, alone = ["127.0.0.1", "127.0.0.2"], job("alone", **changes)
    bases = [job(name, **changes) for name in names]
    programs = []
    for base, name in zip(bases, names, strict=True):
        found = {"current_host": name, "hosts": names, "network_interface_name": "lo"}
        (base / "input/config/resourceconfig.json").write_text(json.dumps(found), encoding="utf-8")
        network = f"container:{image.started[-1]}" if programs else "none"
        command = image.command(["train"], (*BATCH, *mounted(base)), network=network)
        programs.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
        assert programs[0].stdout is not None
        assert programs[0].stdout.readline()  # it runs
    said = [program.communicate(timeout=PROGRAM_SECONDS)[0] for program in programs]
    assert [program.returncode for program in programs] == [0, 0], said
    assert image.run("train", options=(*BATCH, *mounted(alone))).returncode == 0
    assert figures(bases[0])["accuracy"] == pytest.approx(figures(alone)["accuracy"], abs=0.02)
    assert (bases[0] / "model" / "manifest.json").exists()
    assert not list((bases[1] / "model").iterdir())


def test_a_training_that_is_killed_for_its_memory_says_so(image: Image, job: Job) -> None:
    base = job(architecture="cnn", embed_size=10_000, batch_size=8192)
    limit = ("--memory", "300m", "--memory-swap", "300m")
    done = image.run("train", options=(*BATCH, *limit, *mounted(base)))
    assert done.returncode != 0
    assert "memory was full" in failure(base) or "memory is full" in failure(base)
    assert "TrainingInstanceType" in failure(base)


def test_a_full_disk_is_told(image: Image, job: Job) -> None:
    base = job()
    done = image.run("train", options=(*BATCH, *mounted(base), "--tmpfs", "/opt/ml/model:size=4k,mode=777"))
    assert done.returncode == 1
    assert failure(base).startswith("The disk is full: ")
