"""Objects in S3 by their addresses, which are `s3://BUCKET/KEY`."""

import json
from contextlib import closing
from typing import Any

from workflow.account import Account


def place(uri: str) -> tuple[str, str]:
    """Return bucket and key.

    >>> place("s3://results/train-claims-1/report.html")
    ('results', 'train-claims-1/report.html')
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def read_json(account: Account, uri: str) -> Any | None:  # noqa: ANN401  whatever the object holds
    """Return what a JSON object holds, or None where there is no such object."""
    bucket, key = place(uri)
    try:
        body = account.s3.get_object(Bucket=bucket, Key=key)["Body"]
    except account.s3.exceptions.NoSuchKey:
        return None
    with closing(body):
        return json.loads(body.read())
