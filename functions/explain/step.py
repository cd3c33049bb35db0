"""Finds the step that failed, by what the state lacks; knows nothing of AWS."""

from collections.abc import Iterator

from contract import steps
from contract.state import State, is_threshold
from contract.steps import Step


def failed_step(state: State) -> Step | None:
    """Return the first step of the run that has not left its result; None: it was telling people."""
    return next((step for step in _steps(state) if not _is_done(step, state)), None)


def in_words(step: Step | None) -> str:
    """Return a step's name as it is written in a sentence."""
    if step is None:
        return "notify"
    return step.name if step is steps.TRAIN else step.name.lower()


def _steps(state: State) -> Iterator[Step]:
    """Yield the steps that a run takes, each only if those before it are done."""
    if is_threshold(state):
        yield steps.THRESHOLD
        return
    yield steps.PREPARE
    yield steps.VALIDATE
    if state["run"].get("action") == "tune":
        yield from steps.TUNING
    if state["run"].get("action") != "predict":
        yield from steps.TRAINING
    if state["validation"].get("predict") and not _is_whole(state):
        yield from steps.PREDICTION


def _is_done(step: Step, state: State) -> bool:
    if step is steps.PREDICT:
        return "succeeded" in state.get("prediction", {})
    if step is steps.TUNE:
        return "tuned" in state or state["plan"].get("left") == 0
    return step.leaves in state and step is not steps.COLLECT


def _is_whole(state: State) -> bool:
    return "results" in state and not state["results"].get("missing_rows")
