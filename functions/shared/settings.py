"""The settings of the functions: environment variables that the template sets, read when they are needed."""

import os

from contract.errors import StackMisconfigured


def uploads_bucket() -> str:
    """Return the name of the bucket that people upload to."""
    return text("CLAIMFLOW_UPLOADS")


def artifacts_bucket() -> str:
    """Return the name of the bucket of the machine's own files."""
    return text("CLAIMFLOW_ARTIFACTS")


def results_bucket() -> str:
    """Return the name of the bucket of what people open."""
    return text("CLAIMFLOW_RESULTS")


def model_group() -> str:
    """Return the name of the model package group, the record of models."""
    return text("CLAIMFLOW_MODEL_GROUP")


def instance_prices() -> dict[str, float]:
    """Return the price table `TYPE:DOLLARS,…`. Raises StackMisconfigured for what is none."""
    name = "CLAIMFLOW_INSTANCE_PRICES"
    pairs = [each.rpartition(":") for each in (optional(name) or "").split(",") if each]
    try:
        return {machine: float(price) for machine, _, price in pairs}
    except ValueError as error:
        raise StackMisconfigured(
            f"{name} is not a list such as ml.m5.xlarge:0.23,c6i.xlarge:0.17; deploy the stack again with "
            "other InstancePrices."
        ) from error


def text(name: str) -> str:
    """Return the variable `name`. Raises StackMisconfigured when it is missing or empty."""
    value = optional(name)
    if value is None:
        raise StackMisconfigured(
            f"The environment variable {name} is not set. The template sets it; deploy the stack again."
        )
    return value


def optional(name: str) -> str | None:
    """Return the variable `name`, or None when it is missing or empty."""
    return os.environ.get(name, "").strip() or None


def number(name: str) -> float:
    """Return the variable `name` as a number."""
    value = text(name)
    try:
        return float(value)
    except ValueError as error:
        raise StackMisconfigured(f"{name} is {value!r}, which is not a number.") from error


def whole_number(name: str) -> int:
    """Return the variable `name` as a whole number."""
    value = text(name)
    try:
        return int(value)
    except ValueError as error:
        raise StackMisconfigured(f"{name} is {value!r}, which is not a whole number.") from error


def flag(name: str) -> bool:
    """Return the variable `name`, which is true or false."""
    return choice(name, "true", "false") == "true"


def choice(name: str, *allowed: str) -> str:
    """Return the variable `name`, which is one of `allowed`."""
    value = text(name).lower()
    if value not in allowed:
        raise StackMisconfigured(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
    return value
