"""Both notebooks, executed from start to end on the local AWS as a person runs them, one after the other."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.workflow.stack import ROOT, Stack

pytestmark = pytest.mark.local_aws

JUPYTER = ROOT / ".venv" / "notebook" / "bin" / "jupyter"
EXECUTED = ROOT / "out" / "notebooks"  # where `make notebook-pages` takes them from
HANGING_SECONDS = 1200  # after which a notebook counts as hanging

Cells = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def execute(trained: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Cells]]:
    """Return what executes a notebook and gives its code cells; no model is live before and afterwards.

    `trained` comes first, as its training would have to beat the model of the notebooks.
    """
    home = tmp_path_factory.mktemp("home")
    EXECUTED.mkdir(parents=True, exist_ok=True)
    variables = {
        "CLAIMFLOW_STACK": trained.name,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PATH": f"{JUPYTER.parent}{os.pathsep}{trained.environment['PATH']}",
    }

    def executed(name: str) -> Cells:
        target = EXECUTED / f"{name}.ipynb"
        target.unlink(missing_ok=True)
        assert JUPYTER.exists(), "the notebooks have no environment: make .venv/notebook/.done"
        done = subprocess.run(
            [JUPYTER, "execute", f"--output={target}", f"{name}.ipynb"],
            cwd=ROOT / "notebooks",
            env=trained.environment | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=HANGING_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        cells = json.loads(target.read_text(encoding="utf-8"))["cells"]
        return {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}

    trained.no_live_model()
    yield executed
    trained.no_live_model()


@pytest.fixture(scope="module")
def pipeline(execute: Callable[[str], Cells]) -> Cells:
    """Return the cells of run_pipeline.ipynb, executed."""
    return execute("run_pipeline")


@pytest.fixture(scope="module")
def training(pipeline: Cells, execute: Callable[[str], Cells]) -> Cells:
    """Return the cells of train_sagemaker_model.ipynb, executed after the other."""
    return execute("train_sagemaker_model")


def printed(cell: dict[str, Any], stream: str = "stdout") -> str:
    """Return what a cell has printed."""
    outputs = [output for output in cell["outputs"] if output.get("name") == stream]
    return "".join(text for output in outputs for text in output["text"])


def shown(cell: dict[str, Any], kind: str) -> str:
    """Return what a cell shows in one of its forms."""
    return "".join(text for output in cell["outputs"] for text in output.get("data", {}).get(kind, ""))


def test_the_pipeline_trains_labels_and_shows_where_the_model_is_wrong(
    pipeline: Cells, trained: Stack
) -> None:
    assert "is live: it predicts the files that are uploaded from now on." in printed(pipeline["wait"])
    assert "1,195 rows of 1,200 got a category" in printed(pipeline["label"])
    assert len(trained.packages("Approved")) == 1
    for drawn in ("states", "label-states", "confusion", "confidence"):
        assert shown(pipeline[drawn], "image/png"), drawn
    assert "StateMachineExecutionGraph" in shown(pipeline["train"], "text/html")
    assert "StateMachineGraph" in shown(pipeline["attach"], "text/html")
    assert "low confidence" in shown(pipeline["review"], "text/html")
    assert shown(pipeline["surest"], "text/html").count("<tr>") == 1 + 8


def test_the_sdk_trains_with_the_image_compares_and_registers_what_waits_for_a_person(
    training: Cells, trained: Stack
) -> None:
    assert "Completed - Training job completed" in printed(training["fit"])
    assert "epoch 1/" in printed(training["fit"])
    assert shown(training["curves"], "image/png")
    assert "only the new one right" in shown(training["compare"], "text/html")
    assert "accepted without a person" in shown(training["evaluation"], "text/html")
    [waiting] = trained.packages("PendingManualApproval")[:1]
    version = waiting["ModelPackageVersion"]
    assert f"Model(version={version}," in shown(training["register"], "text/plain")
    assert len(trained.packages("Approved")) == 1


def test_a_stranger_reads_no_warning_and_no_traceback_in_the_notebooks(
    pipeline: Cells, training: Cells
) -> None:
    for name, cell in [*pipeline.items(), *training.items()]:
        told = "".join(
            line
            for line in printed(cell, "stderr").splitlines(keepends=True)
            if line.strip() and not line.startswith("Fetching version")
        )
        assert told == "", name
        assert [output for output in cell["outputs"] if output["output_type"] == "error"] == []
