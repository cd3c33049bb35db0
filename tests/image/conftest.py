"""Runs programs inside the image that CLAIMFLOW_IMAGE names; `make image-test` sets it."""

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import spacy

from tests.container.conftest import as_hyperparameters, make_job

PROGRAM_SECONDS = 300  # after which a program in the image counts as hanging
NOTHING = ("--read-only", "--security-opt", "no-new-privileges")
NO_CAPABILITIES = ("--cap-drop", "all")
BATCH = ("--user", "10001", *NO_CAPABILITIES)  # as the Batch job definition runs it
SAGEMAKER = ()  # as root, with what an engine leaves it

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Image:
    """The image and the engine that runs it."""

    engine: str
    name: str
    scratch: Path  # where an engine may leave a note about a container
    started: list[str] = field(default_factory=list)

    def command(
        self,
        program: Sequence[str],
        options: Sequence[str],
        tmp: str = "512m",
        network: str = "none",
        **variables: str,
    ) -> list[str]:
        """The command that runs a program in a new container, with /tmp of a size and no network."""
        self.started.append(f"claimflow-test-{uuid.uuid4().hex[:12]}")
        given = [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
        return [
            *(self.engine, "run", "--rm", "--name", self.started[-1], *NOTHING, *options),
            *("--network", network, "--tmpfs", f"/tmp:size={tmp},mode=1777"),  # noqa: S108
            *(*given, "--env", "OMP_NUM_THREADS=1", self.name, *program),
        ]

    def run(self, *program: str, options: Sequence[str] = BATCH, **variables: str) -> Done:
        """Run a program to its end."""
        return subprocess.run(
            self.command(program, options, **variables),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.scratch,
            timeout=PROGRAM_SECONDS,
        )

    def python(self, code: str, *arguments: str, options: Sequence[str] = BATCH) -> str:
        """Return what a Python program in the image prints; it must end well."""
        done = self.run("python", "-c", code, *arguments, options=options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def inspect(self, template: str) -> str:
        """Return what the engine knows about the image."""
        made = subprocess.run(
            [self.engine, "image", "inspect", "--format", template, self.name],
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout.strip()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is in this folder, a line a file, where no image is named."""
    needed = pytest.mark.skip(reason="needs the container image: `make image image-test`")
    for item in items:
        if item.path.parent == Path(__file__).parent and "CLAIMFLOW_IMAGE" not in os.environ:
            item.add_marker(needed)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    made = Image(
        os.environ["CLAIMFLOW_ENGINE"], os.environ["CLAIMFLOW_IMAGE"], tmp_path_factory.mktemp("engine")
    )
    yield made
    for container in made.started:
        subprocess.run([made.engine, "rm", "--force", container], capture_output=True, check=False)


def volume(folder: Path, target: str, mode: str = "rw") -> tuple[str, str]:
    return ("--volume", f"{folder}:{target}:{mode}")


def open_to_all(folder: Path) -> Path:
    """Let the image's user write into a folder of this machine's user."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return folder


Job = Callable[..., Path]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Makes the /opt/ml of a training job; keyword arguments change the configuration."""

    return lambda name="ml", **changes: open_job(tmp_path / name, **changes)


def open_job(base: Path, **changes: object) -> Path:
    """Make the /opt/ml of a training job that the image's user may write into."""
    make_job(base, as_hyperparameters(**changes))
    for folder in ("model", "output", "checkpoints"):
        (base / folder).mkdir()
    return open_to_all(base)


def figures(base: Path) -> Mapping[str, object]:
    """The evaluation of a training, less its times."""
    evaluation = json.loads((base / "output" / "data" / "evaluation.json").read_text(encoding="utf-8"))
    for part in [evaluation["training"], *evaluation["training"]["parts"]]:
        del part["seconds"]
    return dict(evaluation)


@pytest.fixture(scope="session")
def vectors_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what spaCy saves of a pipeline with vectors for three words."""
    folder = tmp_path_factory.mktemp("spacy") / "saved"
    made = spacy.blank("en")
    for number, word in enumerate(("brake", "oil", "belt")):
        made.vocab.set_vector(word, np.full(8, number, dtype=np.float32))
    made.meta |= {"name": "claim_vectors", "version": "1.2.3"}
    made.to_disk(folder)
    return folder


@pytest.fixture(scope="session")
def vectors_wheel(vectors_folder: Path) -> Path:
    """That pipeline as a wheel, as `spacy package` makes it."""
    scratch = vectors_folder.parent
    package = ["-m", "spacy", "package", str(vectors_folder), str(scratch), "--build", "none"]
    subprocess.run([sys.executable, *package], check=True, capture_output=True)
    source = scratch / "en_claim_vectors-1.2.3"
    wheel = ["setup.py", "-q", "bdist_wheel", "-d", str(scratch)]
    subprocess.run([sys.executable, *wheel], cwd=source, check=True, capture_output=True)
    return next(scratch.glob("*.whl"))


@pytest.fixture
def address(vectors_wheel: Path) -> Iterator[str]:
    """The address of a server, on this machine only, that has the wheel."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=vectors_wheel.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
