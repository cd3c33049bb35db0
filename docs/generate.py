"""Makes everything in this repository that is made of something else: `make generate`.

`python -m docs.generate` writes the files. With `--check` nothing is written, each stale file is named, and
the exit code is 1 if there is one.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import page, plot, results
from docs import contract_tables, fault_table, idle_costs, permission_table, tables
from model.config import Config, schema
from workflow import definition
from workflow.drawing import draw

ROOT = Path(__file__).resolve().parent.parent
# What stands between these two lines of a page is made by the table that the first one names.
_BLOCK = re.compile(r"(<!-- make generate: (\w+)((?: [\w.]+)*) -->\n).*?(<!-- made -->)", re.DOTALL)
_TABLES: dict[str, Callable[..., str]] = {
    "configuration": tables.configuration,
    "parameters": tables.parameters,
    "outputs": tables.outputs,
    "faults": fault_table.faults,
    "permissions": permission_table.permissions,
    "idle_costs": idle_costs.idle_costs,
    "keys": contract_tables.keys,
    "steps": contract_tables.steps,
    "events": contract_tables.events,
    "errors": contract_tables.errors,
    "metrics": contract_tables.metrics,
    "fields": contract_tables.fields,
}


def files() -> dict[str, str]:
    """Return the text of every generated file, by its path from the root of the repository."""
    figures = results.read(ROOT / "docs" / page.FIGURES)
    texts = {f"docs/{path.name}": path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
    return {
        "config/config.schema.json": _json(schema()),
        "config/config.json": _json(Config().model_dump()),
        "workflow/state_machine.asl.json": definition.render(),
        "docs/state_machine.md": draw(definition.build()),
        "docs/benchmarks.md": page.render(figures),
        "docs/benchmarks.svg": plot.draw(figures),
        **{path: fill(text) for path, text in texts.items() if _BLOCK.search(text)},
    }


def fill(text: str) -> str:
    """Return a page with its generated blocks made anew. Raises KeyError for a table that is none."""

    def block(match: re.Match[str]) -> str:
        begin, table, names, end = match.groups()
        return f"{begin}\n{_TABLES[table](*names.split())}\n\n{end}"

    return _BLOCK.sub(block, text)


def stale(root: Path, texts: dict[str, str]) -> list[str]:
    """Return the paths of the files below `root` that are missing or have another text."""
    return [path for path, text in texts.items() if not _is(root / path, text)]


def write(root: Path, texts: dict[str, str]) -> list[str]:
    """Write the files that are stale. Return their paths."""
    paths = stale(root, texts)
    for path in paths:
        (root / path).write_text(texts[path], encoding="utf-8")
    return paths


def main(arguments: list[str] | None = None) -> int:
    """Write or check every generated file. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description="Make what is generated.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    texts = files()
    if parser.parse_args(arguments).check:
        paths = stale(ROOT, texts)
        sys.stderr.writelines(f"{path} is stale. Run: make generate\n" for path in paths)
        return 1 if paths else 0
    sys.stdout.writelines(f"wrote {path}\n" for path in write(ROOT, texts))
    return 0


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
