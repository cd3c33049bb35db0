"""The first deployment of docs/operations.md, from nothing: its commands do and say what the page says."""

from __future__ import annotations

import subprocess
from pathlib import Path

from docs import first_deployment
from tests.workflow.fixtures import LOCAL_PYTHON
from tests.workflow.stack import ROOT, aws_environment, free_port


def test_the_first_day_goes_as_the_page_says(tmp_path: Path) -> None:
    port = free_port()
    environment = aws_environment(port)
    environment |= {"CLAIMFLOW_LOCAL_PORT": str(port), "CLAIMFLOW_LOCAL_DIR": str(tmp_path / "aws")}
    folder = tmp_path / "day"
    folder.mkdir()
    local_aws("up", environment)
    try:
        made = first_deployment.transcript(folder, environment)
    finally:
        local_aws("down", environment)
    first_deployment.MADE.parent.mkdir(exist_ok=True)
    first_deployment.MADE.write_text(made, encoding="utf-8")
    page = first_deployment.of(first_deployment.PAGE.read_text(encoding="utf-8"))
    assert first_deployment.shape(page) == first_deployment.shape(made), (
        "make transcript brings it up to date"
    )


def local_aws(command: str, environment: dict[str, str]) -> None:
    subprocess.run([LOCAL_PYTHON, "-m", "local", command], cwd=ROOT, env=environment, check=True, timeout=180)
