"""Keeps on disk what the local AWS holds, so that a server that ends, or is killed, begins where it was.

ministack can save its services, but does it at a shutdown only. Here what a request has changed is on disk
before the request is answered, and what changes by itself (a run, a log) soon after. The formats are
ministack's own; its S3 writes each object as it comes.
"""

import asyncio
import copy
import functools
import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable
from typing import Any

from local import journal, kept
from local.executions import Execution
from local.journal import Journal
from local.patches import Function, Part, part, replace
from local.settings import Settings

_SOON_SECONDS = 0.25
_LOG_SECONDS = 5.0
_LOGS = "cloudwatch_logs"
_DYNAMODB = "dynamodb"
KEPT_STREAMS, KEPT_LINES = 100, 200
_STATES = "services.stepfunctions"
_STATES_PARTS = (
    "state_machines", "tags", "activities", "state_machine_versions", "state_machine_aliases", "map_runs",
)  # fmt: skip
# What the resources of a stack of this project lie in. ministack loads every service when it makes a stack.
_OF_STACKS = (
    "batch", "cloudformation", "cloudwatch", _LOGS, "dynamodb", "ec2", "ecr", "eventbridge", "iam", "kms",
    "lambda", "s3", "sagemaker", "sns", "sqs", "ssm", "stepfunctions",
)  # fmt: skip
_READING = re.compile(
    "describe|list|get|head|filter|lookup|query|scan|test|validate|invocations|publish|putevents|assumerole|"
    "startquery",
    re.IGNORECASE,
)
_FORM_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
_TRIES = 20
_log = logging.getLogger("local")


