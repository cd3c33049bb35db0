"""The error that an AWS operation answers with, and pages of lists."""

from typing import Any


class ServiceError(Exception):
    """An error of an AWS API: its code (`ResourceInUse`) and its message, as the SDKs show them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def page(items: list[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
    """One page of a list and the token of the next (None: this was the last).

    Raises:
        ServiceError: the token is none of ours.

    """
    if token is not None and not token.isdecimal():
        raise ServiceError("ValidationException", "The NextToken is not valid.")
    start = int(token or 0)
    following = start + size
    return items[start:following], str(following) if following < len(items) else None
