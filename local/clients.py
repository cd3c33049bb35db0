"""boto3 clients of the server itself, for the jobs and commands that work through its public APIs."""

import functools
from typing import Any

import boto3  # type: ignore[import-untyped,unused-ignore]
from botocore.config import Config  # type: ignore[import-untyped,unused-ignore]

from local import roles
from local.settings import REGION

# Clients are made at run time from descriptions of the services; their types are not known here.
Client = Any

_CONFIG = Config(
    retries={"max_attempts": 3},
    max_pool_connections=64,
    read_timeout=60,
    proxies={},
    s3={"addressing_style": "path"},
)


@functools.cache
def client(service: str, endpoint: str, role: str | None = None) -> Client:
    """Make a client of one service, once (clients may be shared between threads; making one is slow).

    It acts with a role, by its ARN, or as a person who may do everything.
    """
    keys = roles.credentials(role)
    session = boto3.session.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys.get("AWS_SESSION_TOKEN"),
        region_name=REGION,
    )
    return session.client(service, endpoint_url=endpoint, config=_CONFIG)  # type: ignore[call-overload,unused-ignore]
