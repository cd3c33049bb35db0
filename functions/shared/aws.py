"""The AWS clients, made once a process and only when first used."""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

CONNECTIONS = 24  # at the same time

# Standard mode: throttling and passing faults are retried with full jitter, everything else is raised at
# once.
_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=CONNECTIONS,
)

# The table of decisions only adds a sentence to a result: one that hangs must not keep the result waiting.
_CONFIG_OF_EXTRAS = _CONFIG.merge(
    Config(retries={"mode": "standard", "max_attempts": 1}, connect_timeout=2, read_timeout=5)
)


@cache
def s3() -> "S3Client":
    """Return the S3 client."""
    return boto3.client("s3", config=_CONFIG)


@cache
def batch() -> "BatchClient":
    """Return the Batch client."""
    return boto3.client("batch", config=_CONFIG)


@cache
def sagemaker() -> "SageMakerClient":
    """Return the SageMaker client."""
    return boto3.client("sagemaker", config=_CONFIG)


@cache
def step_functions() -> "SFNClient":
    """Return the Step Functions client."""
    return boto3.client("stepfunctions", config=_CONFIG)


@cache
def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client, which gives up after some seconds."""
    return boto3.client("dynamodb", config=_CONFIG_OF_EXTRAS)


@cache
def sns() -> "SNSClient":
    """Return the SNS client."""
    return boto3.client("sns", config=_CONFIG)
