"""The end of a run, which fails until the execution is redriven; knows nothing of AWS."""

from typing import Any

from contract.errors import PartlyDone
from explain.cause import failed_step

# The steps by the names of their states. A shard is labelled again by the step that labels what is missing.
_STATES = {
    "prepare": "Prepare",
    "validate": "Validate",
    "Train": "Train",
    "evaluate": "Evaluate",
    "register": "Register",
    "predict": "Predict",
    "collect": "Collect",
}


def goes_on_at(failure: dict[str, Any], redrives: int, state: dict[str, Any]) -> str | None:
    """Return the state to which a redriven execution goes back, or None if it was not redriven since.

    Args:
        failure: `error` and `redrives`, how often the execution had been redriven when it failed
        redrives: how often it has been redriven now
        state: the whole state

    """
    if redrives <= failure["redrives"]:
        return None
    if failure["error"] == PartlyDone.__name__:
        return "Predict"
    return _STATES.get(failed_step(state), "Predict")
