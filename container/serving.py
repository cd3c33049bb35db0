"""The program `serve`: SageMaker's contract for a container that answers with a model.

It reads the model that SageMaker unpacked into /opt/ml/model, or the folder `model` below CLAIMFLOW_BASE_DIR,
and answers at port 8080 until a signal ends it (see `container.endpoint`). When it cannot, it says one
sentence and gives the exit code 1.
"""

import os
import signal

from container import failure
from container.driver import ensure_driver
from container.failure import UsageError, Wording
from container.training import base_dir
from contract.served import TARGET_VARIABLE

WORDING = Wording(
    disk_full="The disk is full: free disk space, or enlarge it, and start again.",
    more_memory="serve the model on a machine with more of it, or send fewer or shorter texts at once.",
    unexpected="The model cannot be served: unexpected {}",
)
PORT = "SAGEMAKER_BIND_TO_PORT"
FAILED = 1


def main() -> int:
    """Serve the model until a signal ends it; returns the exit code."""
    try:
        return _serve()
    except Exception as error:
        print(failure.sentence(error, WORDING), flush=True)
        return FAILED


def killed(number: signal.Signals) -> None:
    """Report that a signal ended the work."""
    if number not in {signal.SIGTERM, signal.SIGINT}:
        print(failure.of_signal(number, WORDING), flush=True)


def _serve() -> int:
    ensure_driver()  # before a part of the model imports MXNet
    from container import endpoint  # noqa: PLC0415  not above: the supervisor imports this module and stays small
    from model import artifact  # noqa: PLC0415  as well

    port = _number(PORT, "8080")
    target = _number(TARGET_VARIABLE, "") if os.environ.get(TARGET_VARIABLE) else None
    classifier = artifact.load(base_dir() / "model", target)
    with endpoint.listening("0.0.0.0", int(port)) as at:  # noqa: S104  # nosec B104
        print(f"Answering at port {port:.0f}.", flush=True)
        return endpoint.serve(classifier, at)


def _number(name: str, default: str) -> float:
    given = os.environ.get(name, default)
    try:
        return float(given)
    except ValueError:
        raise UsageError(f"The environment variable {name} is {given!r}; it must be a number.") from None
