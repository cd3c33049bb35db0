"""Several hosts train one model: processes of the program `train`, which meet on the loopback interface.

Every host has an address of its own in 127.0.0.0/8, as SageMaker's hosts have names of their own. No seconds
decide: a host waits for the others until the test says that the time is up (`impatient.py`), and what it
prints goes through a small pipe, so it is never far ahead of the lines that the test has read.
"""

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .conftest import HANGING_SECONDS, ROOT, as_hyperparameters, environment, make_job

Job = Callable[..., Path]
ALIKE: dict[str, Any] = {"architecture": "cnn", "dropout": 0, "num_epoch": 4, "patience": 4, "wd": 0.01}
LONG: dict[str, Any] = {**ALIKE, "num_epoch": 30, "patience": 30, "train_log_interval": 1}
WAIT_SECONDS = "10"  # told in the sentence, and never waited
PIPE_BYTES = 4096  # about 45 lines of a training
IMPATIENT = str(Path(__file__).with_name("impatient.py"))


class Hosts:
    """The hosts of one training job, each with a folder of its own, and the processes that run on them."""

    def __init__(self, first: Path, count: int) -> None:
        self.names = [f"127.0.0.{number}" for number in range(1, count + 1)]
        self.bases = [first]
        self.bases += [Path(shutil.copytree(first, first.parent / name)) for name in self.names[1:]]
        for base, name in zip(self.bases, self.names, strict=True):
            found = {"current_host": name, "hosts": self.names[::-1], "network_interface_name": "lo"}
            (base / "input/config/resourceconfig.json").write_text(json.dumps(found), encoding="utf-8")
        self.processes: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self.processes = [
            subprocess.Popen(
                [sys.executable, IMPATIENT],
                cwd="/",
                env=environment(
                    CLAIMFLOW_BASE_DIR=str(base),
                    CLAIMFLOW_PARAMETER_SERVER_PORT=port,
                    CLAIMFLOW_HOSTS_WAIT_SECONDS=WAIT_SECONDS,
                ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                pipesize=PIPE_BYTES,
            )
            for base in self.bases
        ]

    def read_until(self, start: str) -> None:
        """Wait for a line of the first host."""
        assert self.processes[0].stdout is not None
        assert any(line.startswith(start) for line in self.processes[0].stdout)

    def end(self) -> list[str]:
        """Wait for all hosts; return the output of each."""
        with ThreadPoolExecutor() as readers:
            return list(readers.map(_output, self.processes))

    def end_of(self, number: int) -> str:
        """Wait for one host, and let the time of the others be up then; return its output."""
        said = _output(self.processes[number])
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.close()
        return said

    def codes(self) -> list[int]:
        return [process.returncode for process in self.processes]

    def failures(self) -> list[str]:
        return [(base / "output" / "failure").read_text(encoding="utf-8") for base in self.bases]


def _output(process: Any) -> str:
    """Wait for a process; return what it printed from where it was read."""
    said: str = "" if process.stdout.closed else process.stdout.read()
    process.wait(HANGING_SECONDS)
    process.stdout.close()
    process.stdin.close()
    return said


@pytest.fixture
def hosts(job: Job) -> Iterator[Callable[..., Hosts]]:
    """Makes the hosts of a job; keyword arguments change the configuration."""
    made: list[Hosts] = []

    def make(count: int, **changes: object) -> Hosts:
        made.append(Hosts(job(**changes), count))
        return made[-1]

    yield make
    for process in (process for each in made for process in each.processes):
        process.kill()
        _output(process)


def part(base: Path, number: int = 0) -> dict[str, Any]:
    """Return what evaluation.json tells about the training of a part, without its duration."""
    evaluation = json.loads((base / "output/data/evaluation.json").read_text(encoding="utf-8"))
    found = dict(evaluation["training"]["parts"][number])
    del found["seconds"]
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Trains on one host, with the same rows."""

    def trained(**changes: object) -> Path:
        base = make_job(tmp_path_factory.mktemp("alone") / "ml", as_hyperparameters(**changes))
        subprocess.run(
            [str(ROOT / "container" / "train")], env=environment(CLAIMFLOW_BASE_DIR=str(base)), check=True
        )
        return base

    return trained


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two trainings went the same way, up to the rounding of sums in another order."""
    close = [
        entry == {key: pytest.approx(value, abs=1e-3) for key, value in twin.items()}
        for entry, twin in zip(one.pop("history"), other.pop("history"), strict=True)
    ]
    return one == other and all(close)


@pytest.mark.parametrize("count", [2, 3])
def test_several_hosts_train_the_model_that_one_host_trains(
    count: int, hosts: Callable[..., Hosts], alone: Callable[..., Path]
) -> None:
    job = hosts(count, **ALIKE)
    job.start()
    said = job.end()
    assert job.codes() == [0] * count, said
    assert alike(part(job.bases[0]), part(alone(**ALIKE)))
    assert "Trained with 127.0.0.1" in said[1]
    assert not (job.bases[1] / "model").exists()
    assert not (job.bases[1] / "checkpoints").exists()


def give_checkpoints(job: Hosts) -> None:
    """What SageMaker does before a job starts again: every host gets what the hosts have left."""
    for base in job.bases[1:]:
        shutil.copytree(job.bases[0] / "checkpoints", base / "checkpoints")


@pytest.mark.parametrize("asked", [[0, 1], [1]], ids=["all", "the second"])
def test_hosts_that_get_sigterm_stop_together_and_a_restart_ends_as_if_undisturbed(
    asked: list[int], hosts: Callable[..., Hosts], alone: Callable[..., Path]
) -> None:
    job = hosts(2, **LONG)
    job.start()
    job.read_until("epoch 3/30")
    for number in asked:
        job.processes[number].send_signal(signal.SIGTERM)
    said = job.end()
    assert job.codes() == [143, 143], said
    assert all("asked to stop" in each for each in said)
    assert list((job.bases[0] / "checkpoints" / "cnn").glob("*.json"))
    assert not any((base / "output" / "failure").exists() for base in job.bases)

    give_checkpoints(job)
    job.start()
    said = job.end()
    assert job.codes() == [0, 0], said
    assert "Resuming from a checkpoint" in said[0]
    assert alike(part(job.bases[0]), part(alone(**LONG)))


@pytest.mark.parametrize("killed", [0, 1])
def test_a_host_that_is_lost_ends_the_others_with_a_sentence(
    killed: int, hosts: Callable[..., Hosts]
) -> None:
    job = hosts(2, **LONG)
    job.start()
    job.read_until("epoch 2/30")
    job.processes[killed].kill()
    job.end_of(killed)
    said = job.end()
    assert job.codes()[1 - killed] == 1, said
    sentence = (job.bases[1 - killed] / "output" / "failure").read_text(encoding="utf-8")
    assert "got no answer from the others for 10 seconds (the hosts are 127.0.0.1, 127.0.0.2)" in sentence
    assert "start the same request again" in sentence


def test_a_host_without_all_files_ends_the_other_with_a_sentence(hosts: Callable[..., Hosts]) -> None:
    job = hosts(2)
    shutil.rmtree(job.bases[1] / "input/data/validation")
    (job.bases[0] / "input/config/hyperparameters.json").write_text(
        json.dumps(as_hyperparameters(architecture="cnn")), encoding="utf-8"
    )
    job.start()
    job.end_of(1)
    said = job.end()
    assert job.codes() == [1, 1], said
    assert "got no answer" in job.failures()[0]
    assert "The channel validation has no CSV file" in job.failures()[1]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"learning_rate": -1}, "learning_rate is -1"),
        ({"architecture": "cnn", "n_classes": 7}, "n_classes is 7"),
        (
            {"architecture": "cnn", "optimizer": "sgd", "learning_rate": 10, "wd": 1, "clip_gradient": None},
            "lower learning_rate, which is 10",
        ),
    ],
    ids=["configuration", "data", "loss"],
)
def test_what_is_wrong_on_all_hosts_is_told_by_each(
    changes: dict[str, Any], sentence: str, hosts: Callable[..., Hosts]
) -> None:
    job = hosts(2, num_epoch=9, patience=9, dropout=0, **changes)
    job.start()
    said = job.end()
    assert job.codes() == [1, 1], said
    assert all(sentence in each for each in job.failures())


