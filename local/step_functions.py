"""Step Functions as strict as AWS: ministack forgives what fails there, and interrupts nothing that runs."""

import contextlib
import contextvars
import json
import re
import threading
from collections.abc import Iterator
from typing import Any

from local import executions, keeper
from local.executions import current_attempt, current_run, find_run
from local.patches import Function, Part, part, replace
from local.walk import walk

PAYLOAD_LIMIT = 262_144
LONGEST_WAIT_SECONDS = 5.0
_UNCATCHABLE = ("States.Runtime", "States.DataLimitExceeded")
_EXECUTION_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
_MODULE = "services.stepfunctions"
# The version that an execution was started by, itself or by an alias; None: the machine as it is.
_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("_version", default=None)


def install() -> None:
    """Replace the functions that AWS is stricter about. ministack looks each up by name when it calls it."""
    for name, make in {
        "_start_execution": _starting,
        "_stop_execution": _stopping,
        "_run_execution": _running,
        "_fail_execution": _failing,
        "_execute_task": _executing_task,
        "_invoke_resource": _invoking,
        "_invoke_resource_with_timeout": _invoking_with_timeout,
        "_scaled_sleep": _sleeping,
        "_resolve_path": _resolving,
        "_evaluate_rule": _evaluating,
        "_error_matches": _matching,
    }.items():
        replace(_MODULE, name, make)


def error(name: str, cause: str) -> Exception:
    """Make the exception with which ministack fails a state."""
    made: Exception = part(_MODULE, "_ExecutionError")(name, cause)
    return made


def _starting(original: Function) -> Function:
    """AWS answers a second start with the same name and input by the execution that runs already."""
    executions_by_arn, machines = part(_MODULE, "_executions"), part(_MODULE, "_state_machines")
    resolve, version_of = part(_MODULE, "_resolve_state_machine_arn"), part(_MODULE, "_execution_version_arn")
    refuse, respond = part("core.responses", "error_response_json"), part("core.responses", "json_response")

    def start_execution(data: dict[str, Any]) -> Part:
        name = data.get("name")
        if name is not None and not _EXECUTION_NAME.fullmatch(name):
            return refuse("InvalidName", f"Invalid Name: '{name}'", 400)
        try:
            json.loads(data.get("input", "{}"), parse_constant=_refuse_constant)
        except ValueError:
            return refuse("InvalidExecutionInput", "Invalid State Machine Execution Input", 400)
        asked = data.get("stateMachineArn", "")
        machine = machines.get(resolve(asked))
        arn = (
            f"{machine['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{name}" if machine else ""
        )
        known = executions_by_arn.get(arn)
        if known and known["status"] == "RUNNING" and known["input"] == data.get("input", "{}"):
            return respond({"executionArn": arn, "startDate": known["startDate"]})
        _version.set(version_of(asked))  # the thread that runs it gets a copy of the context
        status, headers, body = original(data)
        if status == 200:
            keeper.execution_changed(executions_by_arn[json.loads(body)["executionArn"]])
        return status, headers, body

    return start_execution


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON, though Python takes it for a number")


def _stopping(original: Function) -> Function:
    """Cancel the running task of an execution that is stopped."""

    def stop_execution(data: dict[str, Any]) -> Part:
        run = find_run(data.get("executionArn", ""))
        answer = original(data)
        if run and run.execution["status"] != "RUNNING":
            # Cancelling talks to other services of this server, which must not wait for this very request.
            threading.Thread(target=run.end, daemon=True).start()
        return answer

    return stop_execution


def _running(_: Function) -> Function:
    """Keep track of the execution while it runs, and end it after the state machine's own TimeoutSeconds."""
    executions_by_arn, machines = part(_MODULE, "_executions"), part(_MODULE, "_state_machines")
    versions = part(_MODULE, "_state_machine_versions")

    def run_execution(arn: str) -> None:
        execution = executions_by_arn.get(arn)
        machine = machines.get(execution["stateMachineArn"]) if execution else None
        if machine is None:
            return
        execution["events"][0].setdefault("previousEventId", 0)
        execution.setdefault("definition", versions.get(_version.get(), machine)["definition"])
        run = executions.open_run(execution)
        current_run.set(run)
        try:
            with _time_limit(run):
                walk(run, machine)
        finally:
            executions.close_run(run)
            keeper.execution_changed(execution)

    return run_execution


