"""The end of a run: it raises what went wrong, until the execution is redriven; knows nothing of AWS."""

from typing import Any

from explain.cause import failed_step
from shared.errors import ClaimflowError

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


def end(failure: dict[str, Any], redrives: int, state: dict[str, Any]) -> dict[str, str]:
    """Give the state to which a redriven execution goes back.

    Args:
        failure: `error`, `sentence` and `redrives`, how often the execution was redriven when it failed
        redrives: how often it has been redriven now
        state: the whole state

    Raises:
        ClaimflowError: it was not redriven since; the class is named as the execution's error shall be

    """
    if redrives <= failure["redrives"]:
        raise type(failure["error"], (ClaimflowError,), {})(failure["sentence"])
    if failure["error"] == "PartlyDone":
        return {"step": "Predict"}
    return {"step": _STATES.get(failed_step(state), "Predict")}
