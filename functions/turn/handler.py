"""Lambda: a run that is to train in; raises AnotherTrains while it is not its turn.

What counts is which executions run, as Step Functions says: one that was stopped, failed or timed out holds
nobody up, and there is no lock that it could leave behind.
"""

from contract.errors import AnotherTrains
from contract.state import TurnEvent
from contract.text import and_more
from shared import aws, settings
from shared.telemetry import lambda_handler, logger
from turn.request import trained_file


def _handle(event: TurnEvent) -> None:
    before = _before(event)
    if len(before) >= settings.whole_number("CLAIMFLOW_TRAININGS_AT_ONCE"):
        logger.info("Waits", extra={"before": len(before)})
        others = and_more(before[0], len(before) - 1)
        raise AnotherTrains(f"The run waits for the training of {others}, which began before it.")


def _before(event: TurnEvent) -> list[str]:
    """Return the files of the trainings whose runs began before this one and go on, the oldest first."""
    client = aws.step_functions()
    described = client.describe_execution(executionArn=event["execution"])
    own = described["startDate"], event["execution"]
    # Of the machine, not of the version or alias by which this run was started: others have another.
    pages = client.get_paginator("list_executions").paginate(
        stateMachineArn=described["stateMachineArn"], statusFilter="RUNNING"
    )
    running = [(each["startDate"], each["executionArn"]) for page in pages for each in page["executions"]]
    earlier = sorted(began for began in running if began < own)
    inputs = [client.describe_execution(executionArn=arn).get("input", "") for _, arn in earlier]
    return [name for name in map(trained_file, inputs) if name]


handler = lambda_handler(_handle)