@contextlib.contextmanager
def _time_limit(run: executions.Run) -> Iterator[None]:
    seconds = json.loads(run.execution["definition"]).get("TimeoutSeconds")
    if not seconds:
        yield
        return
    timer = threading.Timer(seconds, contextvars.copy_context().run, [_time_out, run])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _time_out(run: executions.Run) -> None:
    execution = run.execution
    if execution["status"] != "RUNNING":
        return
    execution.update(status="TIMED_OUT", stopDate=part(_MODULE, "now_iso")())
    part(_MODULE, "_add_event")(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
    part(_MODULE, "_emit_execution_status_event")(execution)
    run.end()


def _failing(original: Function) -> Function:
    """Keep ABORTED when the stopped task then fails; give failures no output."""

    def fail_execution(execution: dict[str, Any], name: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            original(execution, name, cause)
            execution["output"] = None

    return fail_execution


def _executing_task(original: Function) -> Function:
    """Run no task of an execution that has ended; know TimeoutSecondsPath; hold the payload limit."""

    def execute_task(
        state: dict[str, Any], data: Part, execution: dict[str, Any], ctx: dict[str, Any]
    ) -> Part:
        if execution["status"] != "RUNNING":
            raise error("States.Runtime", "The execution has ended.")
        if "TimeoutSecondsPath" in state:
            state = {
                **state,
                "TimeoutSeconds": part(_MODULE, "_resolve_path_or_ctx")(
                    state["TimeoutSecondsPath"], data, ctx
                ),
            }
        output, following = original(state, data, execution, ctx)
        size = len(json.dumps(output).encode())
        if size > PAYLOAD_LIMIT:
            name = ctx["State"]["Name"]
            raise error(
                "States.DataLimitExceeded",
                f"The state/task '{name}' returned a result with a size exceeding the maximum number of "
                f"bytes service limit ({size} > {PAYLOAD_LIMIT}).",
            )
        return output, following

    return execute_task


def _invoking(original: Function) -> Function:
    def invoke(resource: str, input_data: Part) -> Part:
        with _attempt():
            return original(resource, input_data)

    return invoke


def _invoking_with_timeout(original: Function) -> Function:
    """Cancel a task that takes too long; ministack only stops waiting for it."""

    def invoke(resource: str, input_data: Part, timeout: float) -> Part:
        with _attempt() as attempt:
            try:
                return original(resource, input_data, timeout)
            except Exception as raised:
                if attempt and getattr(raised, "error", "") == "States.Timeout":
                    threading.Thread(target=attempt.cancel, daemon=True).start()
                raise

    return invoke


@contextlib.contextmanager
def _attempt() -> Iterator[executions.Attempt | None]:
    """Yield the attempt of this task: the one around it (a task with a timeout), else a new one."""
    run, around = current_run.get(), current_attempt.get()
    if run is None or around is not None:
        yield around
        return
    attempt = run.begin()
    token = current_attempt.set(attempt)
    try:
        yield attempt
    finally:
        current_attempt.reset(token)
        run.finish(attempt)


def _sleeping(_: Function) -> Function:
    """Shorten Wait states and pauses before a retry, and end them when the execution ends."""
    scale = part(_MODULE, "_SFN_WAIT_SCALE")

    def scaled_sleep(seconds: float) -> None:
        wait = min(seconds * scale, LONGEST_WAIT_SECONDS)
        run = current_run.get()
        (run.ended if run else threading.Event()).wait(wait)

    return scaled_sleep


def _resolving(original: Function) -> Function:
    """Fail the execution on a path that leads nowhere; ministack would go on with null."""
    parse = part(_MODULE, "_parse_jsonpath_tokens")

    def resolve_path(path: str, data: Part) -> Part:
        if path and path.startswith("$") and path != "$" and not _exists(parse(path), data):
            raise error(
                "States.Runtime",
                f"The JSONPath '{path}' could not be found in the input '{json.dumps(data)}'",
            )
        return original(path, data)

    return resolve_path


def _exists(tokens: list[tuple[str, Any]] | None, data: Part) -> bool:
    """Return whether a path leads to something. One with a wildcard always does: to a list, maybe empty."""
    for kind, value in tokens or []:
        if kind == "wildcard":
            return True
        if (kind == "field" and isinstance(data, dict) and value in data) or (
            kind == "index" and isinstance(data, list) and value < len(data)
        ):
            data = data[value]
        else:
            return False
    return tokens is not None


def _evaluating(original: Function) -> Function:
    """Fail on a Choice rule whose path is not there, unless it asks just that (IsPresent)."""
    parse = part(_MODULE, "_parse_jsonpath_tokens")

    def evaluate_rule(rule: dict[str, Any], data: Part, ctx: dict[str, Any] | None = None) -> Part:
        variable = rule.get("Variable")
        if variable is None:
            return original(rule, data, ctx)
        inside = ctx if variable.startswith("$$") else data
        present = _exists(parse(variable.replace("$$", "$", 1)), inside)
        if "IsPresent" in rule:
            return present == rule["IsPresent"]
        if not present:
            raise error(
                "States.Runtime",
                f"Invalid path '{variable}': The choice state's condition path references an invalid value.",
            )
        return original(rule, data, ctx)

    return evaluate_rule


def _matching(original: Function) -> Function:
    """No Retry and no Catch takes a runtime error or a payload that is too large, not even for States.ALL."""

    def error_matches(error_equals: list[str], name: str) -> Part:
        return original(error_equals, name) if name not in _UNCATCHABLE or name in error_equals else False

    return error_matches
