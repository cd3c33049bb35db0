"""The walk of an execution through its state machine, from the first state or from where it was unsuccessful.

The states themselves are ministack's. Where an execution stands is kept with it (`position`), and the
definition with which it began, so that it can be redriven: a finished state is not run again.
"""

import json
import logging
from typing import Any

from local.executions import Execution, Run
from local.patches import Part, part

_MODULE = "services.stepfunctions"
_PLAIN, _WITH_HISTORY = ("Pass", "Choice", "Wait"), ("Task", "Parallel", "Map")

Context = dict[str, Any]


def walk(run: Run, machine: dict[str, Any]) -> None:
    """Run states until the execution ends: as SUCCEEDED, as FAILED, or because it was stopped."""
    execution = run.execution
    try:
        definition = json.loads(execution["definition"])
        if "position" not in execution:
            execution["position"] = {"state": definition["StartAt"], "input": json.loads(execution["input"])}
        output = _run_states(run, definition, machine)
    except part(_MODULE, "_ExecutionError") as raised:
        part(_MODULE, "_fail_execution")(execution, raised.error, raised.cause)
    except Exception as raised:
        logging.getLogger("states").exception("Unexpected error in execution %s", execution["executionArn"])
        part(_MODULE, "_fail_execution")(execution, "States.Runtime", str(raised))
    else:
        if execution["status"] == "RUNNING":
            _succeed(execution, json.dumps(output))


def _run_states(run: Run, definition: dict[str, Any], machine: dict[str, Any]) -> Part:
    execution = run.execution
    context, data = _context(execution, definition, machine), execution["position"]["input"]
    while (name := execution["position"]["state"]) and execution["status"] == "RUNNING":
        state = definition["States"].get(name)
        if state is None:
            raise part(_MODULE, "_ExecutionError")(
                "States.Runtime", f"State '{name}' not found in definition"
            )
        context["State"] = {"Name": name, "EnteredTime": part(_MODULE, "now_iso")(), "RetryCount": 0}
        _enter(execution, name, state["Type"], data)
        data, following = _run_state(state, data, execution, context)
        if execution["status"] != "RUNNING":
            break  # it stays where it was stopped
        exited = {"name": name, "output": json.dumps(data)}
        execution["position"] = {"state": following, "input": data}
        _tell(execution, f"{state['Type']}StateExited", {"stateExitedEventDetails": exited})
    return data


def _run_state(
    state: dict[str, Any], data: Part, execution: Execution, context: Context
) -> tuple[Part, Part]:
    """Return a state's output and the name of the next one (None: the execution has succeeded)."""
    kind = state["Type"]
    if kind == "Fail":
        raise part(_MODULE, "_ExecutionError")(*part(_MODULE, "_fail_state_error")(state, data, context))
    if kind == "Succeed":
        data = part(_MODULE, "_apply_input_path")(state, data, context)
        return part(_MODULE, "_apply_output_path")(state, data, context), None
    if kind not in _PLAIN + _WITH_HISTORY:
        raise part(_MODULE, "_ExecutionError")("States.Runtime", f"Unknown state type: {kind}")
    arguments = (state, data, execution, context) if kind in _WITH_HISTORY else (state, data, context)
    output, following = part(_MODULE, f"_execute_{kind.lower()}")(*arguments)
    return output, following


def _context(execution: Execution, definition: dict[str, Any], machine: dict[str, Any]) -> Context:
    return {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": execution["executionArn"],
            "Input": json.loads(execution["input"]),
            "Name": execution["name"],
            "StartTime": execution["startDate"],
            "RedriveCount": execution.get("redriveCount", 0),
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
        "variables": execution.setdefault("variables", {}),
    }


def _enter(execution: Execution, name: str, kind: str, data: Part) -> None:
    """Tell that a state is entered; after a redrive the state is entered already, but for Fail."""
    position = execution["position"]
    if not position.get("entered") or kind == "Fail":
        position["entered"] = True
        entered = {"name": name, "input": json.dumps(data)}
        _tell(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})


def _succeed(execution: Execution, output: str) -> None:
    execution.update(status="SUCCEEDED", output=output, stopDate=part(_MODULE, "now_iso")())
    _tell(execution, "ExecutionSucceeded", {"executionSucceededEventDetails": {"output": output}})
    part(_MODULE, "_emit_execution_status_event")(execution)


def _tell(execution: Execution, event: str, details: dict[str, Any]) -> None:
    part(_MODULE, "_add_event")(execution, event, details)
