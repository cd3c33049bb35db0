"""Checks that an event has all that a function reads of it, before it is taken for what its type says."""

from collections.abc import Callable, Iterator
from typing import Any, NotRequired, TypedDict, TypeVar, cast, get_args, get_type_hints, is_typeddict

from contract.errors import InvalidRequest

Event = TypeVar("Event")


# Not a class: a key of AWS's has a hyphen.
EventBridgeEvent = TypedDict(
    "EventBridgeEvent", {"detail-type": NotRequired[str], "time": NotRequired[str], "detail": dict[str, Any]}
)


def checked(event: object, handle: Callable[[Event], object]) -> Event:
    """Return the event as the type of `handle`'s parameter, whose keys it has.

    Raises InvalidRequest for one that lacks a key: the execution began with an older version of the stack,
    and was redriven since.
    """
    kind = next(iter(get_type_hints(handle).values()))
    lacking = next(_lacking(event, kind, ""), None)
    if lacking is not None:
        raise InvalidRequest(
            f"The run began before the stack was updated, and cannot go on, as its state has no '{lacking}': "
            "start the same request again."
        )
    return cast(Event, event)


def _lacking(value: object, kind: object, path: str) -> Iterator[str]:
    """Yield the required keys that are not there, each with those that lead to it."""
    kinds = [each for each in (kind, *get_args(kind)) if is_typeddict(each)]
    if len(kinds) != 1 or not isinstance(value, dict):
        return
    for key, hint in get_type_hints(kinds[0]).items():
        if key in value:
            yield from _lacking(value[key], hint, f"{path}{key}.")
        elif key in kinds[0].__required_keys__:
            yield f"{path}{key}"
