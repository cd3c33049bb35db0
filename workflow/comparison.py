"""`claimflow models compare`: two versions on a file, or on what people decided of a run."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract.spreadsheet import harmless, original
from contract.text import count, percent
from workflow import display, final, lists, models, objects
from workflow.account import Account
from workflow.decisions import Decisions
from workflow.errors import CommandError
from workflow.queue import read_index
from workflow.stack import Stack

if TYPE_CHECKING:  # pandas, which the other commands do not wait for
    import pandas as pd

    from claimflow import Comparison
    from claimflow.comparison import Judged

RISK = 0.05  # below which chance hardly explains a difference


@dataclass(frozen=True)
class Rows:
    """What two versions are compared on."""

    data: "pd.DataFrame"
    text: str | None = None
    """The column of the texts; None: it is found by its name."""
    label: str | None = None
    """The column of the categories; None: likewise, if there is one."""
    remark: str = ""
    """What to know of the categories."""


def of_file(path: Path, text: str | None, label: str | None) -> Rows:
    """Return the rows of a file of this machine. Raises CommandError where it cannot be read."""
    from claimflow import ClaimflowError, table  # noqa: PLC0415  as above

    try:
        return Rows(table.read(path), text, label)
    except ClaimflowError as error:
        raise CommandError(str(error)) from None


def of_run(account: Account, stack: Stack, folder: str) -> Rows:
    """Return the rows that a run labelled, with the categories that people decided.

    Raises CommandError for a run that labelled nothing.
    """
    import pandas as pd  # noqa: PLC0415  as above

    queue = read_index(account, stack, folder)
    decided = {
        each.number: each.category for each in Decisions(account.dynamodb, stack.decisions, folder).all()
    }
    form, width = queue["results"], len(queue["columns"])
    columns = [*form["columns"][:width], final.free(final.COLUMNS[0], form["columns"][:width])]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "results"
        account.s3.download_file(*objects.place(form["uri"]), str(path))
        records = final.records(path, form["format"], form["delimiter"], len(form["columns"]))
        next(records)
        cells = [
            [*map(original, each[:width]), decided.get(number) or ""] for number, each in enumerate(records)
        ]
    count_decided = sum(category is not None for category in decided.values())
    remark = (
        f"People decided {count_decided:,} of the {count(len(cells), 'row')}: mostly those that the model "
        "which labelled them doubted, with its answer before them."
    )
    return Rows(pd.DataFrame(cells, columns=columns), columns[queue["text"]], columns[-1], remark)


def run(
    account: Account, stack: Stack, versions: tuple[int, int], rows: Rows
) -> "tuple[Comparison, tuple[float, float]]":
    """Compare two versions of the registry on rows; return what came of it, and their target precisions.

    Raises CommandError when that cannot be done.
    """
    import claimflow  # noqa: PLC0415  as above
    from claimflow import loading  # noqa: PLC0415  as above

    if versions[0] == versions[1]:
        raise CommandError(f"Version {versions[0]} is compared with itself: name two versions.")
    registered = models.list_models(account, stack)
    found = [models.find(registered, version) for version in versions]
    try:
        first, second = (loading.load_version(account, stack, version) for version in found)
        made = claimflow.compare(first, second, rows.data, text=rows.text, label=rows.label)
    except claimflow.ClaimflowError as error:
        raise CommandError(str(error)) from None
    targets = [
        version.target or model.training["acceptance"]["target_precision"]
        for version, model in zip(found, (first, second), strict=True)
    ]
    return made, (targets[0], targets[1])


def write(made: "Comparison", path: Path) -> None:
    """Write the rows to which the two give different categories; no cell runs as a formula.

    Only the own user may read a new file, as it has people's texts.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = made.differing.map(lambda cell: harmless("" if cell is None else str(cell)))
    rows.columns = [harmless(str(name)) for name in rows.columns]
    path.touch(mode=0o600)
    rows.to_csv(path, index=False, lineterminator="\r\n", encoding="utf-8-sig")


