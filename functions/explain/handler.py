"""Lambda: a failed run's state in, one sentence out. Never fails itself: nobody would hear of the run.

It is the failed end, too: with `end` in the event it fails the step with that, and does no more.
"""

import json
import os
from typing import Any, cast

from contract.errors import NEVER_AGAIN, PredictionFailed, TimedOut, Unexpected
from contract.metrics import FAILED_RUNS, REFUSED_RUNS
from contract.state import EndEvent, ExplainEvent, Failure, GoesOn, State, Wait, known
from explain import shards
from explain.cause import (
    Explanation,
    batch_job,
    explain,
    failed_shards,
    shards_error,
    why_nothing_is_delivered,
)
from explain.ending import goes_on_at
from explain.step import failed_step
from explain.wait import next_wait, words
from shared import aws, batch, metrics, settings
from shared.batch import field, of_shards
from shared.messages import command, message, subject
from shared.shards import told
from shared.telemetry import lambda_handler, logger


def _handle(event: ExplainEvent | EndEvent) -> Failure | GoesOn:
    state = known(event["state"])
    return _end(cast(EndEvent, event), state) if "end" in event else _failure(event, state)


def _failure(event: ExplainEvent, state: State) -> Failure:
    execution = event["execution"]
    try:
        failure = _explanation(state)
    except Exception:
        logger.exception("The error could not be explained")
        failure = Explanation(
            Unexpected.__name__, "The run failed, and why could not be read; look at the execution."
        )
    logger.info("Explained", extra={"error": failure.error})
    name, again = _file_name(state), failure.error not in NEVER_AGAIN
    if wait := next_wait(state, event["redrives"]):
        return _waiting(event, state, failure, wait)
    metrics.write(settings.model_group(), {FAILED_RUNS if again else REFUSED_RUNS: 1})
    lines = [
        failure.sentence,
        f"File: {name}" if name else "",
        f"Execution: {_page(execution)}" if execution else "",
        _going_on(execution) if again and execution else "",
    ]
    return {
        "error": failure.error,
        "sentence": failure.sentence,
        "again": again,
        "redrives": event["redrives"],
        "subject": subject(f"Claimflow: {name or 'a run'} failed: {failure.error}"),
        "message": message(lines),
    }


def _waiting(event: ExplainEvent, state: State, failure: Explanation, wait: Wait) -> Failure:
    name, run = _file_name(state), event["execution"].rsplit(":", 1)[-1]
    lines = [
        *words(state),
        f"File: {name}" if name else "",
        f"Execution: {_page(event['execution'])}",
        f"To stop it: `{command(settings.model_group())} stop {run}`",
    ]
    return {
        "error": failure.error,
        "sentence": failure.sentence,
        "again": True,
        "redrives": event["redrives"],
        "wait": wait,
        "subject": subject(f"Claimflow: {name or 'a training'} waits for a machine"),
        "message": message(lines),
    }


def _going_on(execution: str) -> str:
    claimflow = command(settings.model_group())
    return f"To go on from the step that failed: `{claimflow} redrive {execution.rsplit(':', 1)[-1]}`"


def _end(event: EndEvent, state: State) -> GoesOn:
    """Fail the step that waits for the token, or let a redriven execution go on."""
    failure, token = event["end"], event["token"]
    step = goes_on_at(failure, event["redrives"], state)
    if step is None:
        aws.step_functions().send_task_failure(
            taskToken=token, error=failure["error"], cause=failure["sentence"]
        )
    else:
        aws.step_functions().send_task_success(taskToken=token, output=json.dumps({"step": step}))
    return {"step": step}


def _explanation(state: State) -> Explanation:
    caught = shards_error(state) or state.get("error") or {}
    error, cause = str(caught.get("Error", "")), str(caught.get("Cause", ""))
    failure = explain(error, cause, failed_step(state))
    job = batch_job(cause)
    if job is None:
        return failure
    failure = _with_shards(failure, state, job)
    return Explanation(failure.error, f"{why_nothing_is_delivered(state)} {failure.sentence}".strip())


def _with_shards(failure: Explanation, state: State, job: dict[str, Any]) -> Explanation:
    """Add what the shards themselves said, and Batch of the others; without either, the failure stands."""
    try:
        said, are_all = _sentences(state)
    except Exception:
        logger.exception("The shards' sentences could not be read")
        said, are_all = {}, False
    failed = failed_shards(job)
    if said and not failed:  # the one shard of a single job knows better than Batch why it failed
        failure = Explanation(PredictionFailed.__name__, f"The prediction {field(job, 'JobName')} failed.")
    silent, timed_out = _silent(job, said, failed - len(said)) if failed and are_all else ([], False)
    error = TimedOut.__name__ if timed_out and not said else failure.error
    return Explanation(error, " ".join(filter(None, [failure.sentence, told(said), *silent])))


def _sentences(state: State) -> tuple[dict[int, str], bool]:
    checked = state["validation"]["predict"] if "validation" in state else None
    return shards.sentences(checked) if checked else ({}, True)


def _silent(job: dict[str, Any], said: dict[int, str], count: int) -> tuple[list[str], bool]:
    """Return sentences on the `count` shards that left none, and whether time ended all of them."""
    if count <= 0:
        return [], False
    try:
        outcomes_by_shard = batch.failed_shards(str(field(job, "JobId")))
    except Exception:
        logger.exception("Batch could not be asked for the failed shards")
        outcomes_by_shard = {}
    outcomes = [outcome for number, outcome in outcomes_by_shard.items() if number not in said]
    if not outcomes:
        return [
            f"{'The failed shards' if count > 1 else 'The failed shard'} gave no reason; see their log."
        ], False
    sentences, timed_out = of_shards(outcomes)
    return sentences, timed_out and len(outcomes) == count


def _file_name(state: State) -> str:
    request = state.get("request")
    data = request.get("data") if isinstance(request, dict) else None
    return data.rsplit("/", 1)[-1] if isinstance(data, str) else ""


def _page(execution: str) -> str:
    """Return the console page of an execution, beside its ARN; the local AWS has none."""
    fields = execution.split(":")
    if len(fields) < 7 or fields[2] != "states" or os.environ.get("AWS_ENDPOINT_URL"):
        return execution
    region = fields[3]
    return (
        f"{execution}\nhttps://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/"
        f"{execution}"
    )


handler = lambda_handler(_handle)
