"""The end of a run, which fails until the execution is redriven; knows nothing of AWS."""

from contract import steps
from contract.errors import PartlyDone
from contract.state import Failure, State
from explain.step import failed_step


def goes_on_at(failure: Failure, redrives: int, state: State) -> str | None:
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
