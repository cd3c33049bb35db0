"""The suspects of a training, read from the file that people get of them."""

import tempfile
from pathlib import Path

from contract import keys
from contract.columns import REMOVED, SuspectRow
from contract.spreadsheet import original
from workflow import final, results
from workflow.account import Account
from workflow.errors import CommandError
from workflow.stack import Stack

NO_SUSPECT = SuspectRow(0, "", "", "", 1.0)


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
    """Return a row; of one that was removed an empty one, as rows are known by their places."""
    if cells[-1] == REMOVED:
        return NO_SUSPECT
    line, text, label, likely, chance, *file = cells
    return SuspectRow(int(line), text, label, likely, float(chance), *file)
