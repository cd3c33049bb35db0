"""What GitHub runs: actions that nobody can exchange, no rights but those needed, and prod after dev only."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github" / "workflows").glob("*.yml"))


def jobs(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", each)] == []


def test_only_a_delivery_may_show_aws_who_it_is_and_no_job_may_write() -> None:
    rights = {
        (path.name, name): job.get("permissions", yaml.safe_load(path.read_text("utf-8"))["permissions"])
        for path in WORKFLOWS
        for name, job in jobs(path).items()
    }
    with_identity = {place for place, given in rights.items() if "id-token" in given}
    assert with_identity == {("deliver.yml", "dev"), ("deliver.yml", "prod")}
    for given in rights.values():
        assert given["contents"] == "read"
        assert set(given) <= {"contents", "id-token"}


def test_production_comes_after_development_and_waits_for_its_environment() -> None:
    delivery = jobs(next(path for path in WORKFLOWS if path.name == "deliver.yml"))
    assert delivery["prod"]["needs"] == "dev"
    assert {name: job["environment"] for name, job in delivery.items()} == {"dev": "dev", "prod": "prod"}


def test_no_value_of_github_is_pasted_into_a_command() -> None:
    commands = [
        step["run"]
        for path in WORKFLOWS
        for job in jobs(path).values()
        for step in job["steps"]
        if "run" in step
    ]
    assert commands
    assert [each for each in commands if "${{" in each] == []