class Keeper:
    """Writes what was marked as changed. Marking is cheap; `flush` writes, one caller at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.journal = Journal(kept.services(settings))
        self._marks = threading.Lock()
        self._writing = threading.Lock()
        self._services: set[str] = set()
        self._executions: dict[str, Execution] = {}
        self._written: dict[str, int] = {}

    def mark(self, *services: str) -> None:
        """Mark services, by the names of their files, as changed."""
        with self._marks:
            self._services.update(services)

    def mark_execution(self, execution: Execution) -> None:
        """Mark an execution as changed."""
        with self._marks:
            self._executions[execution["executionArn"]] = execution

    def flush(self, *, logs: bool = False) -> None:
        """Write what is marked, stacks last: a stack that is there has its resources.

        Raises:
            OSError: it cannot be written; it stays marked.

        """
        with self._writing:
            with self._marks:
                marked = {name for name in self._services if logs or name != _LOGS}
                changed, self._executions = self._executions, {}
                self._services -= marked
            try:
                for execution in changed.values():
                    self._write_execution(execution)
                for name in sorted(marked, key=lambda name: (name == "cloudformation", name)):
                    self._write_service(name)
            except OSError:
                with self._marks:
                    self._services |= marked
                    self._executions = {**changed, **self._executions}
                raise

    def run(self) -> None:
        """Flush again and again (in a thread of its own)."""
        rounds = 0
        while not threading.Event().wait(_SOON_SECONDS):
            rounds += 1
            try:
                self.flush(logs=rounds % int(_LOG_SECONDS / _SOON_SECONDS) == 0)
            except Exception as error:
                _log.error("The local AWS cannot keep what it holds, and tries again: %s", error)

    def _write_service(self, name: str) -> None:
        if name != _DYNAMODB:
            self._write_state(name)
            return
        self.journal.set_aside()
        if self._write_state(name):
            self.journal.forget()

    def _write_state(self, name: str) -> bool:
        """Write what a service holds; returns whether it is on disk."""
        give = part("app", "_build_persistence_save_dict")().get(name)
        state = None if give is None else _steadily(give)
        if state is None:
            return False
        version = part("core.persistence", "_state_format_version")(name)
        try:
            text = _steadily(lambda: _as_json({"__ministack_format__": version, "payload": state}))
        except (TypeError, ValueError) as error:
            _log.error("What %s holds is not kept, as ministack cannot write it: %s", name, error)
            return False
        path = kept.services(self._settings) / f"{name}.json"
        if self._written.get(name) != hash(text) or not path.exists():
            kept.write(path, text)
            self._written[name] = hash(text)
        return True

    def _write_execution(self, execution: Execution) -> None:
        name = hashlib.sha256(execution["executionArn"].encode()).hexdigest()[:32]
        kept.write(kept.executions(self._settings) / f"{name}.json", _steadily(lambda: _as_json(execution)))


_keepers: dict[str, Keeper] = {}


def install(settings: Settings) -> None:
    """Restore what is kept when the server starts, and keep what changes from then on."""
    keeper = _keepers["keeper"] = Keeper(settings)
    state_map = part("app", "_state_map")
    state_map["sagemaker"] = "sagemaker"
    handlers = part("app", "SERVICE_HANDLERS")
    for service in list(handlers):
        handlers[service] = _keeping(service, handlers[service], keeper)
    replace("services.lambda_svc", "_write_code_blob", functools.lru_cache(maxsize=2))
    replace("services.cloudwatch_logs", "get_state", _without_old_logs)
    replace(_STATES, "get_state", _without_executions)
    replace(
        "app", "_load_persisted_state", lambda original: lambda: _restore(original, settings, keeper.journal)
    )
    threading.Thread(target=keeper.run, name="keeper", daemon=True).start()


def execution_changed(execution: Execution) -> None:
    """Keep an execution as it now is."""
    if "keeper" in _keepers and not execution.get("sync"):
        _keepers["keeper"].mark_execution(execution)


def state_changed(service: str) -> None:
    """Keep one of our own services as it now is, soon."""
    if "keeper" in _keepers:
        _keepers["keeper"].mark(service)


def flush() -> None:
    """Keep everything, before the server ends."""
    if "keeper" in _keepers:
        _keepers["keeper"].flush(logs=True)


def _keeping(service: str, handler: Function, keeper: Keeper) -> Function:
    """Answer only when what the request has changed is on disk."""
    config = part("app", "SERVICE_REGISTRY").get(service) or {"module": service}
    files = (config.get("state_key", config["module"]), *config.get("sub_modules", ()))

    async def handle(method: str, path: str, headers: Part, body: bytes, query: Part) -> Part:
        answer = await handler(method, path, headers, body, query)
        if service == "cloudformation":
            keeper.mark(*_OF_STACKS)
        elif service == _DYNAMODB and _action(headers) in journal.CHANGES:
            await _keep_item(keeper, answer[0], body)
            return answer
        elif _changes(service, method, path, headers, body):
            keeper.mark(*files)
        elif service != "states":
            return answer
        await asyncio.to_thread(keeper.flush)
        return answer

    return handle


async def _keep_item(keeper: Keeper, status: int, body: bytes) -> None:
    """Keep a change of one item, unless it was refused."""
    line = journal.line(body) if status == 200 else None
    if line is not None:
        await asyncio.to_thread(keeper.journal.append, line)
    if keeper.journal.full:
        keeper.mark(_DYNAMODB)


def _action(headers: Part) -> str:
    return str(headers.get("x-amz-target", "").rpartition(".")[2])


def _changes(service: str, method: str, path: str, headers: Part, body: bytes) -> bool:
    """Return whether a request may change what its service holds (S3 objects are written by themselves)."""
    if service == "s3":
        return method in ("PUT", "POST", "DELETE") and "/" not in path.strip("/")
    action = _action(headers)
    form = None if action else _FORM_ACTION.search(body or b"")
    name = action or (form[1].decode() if form else path.rpartition("/")[2])
    return (bool(action or form) or method != "GET") and not _READING.match(name)


def _without_executions(_: Function) -> Function:
    """Leave out executions, which have files of their own: there are many, and few of them change."""
    return lambda: {name: copy.deepcopy(part(_STATES, f"_{name}")) for name in _STATES_PARTS}


def _without_old_logs(original: Function) -> Function:
    """Keep the log groups with the newest lines of the newest streams."""

    def get_state() -> Part:
        state = original()
        state["log_records"].clear()
        for group in state["log_groups"].all_values():
            newest = sorted(group["streams"].items(), key=lambda item: item[1].get("creationTime") or 0)
            group["streams"] = dict(newest[-KEPT_STREAMS:])
            for stream in group["streams"].values():
                stream["events"] = stream["events"][-KEPT_LINES:]
        return state

    return get_state


def _restore(original: Function, settings: Settings, changes: Journal) -> None:
    original()
    changes.restore()
    store = part(_STATES, "_executions")
    for path in kept.executions(settings).glob("*.json"):
        execution = json.loads(path.read_bytes())
        _, _, _, region, account, *_ = execution["executionArn"].split(":")
        store._data[account, region, execution["executionArn"]] = execution
        _interrupt(execution)
    for stack in part("services.cloudformation", "_stacks").all_values():
        _settle(stack)


def _interrupt(execution: dict[str, Any]) -> None:
    """End an execution that ran when the server before this one ended; it can be redriven."""
    if execution["status"] != "RUNNING":
        return
    cause = "The local AWS ended during this run; start the run again."
    failure = {"error": "LocalAwsEnded", "cause": cause}
    execution.update(status="FAILED", stopDate=part(_STATES, "now_iso")(), **failure)
    part(_STATES, "_add_event")(execution, "ExecutionFailed", {"executionFailedEventDetails": failure})


def _settle(stack: dict[str, Any]) -> None:
    """Let a stack that was being changed be deployed again: it has what was made until then."""
    if stack["StackStatus"].endswith("_IN_PROGRESS") and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        stack["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
        template = stack.get("_template") or {}
        resources = stack.get("_resources") or {}
        template["Resources"] = {
            key: value for key, value in template.get("Resources", {}).items() if key in resources
        }


def _as_json(value: Part) -> str:
    return json.dumps(value, default=part("core.persistence", "_json_default"))


def _steadily(give: Callable[[], Any]) -> Part:
    """Read a state that other threads change meanwhile: begin again when that shows."""
    for _ in range(_TRIES):
        try:
            return give()
        except RuntimeError:  # a dictionary changed its size
            continue
    return give()
