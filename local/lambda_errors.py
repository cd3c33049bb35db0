"""Lambda errors and logs as AWS tells them.

ministack runs a handler in a process of its own but reports every exception as `Runtime.HandlerError`, so no
Catch by name would ever match, and it may miss the last lines of a log. The worker's program is changed in
three places.
"""

import json
import queue
import time
from typing import Any

from local.patches import Function, Part, replace, replace_text

_LOG_WAIT_SECONDS = 2.0
_END_OF_LOG = "\x1eend of log"
_ERROR = "\x1eerror"
_INIT_FAILED = "Worker init failed: "

_HANDLER_FAILED = 'json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()})'
_IMPORT_FAILED = 'json.dumps({"status": "error", "error": str(e)})'
_CALL = "result = handler_fn(event, context)"

# What AWS puts into the error: the message, the class name, and the frames below the runtime's own.
_DESCRIBE = (
    'json.dumps({"errorMessage": str(e), "errorType": type(e).__name__, '
    '"stackTrace": traceback.format_tb(e.__traceback__)[1:]})'
)


def install() -> None:
    """Change the worker's program and read what it now says."""
    script = ("core.lambda_runtime", "_PYTHON_WORKER_SCRIPT")
    described = f'"status": "error", "error": {_ERROR!a} + {_DESCRIBE}'
    marked = f'json.dumps({{{described}, "trace": traceback.format_exc()}})'
    replace_text(*script, _HANDLER_FAILED, marked)
    replace_text(*script, _IMPORT_FAILED, f"json.dumps({{{described}}})")
    # Written before the answer, so the whole log lies in the pipe when the answer comes.
    mark = f"print({_END_OF_LOG!a}, file=sys.stderr, flush=True)"
    replace_text(
        *script,
        f"    {_CALL}",
        f"    try:\n                {_CALL}\n            finally:\n                {mark}",
    )
    replace("services.lambda_svc", "_execute_function_warm", _naming_errors)
    replace("core.lambda_runtime", "Worker", _reading_whole_logs)


def _naming_errors(original: Function) -> Function:
    def execute(func: dict[str, Any], event: Part, request_id: str) -> Part:
        result = original(func, event, request_id)
        if isinstance(result, dict) and result.get("error") and isinstance(result.get("body"), dict):
            result["body"] = error_body(result["body"])
            if not result.get("log"):
                result["log"] = f"[ERROR] {result['body']['errorType']}: {result['body']['errorMessage']}"
        return result

    return execute


def error_body(body: dict[str, Any]) -> dict[str, Any]:
    """Make the error payload of AWS from what the worker reported."""
    message = str(body.get("errorMessage", ""))
    importing = message.startswith(_INIT_FAILED)
    message = message.removeprefix(_INIT_FAILED)
    if not message.startswith(_ERROR):
        return body
    told: dict[str, Any] = json.loads(message.removeprefix(_ERROR))
    if importing and told["errorType"] in ("ModuleNotFoundError", "ImportError"):
        told["errorMessage"] = f"Unable to import module: {told['errorMessage']}"
        told["errorType"] = "Runtime.ImportModuleError"
    return told


def _reading_whole_logs(worker: Part) -> Part:
    """Read the log up to the marker rather than until nothing came for some milliseconds."""

    def drain(self: Part) -> str:
        lines: list[str] = []
        deadline = time.monotonic() + _LOG_WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                line = self._stderr_queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if line == _END_OF_LOG:
                break
            lines.append(line)
        return "\n".join(lines)

    worker._drain_stderr_bounded = drain
    return worker
