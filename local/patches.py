"""Replacing private parts of ministack, with a check that each of them is still there.

ministack has no way to be extended, so the modules of this package replace private names of the pinned
version. A name that is gone after an upgrade must stop the start with a sentence, not show as a strange
behaviour later.
"""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

PINNED_VERSION = "1.5.33"

# ministack has no types: what is taken from it, and what takes its place, is of any type.
Function = Any
Part = Any


class PatchError(Exception):
    """A private part of ministack is not what these extensions were written for."""


def part(module: str, name: str) -> Part:
    """Return the object that a module of ministack (`services.batch`) keeps under a name.

    Raises:
        PatchError: it is not there.

    """
    try:
        return getattr(importlib.import_module(f"ministack.{module}"), name)
    except (ImportError, AttributeError):
        raise _changed(f"ministack.{module}.{name}") from None


def replace(module: str, name: str, make: Callable[[Function], Function]) -> None:
    """Put `make(original)` in the place of a part; ministack looks parts up by name when it calls them."""
    original = part(module, name)
    replacement = make(original)
    if inspect.isfunction(original) and inspect.isfunction(replacement):
        _check_signature(f"ministack.{module}.{name}", original, replacement)
    setattr(importlib.import_module(f"ministack.{module}"), name, replacement)


def replace_text(module: str, name: str, old: str, new: str) -> None:
    """Replace one passage of a text that ministack keeps, a program that it runs for example.

    Raises:
        PatchError: the passage is not there exactly once.

    """
    text = part(module, name)
    if not isinstance(text, str) or text.count(old) != 1:
        raise _changed(f"the text ministack.{module}.{name}")
    setattr(importlib.import_module(f"ministack.{module}"), name, text.replace(old, new))


def _check_signature(
    name: str, original: Callable[..., Function], replacement: Callable[..., Function]
) -> None:
    """Refuse a replacement that takes other arguments than the original by now does."""
    ours, theirs = (len(inspect.signature(function).parameters) for function in (replacement, original))
    if ours != theirs and "arguments" not in inspect.signature(replacement).parameters:
        raise _changed(f"{name}{inspect.signature(original)}")


def _changed(what: str) -> PatchError:
    return PatchError(
        f"{what} is not what the local AWS was written for; it works with ministack {PINNED_VERSION} only "
        "(requirements/local.txt)."
    )
