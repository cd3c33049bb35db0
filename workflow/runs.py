"""Runs, as Step Functions knows them: finding one, reading it, following it to its end."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from contract.errors import NEVER_AGAIN, ModelRejected
from contract.keys import RUNS_PREFIX
from contract.state import State
from workflow.account import Account
from workflow.errors import CommandError, ExecutionUnknownError
from workflow.executions import Step, data_of, steps
from workflow.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import (
        DescribeExecutionOutputTypeDef,
        ExecutionListItemTypeDef,
        HistoryEventTypeDef,
    )

SEARCHED = 1000  # runs that an abbreviated name is looked for in
GLANCED = 25  # events at the end of a run in which its newest data is looked for
AT_ONCE = 8
WORK_DIGEST, ALIKE = re.compile("[0-9a-f]{12}"), 100
# Errors that the same request meets again, so the run must not go on.
FINAL = NEVER_AGAIN | {ModelRejected.__name__}
LOCAL_PAUSE, AWS_PAUSE, LONGEST_PAUSE = 1.0, 5.0, 20.0


@dataclass(frozen=True)
class Run:
    """A run at one moment."""

    arn: str
    name: str
    status: str
    started: datetime
    ended: datetime | None
    error: str | None
    cause: str | None
    steps: list[Step] = field(default_factory=list)
    data: State = field(default_factory=State)

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.status == "RUNNING"

    @property
    def folder(self) -> str:
        """The name of its folder in the results bucket, which is its own; older runs had another."""
        return self.data["run"].get("name", self.name) if "run" in self.data else self.name

    @property
    def rejected(self) -> bool:
        """Whether it ended because the new model was not good enough."""
        return self.error == ModelRejected.__name__


def read_run(account: Account, arn: str) -> Run:
    """Read a run's state and history; raises ExecutionUnknownError."""
    described = _describe(account, arn)
    pages = account.step_functions.get_paginator("get_execution_history").paginate(
        executionArn=arn, PaginationConfig={"PageSize": 1000}
    )
    return _run(described, [event for page in pages for event in page["events"]])


def glance(account: Account, arn: str) -> Run:
    """Read a run without its steps: one call if it succeeded, as its data is its output, else two."""
    described = _describe(account, arn)
    if described["status"] == "SUCCEEDED":
        return _run(described, [])
    newest = account.step_functions.get_execution_history(
        executionArn=arn, reverseOrder=True, maxResults=GLANCED
    )
    return replace(_run(described, newest["events"][::-1]), steps=[])


