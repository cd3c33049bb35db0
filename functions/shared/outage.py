"""Tells a fault of AWS that passes (too many requests, 5xx, a lost connection) from all others."""

import re
from collections.abc import Iterator

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError, ResponseStreamingError

_BUSY = re.compile(r"Throttl|TooManyRequests|SlowDown|RequestLimitExceeded|RequestTimeout")
LOST = (HTTPClientError, IncompleteReadError, ResponseStreamingError)
TOO_MANY = 429
ITS_OWN_FAULT = 500


def passing(error: BaseException) -> str | None:
    """Return what AWS answered, as part of a sentence, if it passes; None for any other error."""
    for cause in _causes(error):
        if isinstance(cause, ClientError) and _passes(cause):
            return f"AWS answered {cause.response['Error']['Code']} to {cause.operation_name}"
        if isinstance(cause, LOST):
            return f"the connection to AWS broke off ({type(cause).__name__})"
    return None


def _passes(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code", "")
    return status == TOO_MANY or status >= ITS_OWN_FAULT or bool(_BUSY.search(code))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
