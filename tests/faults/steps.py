"""The functions as steps of the state machine: tried again as it would, and explained when they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from collect.handler import handler as collect
from evaluate.handler import handler as evaluate
from explain.handler import handler as explain
from prepare.handler import handler as prepare
from register.handler import handler as register
from tests.unit.functions.stack import ACCEPTANCE, EXECUTION, Stack, csv_text, labelled
from tune.handler import handler as tune
from validate.handler import handler as validate
from workflow.definition import LAMBDA_FAULTS

ATTEMPTS = 6  # the first one and the five of definition.py's retrier

State = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A function, the key of the state that it gives, and what makes the state before it."""

    handler: Callable[[State, object], State]
    gives: str
    before: Callable[[Stack], State]


class StepFailed(Exception):  # noqa: N818
    """A step failed for good; what people read is `sentence`."""

    def __init__(self, failure: State) -> None:
        super().__init__(failure["sentence"])
        self.error, self.sentence, self.message = (failure[key] for key in ("error", "sentence", "message"))


def take(step: Step, state: State) -> State:
    """Take a step as the state machine does, and give its result. Raises StepFailed."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return dict(step.handler(state, None))
        except Exception as error:
            name = type(error).__name__
            if name not in LAMBDA_FAULTS or attempt == ATTEMPTS:
                cause = json.dumps({"errorMessage": str(error), "errorType": name})
                raise StepFailed(explained(state, name, cause)) from error
    raise AssertionError("unreachable")


def explained(state: State, error: str, cause: str) -> State:
    """Return what the step Explain makes of an error that a Catch took."""
    caught = {key: value for key, value in state.items() if key != "execution"}
    whole = {**caught, "error": {"Error": error, "Cause": cause}}
    return dict(explain({"state": whole, "execution": EXECUTION, "redrives": 0}, None))


def _asked(stack: Stack) -> State:
    data = stack.upload("train/claims.csv", labelled(20))
    return {"request": {"action": "train", "data": data}, "execution": EXECUTION}


def _prepared(stack: Stack) -> State:
    asked = _asked(stack)
    return {**asked, "run": prepare(asked, None)}


def _to_tune(stack: Stack) -> State:
    data = stack.upload("train/claims.csv", labelled(20))
    run = prepare({"request": {"action": "tune", "data": data}, "execution": EXECUTION}, None)
    return {"run": run, "execution": EXECUTION, "redrives": 0}


def _to_predict(stack: Stack) -> State:
    stack.live()
    data = stack.upload(
        "predict/open.csv", csv_text(["id", "text"], [(n, f"text {n}" if n % 9 else "") for n in range(30)])
    )
    request = {"action": "predict", "data": data, "config": {"rows_per_shard": 10}}
    return {"request": request, "run": stack.prepare(request)}


def _trained(stack: Stack) -> State:
    state = _prepared(stack)
    state["validation"] = validate(state, None)
    state["training"] = stack.trained(state)
    return state


def _evaluated(stack: Stack) -> State:
    state = _trained(stack)
    return {**state, "evaluation": evaluate(state, None)}


def _labelled(stack: Stack) -> State:
    state = _to_predict(stack)
    state["validation"] = validate(state, None)
    return {**state, "model": stack.predicted(state), "prediction": {"succeeded": True}}


def _to_change_the_target(stack: Stack) -> State:
    stack.live(acceptance=ACCEPTANCE)
    return {"request": {"action": "threshold", "target_precision": 0.9}, "execution": EXECUTION}


STEPS = {
    "prepare": Step(prepare, "run", _asked),
    "validate to train": Step(validate, "validation", _prepared),
    "validate to predict": Step(validate, "validation", _to_predict),
    "plan": Step(tune, "plan", _to_tune),
    "evaluate": Step(evaluate, "evaluation", _trained),
    "register": Step(register, "registration", _evaluated),
    "threshold": Step(register, "registration", _to_change_the_target),
    "collect": Step(collect, "results", _labelled),
}
