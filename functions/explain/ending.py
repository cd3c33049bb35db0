"""The end of a run, which fails until the execution is redriven; knows nothing of AWS."""

from typing import Any

from contract import steps
from contract.errors import PartlyDone
from explain.step import failed_step


def goes_on_at(failure: dict[str, Any], redrives: int, state: dict[str, Any]) -> str | None:
    """Return the state to which a redriven execution goes back, or None if it was not redriven since.

    Args:
        failure: `error` and `redrives`, how often the execution had been redriven when it failed
        redrives: how often it has been redriven now
        state: the whole state

    """
    if redrives <= failure["redrives"]:
        return None
    # A shard is labelled again by the step that labels what is missing.
    partly = failure["error"] == PartlyDone.__name__
    return ((not partly and failed_step(state)) or steps.PREDICT).name
