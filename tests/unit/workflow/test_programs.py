import os
import sys
import tomllib
from pathlib import Path

import pytest

from workflow import programs
from workflow.account import Account
from workflow.errors import CommandError

SAM = f"""#!{sys.executable}
import os, sys
print(" ".join(sys.argv[1:]))
print("folder", os.getcwd())
print("endpoint", os.environ.get("AWS_ENDPOINT_URL"))
sys.exit(int(os.environ.get("FAKE_SAM_FAILS") == sys.argv[1]))
"""
SETTINGS = """
[{stage}.global.parameters]
stack_name = "claimflow-{stage}"
[{stage}.deploy.parameters]
confirm_changeset = {asks}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with a SAM CLI that prints what it is asked."""
    sam = tmp_path / ".venv" / "sam" / "bin" / "sam"
    sam.parent.mkdir(parents=True)
    sam.write_text(SAM)
    sam.chmod(0o755)
    (tmp_path / "template.yaml").touch()
    asks = {"local": "false", "dev": "false", "prod": "true"}
    stages = "".join(SETTINGS.format(stage=stage, asks=answer) for stage, answer in asks.items())
    (tmp_path / "samconfig.toml").write_text("version = 0.1\n" + stages)
    return tmp_path


def deployed(account: Account, stage: str, checkout: Path) -> list[str]:
    lines: list[str] = []
    programs.build_and_deploy(account, stage, lines.append, checkout)
    return lines


def test_the_local_aws_gets_its_own_settings_and_endpoint(checkout: Path) -> None:
    lines = deployed(Account(local=True), "prod", checkout)
    assert lines[0].startswith("build ")
    assert lines[3].startswith("deploy ")
    config = f"--config-file {checkout / 'samconfig.toml'} --config-env local "
    assert all(config in line for line in (lines[0], lines[3]))
    assert lines[2] == lines[5] == "endpoint http://127.0.0.1:4566"
    assert "--stack-name claimflow " in lines[3]


def test_an_aws_account_gets_the_stages_settings_and_the_region(checkout: Path) -> None:
    lines = deployed(Account(stack="mine", region="eu-west-1"), "dev", checkout)
    assert "--config-env dev " in lines[3]
    assert lines[3].endswith("--stack-name mine --no-fail-on-empty-changeset --region eu-west-1")
    assert lines[5] == "endpoint None"


def test_a_parameter_goes_before_the_stages_and_leaves_its_others(checkout: Path) -> None:
    with (checkout / "samconfig.toml").open("a") as file:
        file.write('[test.deploy.parameters]\nparameter_overrides = ["ImageDigest=old", "Approval=manual"]\n')
    lines: list[str] = []
    programs.build_and_deploy(Account(), "test", lines.append, checkout, {"ImageDigest": "sha256:new"})
    assert lines[3].endswith(" --parameter-overrides ImageDigest=sha256:new Approval=manual")


def test_what_plain_sam_build_made_before_is_not_left_for_plain_sam_deploy(checkout: Path) -> None:
    before = checkout / ".aws-sam" / "build" / "template.yaml"
    before.parent.mkdir(parents=True)
    before.touch()
    deployed(Account(), "dev", checkout)
    assert not before.exists()


@pytest.mark.parametrize("stage", ["default", "local", "dev", "prod"])
def test_plain_sam_deploy_takes_what_was_built_and_never_the_sources(stage: str) -> None:
    stages = tomllib.loads((programs.ROOT / "samconfig.toml").read_text())
    assert stages[stage]["deploy"]["parameters"]["template_file"] == ".aws-sam/build/template.yaml"


def test_a_stage_that_asks_before_it_changes_anything_runs_in_the_terminal(
    checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = deployed(Account(), "prod", checkout)
    assert lines[-1] == "It shows the changes and asks before it makes them."
    assert "deploy " in capfd.readouterr().out


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_failed_deployment_is_an_error(checkout: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    monkeypatch.setenv("FAKE_SAM_FAILS", "deploy")
    with pytest.raises(programs.ProgramFailedError, match="`sam deploy` failed with exit code 1"):
        deployed(Account(), stage, checkout)


def test_a_failed_build_keeps_the_last_lines_and_deploys_nothing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SAM_FAILS", "build")
    with pytest.raises(programs.ProgramFailedError, match="`sam build` failed") as caught:
        deployed(Account(), "dev", checkout)
    assert len(caught.value.lines) == 3
    assert caught.value.lines[0].startswith("build ")


def test_two_places_are_built_in_two_folders(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = deployed(Account(local=True), "dev", checkout)[1]
    monkeypatch.setenv("CLAIMFLOW_LOCAL_PORT", "4600")
    assert first != deployed(Account(local=True), "dev", checkout)[1]


def test_a_stage_names_its_stack(checkout: Path) -> None:
    assert programs.stage_stack("dev", checkout) == "claimflow-dev"


@pytest.mark.parametrize("stage", ["test", "version"])
def test_a_stage_that_does_not_exist_is_told_with_those_that_do(checkout: Path, stage: str) -> None:
    said = rf"There is no stage {stage} in samconfig\.toml: name one of local, dev, prod"
    with pytest.raises(CommandError, match=said):
        deployed(Account(), stage, checkout)


def test_deploying_outside_a_checkout_is_told(checkout: Path) -> None:
    (checkout / "template.yaml").unlink()
    with pytest.raises(CommandError, match="deploy from a checkout"):
        deployed(Account(), "dev", checkout)


def test_sam_is_taken_from_the_path_if_the_project_has_none(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = checkout / ".venv" / "sam" / "bin"
    monkeypatch.setenv("PATH", str(own), prepend=os.pathsep)
    assert programs.find_sam(tmp_path / "elsewhere") == own / "sam"


def test_without_sam_or_the_local_aws_the_setup_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CommandError, match="make setup"):
        programs.find_sam(tmp_path)
    with pytest.raises(CommandError, match="make setup"):
        programs.local_aws(["up"], tmp_path)
