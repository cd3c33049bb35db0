"""Whether the model that labelled keeps its promise, by what people found of rows that it had accepted."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.audit import ALL_WEEKS, Audited, blind, query, sentence
from shared import aws, settings
from shared.telemetry import logger


def broken(version: int, target: float | None) -> str:
    """Return in words that the promise is broken; an empty text where it is not, or where nobody can tell.

    A table that does not answer is no reason to fail a run that has labelled everything: the log tells of it.
    """
    if target is None:
        return ""
    try:
        right = _found(version)
    except (BotoCoreError, ClientError) as error:
        logger.warning("The table of decisions does not answer", extra={"error": type(error).__name__})
        return ""
    audited = Audited(version, ALL_WEEKS, len(right), sum(right), target)
    return sentence(audited) if right and audited.broken else ""


def _found(version: int) -> list[bool]:
    """Return whether the version was right, for each accepted row that people decided."""
    asked = query(settings.text("CLAIMFLOW_DECISIONS"), version)
    pages = aws.dynamodb().get_paginator("query").paginate(**asked)
    answers = ((_answer(item), item["said"]["S"]) for page in pages for item in page["Items"])
    return [answer == said for answer, said in answers if answer is not None]


def _answer(item: Any) -> str | None:  # noqa: ANN401  as DynamoDB keeps it
    """Return the answer of a row that counts, or None where it was taken back."""
    changes = [each["M"] for each in item["changes"]["L"]]
    categories = [each["category"]["S"] if "category" in each else None for each in changes]
    return blind(categories, int(item["told"]["N"]) if "told" in item else None)
