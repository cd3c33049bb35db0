"""The files made from `model.config`: the schema, to which the prepare function links, and every default."""

import argparse
import json
from pathlib import Path

from model.config import Config, schema, table

ROOT = Path(__file__).resolve().parent.parent


def generated() -> dict[str, str]:
    """Return the content of every generated file, by its path from the root of the repository."""
    return {
        "config/config.schema.json": json.dumps(schema(), indent=2) + "\n",
        "config/config.json": json.dumps(Config().model_dump(), indent=2) + "\n",
    }


def main() -> int:
    """Write the generated files, or print the table of keys."""
    parser = argparse.ArgumentParser(prog="python -m model.config", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="write the schema and the defaults")
    choice.add_argument("--table", action="store_true", help="print a markdown table of the keys")
    if parser.parse_args().table:
        print(table())
        return 0
    for path, content in generated().items():
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
        print(f"wrote {path}")
    return 0
