"""The fake account that the tests of the functions run against."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from moto.sagemaker.models import SageMakerModelBackend

from shared import aws
from tests.unit.functions.stack import ARTIFACTS, GROUP, RESULTS, SETTINGS, UPLOADS, Stack


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "CLAIMFLOW_"))]:
        monkeypatch.delenv(name)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def registry_like_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto forgets a version's properties when its status changes, and knows no client tokens."""
    update, create = SageMakerModelBackend.update_model_package, SageMakerModelBackend.create_model_package
    tokens: dict[str, str] = {}

    def updating(backend: Any, **given: Any) -> str:
        name = backend.model_package_name_mapping.get(given["model_package_arn"], given["model_package_arn"])
        kept = backend.model_packages[name].customer_metadata_properties or {}
        given["customer_metadata_properties"] = kept | (given["customer_metadata_properties"] or {})
        return str(update(backend, **given))

    def creating(backend: Any, **given: Any) -> str:
        token = given["client_token"]
        if token not in tokens:
            tokens[token] = create(backend, **given)
        return tokens[token]

    monkeypatch.setattr(SageMakerModelBackend, "update_model_package", updating)
    monkeypatch.setattr(SageMakerModelBackend, "create_model_package", creating)


@pytest.fixture
def stack(registry_like_aws: None) -> Iterator[Stack]:
    """Yield an empty account. The clients live on from test to test: making them takes long."""
    with mock_aws():
        s3, sagemaker = aws.s3(), aws.sagemaker()
        for bucket in (UPLOADS, ARTIFACTS, RESULTS):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        yield Stack(s3, sagemaker, aws.step_functions())
