"""The queue of a run without some of its rows."""

import json
from collections.abc import Callable
from pathlib import Path

from contract.queue import Queue, QueueOrder, QueuePage, QueueRow


def rewrite(index: Queue, rows: Path, to: Path, is_gone: Callable[[QueueRow], bool]) -> tuple[Queue, int]:
    """Write the file of rows anew; returns its index, and how many rows are gone. Others stay as they are.

    The index still names the old file.
    """
    made: Queue = {**index, "groups": {**index["groups"]}, "by_category": {**index["by_category"]}}
    order: QueueOrder = {"numbers": [], "predictions": [], "groups": []}
    pages: list[QueuePage] = []
    groups, gone, offset = list(index["groups"]), 0, 0
    with rows.open("rb") as source, to.open("wb") as target:
        for page in index["pages"]:
            first, start = len(order["numbers"]), offset
            for place in range(page["first"], page["first"] + page["rows"]):
                raw = source.readline()
                row: QueueRow = json.loads(raw)
                if is_gone(row):
                    gone += 1
                    made["audits" if row["audit"] else "to_review"] -= 1
                    made["groups"][groups[index["order"]["groups"][place]]] -= 1
                    made["by_category"][row["prediction"]] -= 1
                    continue
                target.write(raw)
                offset += len(raw)
                order["numbers"].append(index["order"]["numbers"][place])
                order["predictions"].append(index["order"]["predictions"][place])
                order["groups"].append(index["order"]["groups"][place])
            if count := len(order["numbers"]) - first:
                pages.append({"first": first, "rows": count, "offset": start, "size": offset - start})
    made["by_category"] = {name: count for name, count in made["by_category"].items() if count}
    return {**made, "order": order, "pages": pages}, gone
