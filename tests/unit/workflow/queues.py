"""A queue in a fake account, as collect leaves one."""

import json
from collections import Counter
from typing import Any

from contract import keys
from contract.queue import SCHEMA, QueueRow
from workflow import stack
from workflow.account import Account
from workflow.queue import QueueReader

RUN = "predict-claims-1"
COLUMNS = ["id", "text", "note"]
CATEGORIES = ["Brakes", "Brake fluid", "Engine", "Wheels"]


def row(
    number: int, *, audit: bool = False, prediction: str = "Brakes", group: str = "low confidence"
) -> QueueRow:
    return {
        "number": number,
        "line": number + 2,
        "cells": [f"C-{number}", f"the text of {number}", ""],
        "prediction": prediction,
        "confidence": 0.4321,
        "second": "Engine",
        "decided": "",
        "reason": "" if audit else group,
        "group": group,
        "audit": audit,
    }


def put(account: Account, rows: list[QueueRow], per_page: int = 2) -> None:
    """Leave a queue as collect does."""
    pages, content = [], b""
    for first in range(0, len(rows), per_page):
        lines = b"".join(json.dumps(each).encode() + b"\n" for each in rows[first : first + per_page])
        count = len(rows[first : first + per_page])
        pages.append({"first": first, "rows": count, "offset": len(content), "size": len(lines)})
        content += lines
    groups = Counter(each["group"] for each in rows)
    index: dict[str, Any] = {
        "schema": SCHEMA,
        "run": RUN,
        "file": "claims.csv",
        "model": 3,
        "columns": COLUMNS,
        "text": 1,
        "label": None,
        "left_out": 0,
        "categories": CATEGORIES,
        "rows": f"s3://results/{RUN}/{keys.QUEUE_ROWS}",
        "to_review": sum(not each["audit"] for each in rows),
        "audits": sum(each["audit"] for each in rows),
        "groups": dict(groups),
        "by_category": dict(Counter(each["prediction"] for each in rows)),
        "order": {
            "numbers": [each["number"] for each in rows],
            "predictions": [CATEGORIES.index(each["prediction"]) for each in rows],
            "groups": [list(groups).index(each["group"]) for each in rows],
        },
        "pages": pages,
        "results": {
            "uri": f"s3://results/{RUN}/claims.results.csv",
            "format": "csv",
            "delimiter": ",",
            "columns": ["id", "text", "note", "prediction", "needs_review"],
            "category_column": 3,
            "review_column": 4,
        },
    }
    account.s3.put_object(Bucket="results", Key=f"{RUN}/{keys.QUEUE_ROWS}", Body=content)
    account.s3.put_object(Bucket="results", Key=f"{RUN}/claims.results.csv", Body=b"id")
    body = json.dumps(index).encode()
    account.s3.put_object(Bucket="results", Key=f"{RUN}/{keys.QUEUE_INDEX}", Body=body)


def reader(account: Account) -> QueueReader:
    return QueueReader.of_run(account, stack.read_stack(account), RUN)
