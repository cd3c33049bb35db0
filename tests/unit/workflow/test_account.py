import os

import pytest

from workflow.account import Account


def test_the_local_aws_never_sees_the_users_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_PROFILE", "production")
    session = Account(local=True, profile="production", region="eu-west-1").session
    credentials = session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("test", "test", None)
    assert session.region_name == "us-east-1"


def test_the_local_aws_is_asked_at_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMFLOW_LOCAL_PORT", "4711")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere")
    assert Account(local=True).s3.meta.endpoint_url == "http://127.0.0.1:4711"


def test_programs_started_for_the_local_aws_get_none_of_the_users_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_PROFILE", "production")
    environment = Account(local=True).environment()
    assert "AWS_SESSION_TOKEN" not in environment
    assert "AWS_PROFILE" not in environment
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert "127.0.0.1" in environment["NO_PROXY"]


def test_programs_started_for_an_aws_account_get_its_profile_and_region() -> None:
    environment = Account(profile="mine", region="eu-west-1").environment()
    assert (environment["AWS_PROFILE"], environment["AWS_REGION"]) == ("mine", "eu-west-1")
    assert "AWS_PROFILE" not in Account().environment()
