"""The program `train`: the SageMaker training contract around `model.pipeline`.

It reads `input/config/hyperparameters.json` (every value is JSON text in a string) and the channels
`train`, `validation` and, if there is a live model, `champion` and the rows that were held out for it,
`champion_validation`; it writes `model/`, `output/data/`, `checkpoints/` and, when it fails, one sentence in
`output/failure`. All of that lies under /opt/ml, or the folder CLAIMFLOW_BASE_DIR names.

With a channel `challenger`, a model that was trained before, nothing is trained: that model is compared with
the champion, and saved with the comparison.

Of several hosts (`input/config/resourceconfig.json`), the first writes all of that, and the others, which
help it to train, only `output/failure`.

Exit codes: 0 a model was saved; 1 it failed, see output/failure; 143 it was asked to stop and left a
checkpoint. Every host of a job ends with the same, unless it is lost.
"""

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

from container import failure, parameter_server, program
from container.driver import ensure_driver
from container.failure import UsageError, Wording
from contract import keys, strict_json
from contract.lineage import Program
from contract.strict_json import JsonError
from model.config import Config
from model.errors import ArtifactError, ConfigError, TrainingStopped
from model.hosts import ALONE, Hosts

BASE_DIR = "/opt/ml"
FAILURE = "failure"
RESERVED = ".reserved-for-failure"
RESERVED_BYTES = 4096
OBJECTIVE = "_tuning_objective_metric"  # SageMaker adds it to the hyperparameters of a tuning job's trainings
AGAIN = "start the same request again; it goes on from its checkpoint."
WORDING = Wording(
    disk_full=f"The disk is full: free disk space, or give the training more (TrainingVolumeGB), and {AGAIN}",
    more_memory="take a TrainingInstanceType with more, or lower batch_size, embed_size or ngram_features.",
    unexpected="Unexpected {}; the log has the details.",
)
FAILED = 1
STOPPED = 128 + signal.SIGTERM


def main() -> int:
    """Train a model as the folder CLAIMFLOW_BASE_DIR asks; returns the exit code."""
    base = base_dir()
    output = base / "output"
    try:
        _reserve(output)
        _train(base)
    except TrainingStopped as stopped:
        print(stopped, flush=True)
        return STOPPED
    except Exception as error:
        return _fail(output, failure.sentence(error, WORDING))
    finally:
        with contextlib.suppress(OSError):
            (output / RESERVED).unlink()
    return 0


def base_dir() -> Path:
    """Return the folder of the job."""
    return Path(os.environ.get("CLAIMFLOW_BASE_DIR", BASE_DIR))


def killed(number: signal.Signals) -> None:
    """Report that a signal ended the work, in output/failure too."""
    _fail(base_dir() / "output", failure.of_signal(number, WORDING))


def _reserve(output: Path) -> None:
    """Take the room for the sentence of a failure: a disk that is full later has none."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        (output / FAILURE).unlink(missing_ok=True)
        (output / RESERVED).write_bytes(b" " * RESERVED_BYTES)
    except OSError as error:
        raise UsageError(
            f"The folder {output} cannot be written ({error.strerror}); the job's folder must be mounted at "
            f"{output.parent}."
        ) from error


def _train(base: Path) -> None:
    config = parse_hyperparameters(_read_json(base / "input/config/hyperparameters.json"))
    hosts, interface = _hosts(_read_json(base / "input/config/resourceconfig.json"))
    stop = _StopFlag()
    ensure_driver()
    from model import pipeline  # noqa: PLC0415  it imports MXNet, which needs the driver library first

    channels = base / "input" / "data"
    folders = pipeline.Folders(
        train=_channel(channels, keys.TRAIN),
        validation=_channel(channels, keys.VALIDATION),
        model=base / "model",
        output=base / "output" / "data",
        checkpoints=base / "checkpoints",
    )
    shared = pipeline.shared_parts(config) if hosts.several else []
    trained = channels / "challenger"
    if trained.exists():
        if hosts.first:
            _tell_program(folders.output)
            evaluation = pipeline.compare_again(trained, folders, _champion(channels))
            print(f"Compared again; validation accuracy {evaluation['accuracy']:.4f}", flush=True)
        return
    with parameter_server.running(hosts, interface) if shared else contextlib.nullcontext():
        if hosts.first:
            _tell_program(folders.output)
            evaluation = pipeline.run(config, folders, _champion(channels), lambda: stop.asked, hosts)
            print(f"Saved the model; validation accuracy {evaluation['accuracy']:.4f}", flush=True)
        elif shared:
            pipeline.assist(config, folders, lambda: stop.asked, hosts)
            print(f"Trained with {hosts.names[0]}, which saves the model.", flush=True)
        else:
            print(f"{hosts.names[0]} trains this model alone: nothing to do here.", flush=True)


def _tell_program(output: Path) -> None:
    """Leave what program this is beside the figures, for the model's lineage."""
    told: Program = {"revision": os.environ.get("CLAIMFLOW_REVISION"), "digest": program.version()}
    output.mkdir(parents=True, exist_ok=True)
    (output / keys.PROGRAM).write_text(json.dumps(told))


