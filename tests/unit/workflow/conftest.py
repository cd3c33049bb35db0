import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.unit.workflow.fakes import FakeCloudFormation, PlayedStepFunctions, make_stack
from workflow.account import Account


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away whatever this machine's environment says about AWS, and give keys that open nothing."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CLAIMFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> PlayedStepFunctions:
    """Return the Step Functions of every account of the test."""
    played = PlayedStepFunctions()
    monkeypatch.setattr(Account, "step_functions", played)
    return played


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> FakeCloudFormation:
    """Return the CloudFormation of every account of the test."""
    made = FakeCloudFormation()
    monkeypatch.setattr(Account, "cloudformation", made)
    return made


@pytest.fixture
def account(
    monkeypatch: pytest.MonkeyPatch, machine: PlayedStepFunctions, cloudformation: FakeCloudFormation
) -> Iterator[Account]:
    """Yield an account in which Claimflow is deployed."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        made = Account()
        make_stack(made)
        yield made
