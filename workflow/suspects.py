"""The suspects of a training, read from the file that people get of them."""

import tempfile
from pathlib import Path

from contract import keys
from contract.columns import SuspectRow
from contract.spreadsheet import original
from workflow import final, results
from workflow.account import Account
from workflow.errors import CommandError
from workflow.stack import Stack


def read(account: Account, stack: Stack, folder: str) -> tuple[str, list[SuspectRow]]:
    """Return the file's name and its rows, by the folder of the training's results.

    Raises CommandError for a training without suspects.
    """
    names = [
        each for each in results.files_of(account, stack, folder) if keys.kind(each).startswith("suspects.")
    ]
    if not names:
        raise CommandError("This training found no label that is probably wrong.")
    with tempfile.TemporaryDirectory(prefix="claimflow-") as scratch:
        path = Path(scratch) / "suspects"
        account.s3.download_file(stack.results, f"{folder}/{names[0]}", str(path))
        kind = names[0].rsplit(".", 1)[-1]
        _, *rows = final.records(path, kind, ",", len(SuspectRow._fields))
    return names[0], [_suspect(list(map(original, cells))) for cells in rows]


def _suspect(cells: list[str]) -> SuspectRow:
    line, text, label, likely, chance, *file = cells
    return SuspectRow(int(line), text, label, likely, float(chance), *file)
