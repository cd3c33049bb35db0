"""S3 keys, column names and error names are written in contract/ alone, and everything else imports them.

template.yaml and the generated state machine, which are no Python, have their own; docstrings and comments
may name what they like.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import columns, errors, keys

ROOT = Path(__file__).parents[3]
FOLDERS = ("claimflow", "container", "functions", "local", "model", "workflow")

_PREFIXES = (keys.RUNS_PREFIX, keys.TRAIN_PREFIX, keys.PREDICT_PREFIX, keys.REQUESTS_PREFIX, keys.LIVE_PREFIX)
_BEGINNINGS = (*_PREFIXES, keys.GOING_LIVE.split("/")[0] + "/", keys.SHARD, keys.PART, keys.FAILURE)
# A key, or a piece of one in an f-string: at the start or behind a slash.
_KEY = re.compile(rf"(^|/)({'|'.join(map(re.escape, _BEGINNINGS))})|{re.escape(keys.CONFIG_KEY)}$")

_TABLES = (columns.SHARD, columns.CHANNEL, columns.REJECTED, columns.RESULTS)
# Words that are more than columns: plain English, or keys of the state and of evaluation.json.
_ORDINARY = {"row", "text", "label", "line", "reason", "error", "prediction", "confidence"}
_COLUMNS = {name for table in _TABLES for name in table} | {"doubt"}
# Where rows of these tables are read and written, no row or frame is indexed by a name that is spelt out.
_WITH_ROWS = (
    "container/",
    "functions/collect/",
    "functions/validate/",
    "model/data.py",
    "model/prediction.py",
)
_INDEXES = {"row", "text", "label", "line", "reason"}

_EXEMPT = {("workflow/executions.py", "TimedOut")}  # the end of a name of AWS's: ExecutionTimedOut


def relapses(path: str, source: str) -> list[str]:
    """Return the literals of a program that belong into contract/, each with its line."""
    tree = ast.parse(source)
    once = [(line, text) for line, text in _literals(tree) if _is_fact(text) and (path, text) not in _EXEMPT]
    indexes = _indexes(tree) if path.startswith(_WITH_ROWS) else ()
    return [f"{path}:{line}: {text}" for line, text in sorted([*once, *_tables(tree), *indexes])]


def _is_fact(text: str) -> bool:
    return text in errors.NAMES or text in _COLUMNS - _ORDINARY or bool(_KEY.search(text))


def _literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the string literals that are no docstrings, pieces of f-strings too."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def _tables(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the tuples, lists and sets that spell out two columns of one table."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            texts = set(map(_text, node.elts))
            if any(len(texts & set(table)) > 1 for table in _TABLES):
                yield node.lineno, ast.unparse(node)


def _indexes(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _text(node.slice) in _INDEXES:
            yield node.lineno, ast.unparse(node)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _programs() -> list[Path]:
    return [
        path
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (ROOT / "functions" / "contract") not in path.parents
    ]


def test_no_program_spells_out_what_contract_says() -> None:
    programs = _programs()
    literals = [
        line
        for path in programs
        for line in relapses(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]
    assert len(programs) > 150
    assert literals == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("workflow/stack.py", 'f"s3://{stack.uploads}/train/"'),
        ("functions/register/publish.py", 'key = "live/model.params"'),
        ("container/prediction.py", 'name = f"part-{index:05}.csv"'),
        ("functions/collect/parts.py", 'key = f"{folder}/failure-{number:05d}.txt"'),
        ("workflow/submission.py", 'CONFIG = "config/config.json"'),
        ("functions/register/lock.py", 'LOCK = "locks/going-live.json"'),
        ("functions/shared/channels.py", 'uri = f"s3://{bucket}/runs/{run}/x"'),
        ("workflow/outcome.py", 'rejected = run.error == "ModelRejected"'),
        ("functions/explain/cause.py", 'FINAL = {"InvalidData"}'),
        ("functions/collect/merge.py", 'COLUMNS = ["row", "prediction", "confidence"]'),
        ("functions/validate/sharding.py", 'SHARD = ("row", "text")'),
        ("functions/collect/results.py", 'name = "needs_review"'),
        ("workflow/demo.py", 'second = line["runner_up"]'),
        ("functions/validate/rows.py", 'lengths = frame["text"].str.len()'),
        ("functions/collect/handler.py", 'line = row["line"]'),
    ],
    ids=range(15),
)
def test_a_relapse_is_found_in_the_line_in_which_it_stands(path: str, line: str) -> None:
    (literal,) = relapses(path, f'"""Says train/ and needs_review, which a docstring may."""\n\n{line}\n')
    assert literal.startswith(f"{path}:3: ")


@pytest.mark.parametrize(
    "line",
    [
        'raise ValueError("there is no text in this row")',
        'evaluation["label"]',
        'state["prediction"]',
        'hint = "see config/config.json for every key"',
        'names = ("text", "title")',
        "from contract.errors import ModelRejected",
    ],
)
def test_plain_english_and_keys_of_the_state_are_no_relapse(line: str) -> None:
    assert relapses("workflow/demo.py", line) == []
