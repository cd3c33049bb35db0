"""The fake account that the tests of the functions run against."""

import os
from collections.abc import Iterator

import pytest
from moto import mock_aws

from shared import aws
from tests.unit.functions.stack import ARTIFACTS, GROUP, RESULTS, SETTINGS, UPLOADS, Stack


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "CLAIMFLOW_"))]:
        monkeypatch.delenv(name)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def stack() -> Iterator[Stack]:
    """Give an empty account. The clients live on from test to test: making them takes long."""
    with mock_aws():
        s3, sagemaker = aws.s3(), aws.sagemaker()
        for bucket in (UPLOADS, ARTIFACTS, RESULTS):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        yield Stack(s3, sagemaker, aws.step_functions())