def test_hosts_with_different_checkpoints_are_refused(hosts: Callable[..., Hosts]) -> None:
    job = hosts(2, **{**ALIKE, "num_epoch": 1})
    job.start()
    job.end()
    job.start()
    said = job.end()
    assert job.codes() == [1, 1], said
    assert all(
        "The hosts have different checkpoints (127.0.0.1: 10, 127.0.0.2: 0)" in each
        for each in job.failures()
    )


def test_hosts_with_different_rows_are_refused(hosts: Callable[..., Hosts]) -> None:
    job = hosts(2, **ALIKE)
    rows = job.bases[1] / "input/data/train/part-00000.csv"
    rows.write_text(rows.read_text(encoding="utf-8").replace("piston", "pistons"), encoding="utf-8")
    job.start()
    said = job.end()
    assert job.codes() == [1, 1], said
    assert all("different configurations or data" in each for each in job.failures())


def test_the_first_host_trains_n_grams_alone(hosts: Callable[..., Hosts]) -> None:
    job = hosts(2)
    job.start()
    said = job.end()
    assert job.codes() == [0, 0], said
    assert "127.0.0.1 trains this model alone" in said[1]
    assert [(base / "model/manifest.json").exists() for base in job.bases] == [True, False]


def test_n_grams_and_a_network_are_mixed_as_on_one_host(
    hosts: Callable[..., Hosts], alone: Callable[..., Path]
) -> None:
    changes = {**ALIKE, "architecture": "ngram+cnn"}
    job = hosts(2, **changes)
    job.start()
    said = job.end()
    assert job.codes() == [0, 0], said
    twin = alone(**changes)
    assert part(job.bases[0]) == part(twin)  # the n-grams
    assert alike(part(job.bases[0], 1), part(twin, 1))
