"""How long a training took, and how much of that SageMaker bills."""

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from contract.state import Cost
from shared import aws
from shared.prices import Prices
from shared.telemetry import logger


@dataclass(frozen=True)
class JobTime:
    """Seconds of a training, on each of its instances, and what they ran on."""

    training: int
    billable: int
    """Less than `training` on Spot machines: what was saved is the difference."""
    instance_type: str
    instances: int
    spot: bool


def read(job: str) -> JobTime | None:
    """Return the time of a training job as SageMaker tells it; None: it does not.

    A model that is trained is worth more than its bill: the log tells of an answer that does not come.
    """
    try:
        described = aws.sagemaker().describe_training_job(TrainingJobName=job)
    except (BotoCoreError, ClientError) as error:
        logger.warning("SageMaker does not tell the time of the job", extra={"error": type(error).__name__})
        return None
    if "TrainingTimeInSeconds" not in described or "BillableTimeInSeconds" not in described:
        return None
    machines = described["ResourceConfig"]
    return JobTime(
        training=described["TrainingTimeInSeconds"],
        billable=described["BillableTimeInSeconds"],
        instance_type=machines["InstanceType"],
        instances=machines["InstanceCount"],
        spot=described.get("EnableManagedSpotTraining", False),
    )


def cost(took: JobTime, prices: Prices) -> Cost:
    """Return what a training cost: SageMaker bills its billable time on each instance.

    Seconds saved by Spot are not billed: SageMaker's own formula is 1 - BillableTimeInSeconds /
    TrainingTimeInSeconds.
    """
    seconds = took.billable * took.instances
    spent: Cost = {
        "seconds": seconds,
        "machines": [took.instance_type],
        "dollars": prices.dollars(seconds, [took.instance_type]),
        "at_most": False,
    }
    if took.spot and took.training:
        spent["saved"] = 1 - took.billable / took.training
    return spent
