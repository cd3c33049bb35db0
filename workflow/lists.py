"""Lists of runs and models: a table on a wide terminal, lines on a narrow one, tabs or JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from contract.audit import Audited
from contract.text import percent
from workflow import display
from workflow.models import Model
from workflow.records import Record

NUMBERS = {"Version", "Rows", "Categories", "Model"}
WIDEST = 1_000_000


def show_runs(records: Sequence[Record]) -> None:
    """Print a line about each run: a table where it fits, two lines where not, tabs for programs."""
    heads = ("Run", "State", "Started", "File", "Action", "Rows", "Categories", "Model", "Figures", "By")
    _list(heads, [_run_cells(each) for each in records])


def show_models(models: Sequence[Model], live: Model | None) -> None:
    """Print a line about each model version, as `show_runs` does."""
    heads = (
        "Version",
        "State",
        "Created",
        "File",
        "Rows",
        "Categories",
        "Accuracy",
        "New target",
        "By",
        "Run",
    )
    _list(heads, [_model_cells(each, each == live) for each in models])


def show_audits(found: Sequence[Audited]) -> None:
    """Print a line about each version's audits, and about those of each week."""
    heads = ("Version", "Week", "Verdict", "Rows", "Right", "95% interval", "Promised")
    _list(heads, [_audit_cells(each) for each in found])


def show_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, as `show_runs` does."""
    _list(heads, rows)


def audited_document(each: Audited) -> dict[str, Any]:
    """Return a line as JSON takes it."""
    more = {"precision": each.precision, "interval": list(each.interval), "verdict": each.verdict}
    return asdict(each) | more


def as_json(documents: Sequence[dict[str, Any]] | dict[str, Any]) -> None:
    """Print documents as JSON."""
    display.say(json.dumps(documents, indent=2, ensure_ascii=False))


def _run_cells(each: Record) -> list[str]:
    return [
        each.name,
        each.state,
        display.moment(each.started),
        each.file or "",
        each.action or "",
        _count(each.rows),
        _count(each.categories),
        _count(each.model),
        each.figures,
        each.started_by or "",
    ]


def _model_cells(each: Model, live: bool) -> list[str]:
    return [
        str(each.version),
        each.state(live),
        display.moment(each.created),
        each.file or "",
        _count(each.rows),
        _count(each.categories),
        each.figures,
        each.changed_target,
        each.started_by or "",
        each.run or "",
    ]


def _audit_cells(each: Audited) -> list[str]:
    low, high = each.interval
    return [
        str(each.version),
        each.week,
        each.verdict,
        _count(each.rows),
        percent(each.precision),
        f"{percent(low)} to {percent(high)}",
        "" if each.target is None else percent(each.target),
    ]


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _list(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows so that nothing in them is ever cut, as names are there to be copied."""
    if not display.console.is_terminal:
        for row in (heads, *rows):
            typer.echo(
                display.writable("\t".join(" ".join(cell.split()) for cell in row))
            )  # rich makes tabs blanks
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads:
        table.add_column(head, no_wrap=True, justify="right" if head in NUMBERS else "left")
    for row in rows:
        table.add_row(*(Text(cell, style=display.STATE_STYLE.get(cell, "")) for cell in row))
    if (
        display.console.measure(table, options=display.console.options.update(width=WIDEST)).maximum
        <= display.console.width
    ):
        display.console.print(table)
        return
    for row in rows:
        display.say(f"{row[0]}  {row[1]}", display.STATE_STYLE.get(row[1], ""))
        named = zip(heads[2:], row[2:], strict=True)
        display.say("  " + ", ".join(f"{head.lower()} {cell}" for head, cell in named if cell), "dim")
