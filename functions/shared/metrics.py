"""Writes metrics as lines of the log, in CloudWatch's embedded metric format: no call, no permission."""

from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics

from contract.metrics import DIMENSION, NAMESPACE, Metric


def write(stack: str, figures: Mapping[Metric, float]) -> None:
    """Write figures of a stack, each in its metric's unit; percent go from 0 to 100."""
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    metrics.add_dimension(DIMENSION, stack)
    for metric, value in figures.items():
        metrics.add_metric(metric.name, metric.unit, value)
    metrics.flush_metrics()
