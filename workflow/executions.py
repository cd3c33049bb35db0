"""What a run did, from the history of its Step Functions execution. Knows nothing of AWS clients."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contract.errors import AnotherTrains
from contract.state import State, known
from contract.steps import FAILED_ENDS, GATE

RUNNING, DONE, FAILED, STOPPED = "running", "done", "failed", "stopped"
ENDS = {
    "ExecutionSucceeded": DONE,
    "ExecutionFailed": FAILED,
    "ExecutionTimedOut": FAILED,
    "ExecutionAborted": STOPPED,
}
HOLDERS = {"Map", "Parallel"}
ROUTING = {"Pass", "Succeed", "Choice"}

Event = Mapping[str, Any]


@dataclass
class Step:
    """One visit of one state."""

    name: str
    kind: str
    started: datetime
    status: str = RUNNING
    ended: datetime | None = None
    attempts: int = 0
    error: str | None = None
    job: str | None = None
    tuning_job: str | None = None
    waits: str = ""
    """What for, where it waits for another run."""

    def duration(self, now: datetime) -> timedelta:
        """Return how long the step took, or has taken until now; never less than nothing."""
        return max((self.ended or now) - self.started, timedelta())


def steps(events: Iterable[Event]) -> list[Step]:
    """Return the states that an execution visited, in their order.

    `events` is the whole history, oldest first. A retried state is one step with several attempts; a state
    whose error was caught is a failed step.
    """
    made: list[Step] = []
    for event in events:
        _apply(event, made)
    # The Gate is the one choice worth seeing.
    return [step for step in made if step.kind not in ROUTING or step.name == GATE]


def data_of(description: Mapping[str, Any], events: Sequence[Event]) -> State:
    """Return the newest state data: a run's output if it succeeded, else what the last state gave.

    Inside its parts keys may be missing, as another version of the stack may have written them.
    """
    texts = [description.get("output")]
    texts += [
        _details(event).get("output") for event in reversed(events) if event["type"].endswith("StateExited")
    ]
    for text in texts:
        data = json.loads(text) if text else None
        if isinstance(data, dict):
            return _named(known(data))
    return known({"request": json.loads(description.get("input") or "null")})


def _named(state: State) -> State:
    """Give a run of a version that did not write its name the one that its folder of results has."""
    run: dict[str, Any] = dict(state.get("run", {}))
    if "name" not in run and "results" in run:
        state["run"]["name"] = run["results"].rsplit("/", 1)[-1]
    return state


def _apply(event: Event, made: list[Step]) -> None:
    kind: str = event["type"]
    details = _details(event)
    if kind.endswith("StateEntered"):
        _close(made, event["timestamp"])
        made.append(Step(details["name"], kind.removesuffix("StateEntered"), event["timestamp"]))
    elif kind.endswith("StateExited"):
        _exit(made, details["name"], event["timestamp"])
    elif kind == "ExecutionRedriven":
        _go_on(made)
    elif kind in ENDS:
        _finish(made, ENDS[kind], event["timestamp"])
    elif step := _open_step(made):
        _attempt(step, kind, details)


def _attempt(step: Step, kind: str, details: Mapping[str, Any]) -> None:
    if kind in {"TaskScheduled", "LambdaFunctionScheduled"}:
        step.attempts += 1
        step.error = None
    elif kind == "TaskSubmitted" and details.get("resourceType") == "sagemaker":
        step.job = _job(details, "TrainingJobArn")
        step.tuning_job = _job(details, "HyperParameterTuningJobArn")
    elif kind.startswith(("Task", "LambdaFunction")) and kind.endswith(("Failed", "TimedOut")):
        step.error = details.get("error") or "States.Timeout"
        step.waits = _waits(step.error, details.get("cause") or "")


def _waits(error: str, cause: str) -> str:
    """Return `waits for the training of claims.csv, …` for a step that waits until another run ends."""
    if error != AnotherTrains.__name__:
        return ""
    try:
        said = str(json.loads(cause).get("errorMessage", ""))
    except ValueError:  # Step Functions cuts a long cause
        return "waits for another training"
    return said.removeprefix("The run ").rstrip(".")


def _job(details: Mapping[str, Any], key: str) -> str | None:
    arn = json.loads(details.get("output") or "{}").get(key)
    return str(arn).rsplit("/", 1)[-1] if arn else None


def _close(made: list[Step], when: datetime) -> None:
    """End a step that was left without an event of its own, as after a caught error."""
    step = _open_step(made)
    if step and step.kind not in HOLDERS:
        _end(step, FAILED if step.error else DONE, when)


def _exit(made: list[Step], name: str, when: datetime) -> None:
    for step in reversed(made):
        if step.name == name and step.status == RUNNING:
            _end(step, FAILED if step.error else DONE, when)
            return


def _finish(made: list[Step], status: str, when: datetime) -> None:
    for step in made:
        if step.status == RUNNING:
            _end(step, status, when)


def _go_on(made: list[Step]) -> None:
    """Let the step at which the run failed or was stopped go on: no event enters it again."""
    if made and made[-1].status in {FAILED, STOPPED} and made[-1].name not in FAILED_ENDS:
        made[-1].status, made[-1].ended = RUNNING, None


def _end(step: Step, status: str, when: datetime) -> None:
    step.status, step.ended = status, when


def _open_step(made: list[Step]) -> Step | None:
    return next((step for step in reversed(made) if step.status == RUNNING), None)


def _details(event: Event) -> Mapping[str, Any]:
    kind: str = event["type"]
    for each in ("StateEntered", "StateExited"):
        if kind.endswith(each):
            kind = each
    details: Mapping[str, Any] = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails") or {}
    return details
