"""What the tests of faults share: the row of the table that a test proves, and a fake account."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from shared import aws
from tests.container.conftest import as_hyperparameters, make_job
from tests.faults.programs import run
from tests.unit.functions.conftest import registry_like_aws
from tests.unit.functions.stack import ARTIFACTS, GROUP, RESULTS, SETTINGS, UPLOADS, Stack

__all__ = ["registry_like_aws"]


@pytest.fixture
def account(registry_like_aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Yield an empty account with the functions' settings."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CLAIMFLOW_"))]:
        monkeypatch.delenv(name)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3, sagemaker = aws.s3(), aws.sagemaker()
        for bucket in (UPLOADS, ARTIFACTS, RESULTS):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        yield Stack(s3, sagemaker, aws.step_functions())


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a training that nothing befell, with its model packed as SageMaker does."""
    tried = {"ngram_words": "auto", "ngram_scale": "auto"}  # settings that are tried out
    hyperparameters = as_hyperparameters(architecture="ngram+cnn", num_epoch=3, patience=3, **tried)
    base = make_job(tmp_path_factory.mktemp("undisturbed") / "ml", hyperparameters)
    done = run("train", CLAIMFLOW_BASE_DIR=str(base))
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(base / "model.tar.gz", "w:gz") as tar:
        tar.add(base / "model", arcname=".")
    return base