def _hosts(given: dict[str, Any]) -> tuple[Hosts, str]:
    """Return the hosts of the job, in an order that is the same on each, and the interface between them."""
    if len(given.get("hosts", [])) < 2:
        return ALONE, ""
    wait_seconds = float(os.environ.get("CLAIMFLOW_HOSTS_WAIT_SECONDS", ALONE.wait_seconds))
    hosts = Hosts(tuple(sorted(given["hosts"])), given["current_host"], wait_seconds)
    return hosts, given["network_interface_name"]


def parse_hyperparameters(texts: dict[str, str]) -> Config:
    """Return the configuration from hyperparameters, every one of which is the JSON text of its value.

    Raises ConfigError with every problem.
    """
    values, problems = {}, []
    for key, text in texts.items():
        if key == OBJECTIVE:
            continue
        try:
            values[key] = strict_json.parse(text)
        except (JsonError, TypeError):
            problems.append(
                f"The hyperparameter {key} is {text!r:.80}, which is not JSON text; text needs double quotes."
            )
    try:
        config = Config.parse(values)
    except ConfigError as error:
        problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    return config


class _StopFlag:
    """Set by SIGTERM, which SageMaker sends two minutes before it takes the machine away."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True


def _champion(channels: Path) -> Any:  # noqa: ANN401  a model.comparison.Contender, which is not imported yet, or None
    from model import artifact  # noqa: PLC0415  as above
    from model.comparison import Contender  # noqa: PLC0415

    packed, held_out = channels / keys.CHAMPION / "model.tar.gz", channels / keys.CHAMPION_VALIDATION
    if not packed.exists():
        return None
    try:
        with artifact.unpacked(packed) as folder:
            loaded, learned = artifact.load(folder), artifact.learned(folder)
        return Contender(loaded, learned, held_out if held_out.exists() else None)
    except ArtifactError as error:
        raise UsageError(
            f"The live model cannot be read, so the new one cannot be compared with it: {error} "
            "Reject its version in the model package group, and the one before it is live again."
        ) from error


def _channel(channels: Path, name: str) -> Path:
    folder = channels / name
    if not any(folder.rglob("*.csv")):
        raise UsageError(
            f"The channel {name} has no CSV file; it must hold one with the columns row, text and label."
        )
    return folder


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return strict_json.parse_object(path.read_bytes()) if path.exists() else {}
    except JsonError as error:
        raise UsageError(f"{path.name} {error}.") from error


def _fail(output: Path, sentence: str) -> int:
    print(sentence, flush=True)
    reserved = output / RESERVED
    try:
        # Written over what is there, which needs no room on a full disk.
        with reserved.open("r+b" if reserved.exists() else "wb") as file:
            file.write(sentence.encode())
            file.truncate()
        reserved.replace(output / FAILURE)
    except OSError as error:
        print(f"The sentence cannot be written to {output / FAILURE}: {error}.", flush=True)
    return FAILED