def glances(account: Account, arns: Sequence[str]) -> list[Run]:
    """Read several runs without their steps, some at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda arn: glance(account, arn), arns))


def redrive(account: Account, arn: str) -> None:
    """Let a run that was unsuccessful go on from the step that was.

    Raises CommandError for one that is not, or that would meet the same again, and ExecutionUnknownError.
    """
    run = glance(account, arn)
    refused = f"The run {run.name} cannot go on"
    if run.running or run.status == "SUCCEEDED":
        raise CommandError(f"{refused}: it {'runs' if run.running else 'is done'} already.")
    if run.error in FINAL:
        raise CommandError(f"{refused}: it would end as it did ({run.error}). Start another one.")
    try:
        account.step_functions.redrive_execution(executionArn=arn)
    except account.step_functions.exceptions.ExecutionNotRedrivable as error:
        why = error.response["Error"].get("Message", "")
        raise CommandError(f"{refused}: {why or 'it is too old'}. Start the same request again.") from None


def stop(account: Account, arn: str) -> None:
    """Stop a run and its jobs; the run tells who did."""
    by = f" by {account.caller}" if account.caller else ""
    account.step_functions.stop_execution(executionArn=arn, cause=f"It was stopped{by}.")


def plain_cause(cause: str | None) -> str | None:
    """Return an execution's cause as a sentence: a step that raised it left it in a Lambda's JSON."""
    try:
        document = json.loads(cause or "")
    except ValueError:
        return cause
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return str(message) if message else cause


def follow(account: Account, arn: str) -> Iterator[Run]:
    """Yield the run again and again until it has ended; the last one given is the end."""
    pause = LOCAL_PAUSE if account.local else AWS_PAUSE
    while True:
        run = read_run(account, arn)
        yield run
        if not run.running:
            return
        time.sleep(pause)
        pause = pause if account.local else min(pause * 1.05, LONGEST_PAUSE)


def recent(account: Account, stack: Stack, limit: int) -> "list[ExecutionListItemTypeDef]":
    """Return the newest runs, newest first."""
    pages = account.step_functions.get_paginator("list_executions").paginate(
        stateMachineArn=stack.state_machine,
        PaginationConfig={"MaxItems": limit, "PageSize": min(limit, 1000)},
    )
    executions = [each for page in pages for each in page["executions"]]
    return sorted(executions, key=lambda each: each["startDate"], reverse=True)


def find(account: Account, stack: Stack, name: str | None) -> str:
    """Return the ARN of a run; without a name of the newest.

    `name` may be the run's ARN, its name or the beginning of one, the id of its work (of several the newest),
    or an address or a path in a folder of one of these. Raises ExecutionUnknownError, or CommandError for
    several that begin so.
    """
    if name is None:
        return _newest(account, stack)
    if name.startswith("arn:"):
        return name
    name = re.sub(rf"^s3://[^/]+/({RUNS_PREFIX})?|^(./)?out/", "", name).split("/", 1)[0]
    arn = arn_of(stack, name)
    return arn if _exists(account, arn) else _by_beginning(account, stack, name)


def arn_of(stack: Stack, name: str) -> str:
    """Return the ARN of a run by its whole name, whether or not there is such a run."""
    return f"{stack.state_machine.replace(':stateMachine:', ':execution:')}:{name}"


def find_running(account: Account, stack: Stack, name: str | None) -> str:
    """Return the ARN of a run that goes on; without a name of the newest that does.

    Raises ExecutionUnknownError, or CommandError if it does not.
    """
    if name is None:
        running = [each for each in recent(account, stack, SEARCHED) if each["status"] == "RUNNING"]
        if not running:
            raise CommandError(f"Nothing runs: `{account.command} runs` lists what did.")
        return running[0]["executionArn"]
    arn = find(account, stack, name)
    if _describe(account, arn)["status"] != "RUNNING":
        raise CommandError(f"The run {arn.rsplit(':', 1)[-1]} does not go on: it has ended already.")
    return arn


def now() -> datetime:
    """Return the time, with its zone, as boto3 does."""
    return datetime.now(UTC)


def _describe(account: Account, arn: str) -> "DescribeExecutionOutputTypeDef":
    client = account.step_functions
    try:
        return client.describe_execution(executionArn=arn)
    except (client.exceptions.ExecutionDoesNotExist, client.exceptions.InvalidArn):
        raise ExecutionUnknownError(arn.rsplit(":", 1)[-1], account.command) from None


def _run(described: "DescribeExecutionOutputTypeDef", events: "Sequence[HistoryEventTypeDef]") -> Run:
    return Run(
        arn=described["executionArn"],
        name=described["name"],
        status=described["status"],
        started=described["startDate"],
        ended=described.get("stopDate"),
        error=described.get("error"),
        cause=plain_cause(described.get("cause")),
        steps=steps(events),
        data=data_of(described, events),
    )


def _newest(account: Account, stack: Stack) -> str:
    newest = recent(account, stack, 1)
    if not newest:
        raise CommandError(f"Nothing has run yet: start with `{account.command} train FILE`.")
    return newest[0]["executionArn"]


def _exists(account: Account, arn: str) -> bool:
    try:
        account.step_functions.describe_execution(executionArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ExecutionDoesNotExist", "InvalidArn"}:
            return False
        raise
    return True


def _by_beginning(account: Account, stack: Stack, name: str) -> str:
    listed = recent(account, stack, SEARCHED)
    matches = [each for each in listed if each["name"].startswith(name)]
    if not matches:
        return _by_work(account, listed, name)
    if len(matches) > 1:
        names = ", ".join(each["name"] for each in matches[:3])
        more = " and others" if len(matches) > 3 else ""
        raise CommandError(f"'{name}' may be {names}{more}: write more of the name.")
    return matches[0]["executionArn"]


def _by_work(account: Account, listed: "list[ExecutionListItemTypeDef]", work: str) -> str:
    """Return the newest run whose work has this id, which is named like it but for its last part."""
    head, _, digest = work.rpartition("-")
    if head and WORK_DIGEST.fullmatch(digest):
        alike = [each["executionArn"] for each in listed if each["name"].startswith(f"{head}-")]
        for run in glances(account, alike[:ALIKE]):
            if run.data.get("run", {}).get("id") == work:
                return run.arn
    raise ExecutionUnknownError(work, account.command)