def show(made: "Comparison", targets: tuple[float, float], path: Path, remark: str) -> None:
    """Print a comparison for a person; `path` is where the rows that differ lie."""
    left_out = f", {made.left_out:,} without a text left out" if made.left_out else ""
    named = list(zip(made.names, made.accepted, strict=True))
    display.pairs(
        [
            ("Rows", f"{made.rows:,}{left_out}"),
            ("Same category", percent(made.same)),
            *((f"Accepted by {name}", percent(share)) for name, share in named),
            *(_judged(made.judged, made.names, targets) if made.judged else []),
        ]
    )
    if made.judged:
        lists.show_table(*_table(made.judged))
    display.say(sentence(made))
    if remark:
        display.say(remark)
    display.say(f"The rows with different categories: {path}")


def sentence(made: "Comparison") -> str:
    """Return who is right, and whether chance explains it."""
    judged, (first, second) = made.judged, made.names
    if judged is None:
        return (
            f"One of the two has learned from all {count(made.learned, 'row')} with a category, so that "
            "nothing says which one is right: give rows that are new to both."
            if made.learned
            else "No row has a category, so nothing says which of the two is right."
        )
    chance = f"p = {judged.p_value:.2g}, McNemar's exact test, two-sided"
    if judged.only_first_right == judged.only_second_right:
        return f"Both have as many rows right ({chance})."
    second_better = judged.only_second_right > judged.only_first_right
    better = second if second_better else first
    verdict = "beyond chance" if judged.p_value < RISK else "but chance may explain it"
    return f"Version {better} has more rows right, {verdict} ({chance})."


def document(made: "Comparison", targets: tuple[float, float]) -> dict[str, Any]:
    """Return a comparison as JSON takes it, without the rows."""
    judged = made.judged
    return {
        "rows": made.rows,
        "left_out": made.left_out,
        "same": made.same,
        "differing": len(made.differing),
        "learned": made.learned,
        "versions": [
            {
                "version": int(made.names[side]),
                "target_precision": targets[side],
                "accepted": made.accepted[side],
                **(_figures(judged, side) if judged else {}),
            }
            for side in (0, 1)
        ],
        "judged": {
            "rows": judged.rows,
            "only_first_right": judged.only_first_right,
            "only_second_right": judged.only_second_right,
            "p_value": judged.p_value,
            "categories": judged.categories.reset_index().to_dict("records"),
        }
        if judged
        else None,
    }


def _figures(judged: "Judged", side: int) -> dict[str, Any]:
    found = judged.evaluations[side]
    return {
        "accuracy": found.accuracy,
        "accuracy_interval": list(found.accuracy_interval),
        "macro_f1": found.macro_f1,
        "macro_f1_interval": list(judged.macro_f1_intervals[side]),
        "accepted_of_judged": found.accepted,
        "accepted_accuracy": found.accepted_accuracy,
    }


def _judged(judged: "Judged", names: tuple[str, str], targets: tuple[float, float]) -> list[tuple[str, str]]:
    left_out = f", {judged.learned:,} that one of them has learned from left out" if judged.learned else ""
    rows = [("Rows with a category", f"{judged.rows:,}{left_out}")]
    for side, name in enumerate(names):
        found, target = judged.evaluations[side], targets[side]
        right = (
            "none of them accepted"
            if found.accepted_accuracy is None
            else f"{percent(found.accepted_accuracy)} of the {percent(found.accepted)} accepted"
        )
        rows += [
            (f"Accuracy of {name}", _with(found.accuracy, found.accuracy_interval)),
            (f"Macro F1 of {name}", _with(found.macro_f1, judged.macro_f1_intervals[side])),
            (f"Precision of {name}", f"{right}; its target is {percent(target)}"),
        ]
    only = zip(names, (judged.only_first_right, judged.only_second_right), strict=True)
    return [*rows, *((f"Only {name} right", count(number, "row")) for name, number in only)]


def _with(share: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{percent(share)} (95% interval: {percent(low)} to {percent(high)})"


def _table(judged: "Judged") -> tuple[list[str], list[list[str]]]:
    frame = judged.categories
    heads = ["Category", "Rows", *(name.replace("_", " of ").capitalize() for name in frame.columns[1:])]
    rows = [
        [str(label), f"{int(values[0]):,}", *(percent(share) for share in values[1:])]
        for label, values in zip(frame.index, frame.to_numpy().tolist(), strict=True)
    ]
    return heads, rows
