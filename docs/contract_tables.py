"""The tables of docs/contracts.md, made of the docstrings and annotations in `contract/`."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from contract import errors as error_names
from contract import keys as all_keys
from contract import metrics as all_metrics
from contract import steps as all_steps
from docs.tables import markdown

# What a key is made of, as a reader understands it.
_EXAMPLES = {"run_id": "RUN", "name": "CHANNEL", "index": 0, "action": "train", "job_name": "JOB"}
_CONTRACT = Path(__file__).resolve().parent.parent / "contract"


def fields(path: str, *more: str) -> str:
    """Return a class of `contract/`, such as `state.Run`, with its fields; `more` are of its module."""
    module, name = path.split(".")
    return "\n\n".join(_class(module, classes(module)[each]) for each in (name, *more))


def events() -> str:
    """Return what each Lambda gets: the classes of `contract/state.py` that are called `…Event`."""
    rows = [[_text(node), _listed(node)] for name, node in classes("state").items() if name.endswith("Event")]
    return markdown(["event", "keys"], rows)


def keys() -> str:
    """Return the keys below `runs/` in the artifacts bucket, as `contract/keys.py` makes them."""
    rows = [
        [f"`{make(**{name: _EXAMPLES[name] for name in parameters})}`", _of(node), f"`{node.name}`"]
        for node in _parsed("keys").body
        if isinstance(node, ast.FunctionDef)
        if "run_id" in (parameters := [each.arg for each in node.args.args])
        for make in [getattr(all_keys, node.name)]
    ]
    return markdown(["key", "what lies there", "in `contract/keys.py`"], sorted(rows))


def steps() -> str:
    """Return the steps of a run in their order, with the key that each leaves in the state."""
    rows = [[str(place), step.name, f"`{step.leaves}`"] for place, step in enumerate(all_steps.ORDER, 1)]
    return markdown(["", "step", "leaves"], rows)


def errors() -> str:
    """Return the names with which a run can fail, with what they mean."""
    kinds = classes("errors")
    rows = [[f"`{name}`", _text(node)] for name, node in kinds.items() if name in error_names.NAMES]
    return markdown(["error", "meaning"], rows)


def metrics() -> str:
    """Return the metrics that the functions write."""
    rows = [[f"`{each.name}`", each.unit, each.meaning] for each in all_metrics.ALL]
    return markdown(["metric", "unit", "what it tells"], rows)


def classes(module: str) -> dict[str, ast.ClassDef]:
    """Return the public classes of a module of `contract/`, by name, in their order."""
    nodes = _parsed(module).body
    return {n.name: n for n in nodes if isinstance(n, ast.ClassDef) and not n.name.startswith("_")}


def _class(module: str, node: ast.ClassDef) -> str:
    column = "column" if "NamedTuple" in map(ast.unparse, node.bases) else "key"
    aliases = _aliases(module)
    rows = [
        [f"`{field}`", _type(kind, aliases), _meaning(kind, text)]
        for field, kind, text in _fields(module, node)
    ]
    columns = [column, "type", "meaning"]
    if not any(meaning for *_, meaning in rows):
        columns, rows = columns[:2], [row[:2] for row in rows]
    return f"**`{node.name}`**: {_text(node)}\n\n{markdown(columns, rows)}"


def _listed(node: ast.ClassDef) -> str:
    """Return the keys of a class in one cell, each with its meaning if it has one."""
    return "<br>".join(f"`{field}`{': ' + text if text else ''}" for field, _, text in _fields("state", node))


def _parsed(module: str) -> ast.Module:
    return ast.parse((_CONTRACT / f"{module}.py").read_text(encoding="utf-8"))


def _fields(module: str, node: ast.ClassDef) -> Iterator[tuple[str, ast.expr, str]]:
    """Yield name, annotation and description of each field, those of a base class first."""
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in (known := classes(module)):
            yield from _fields(module, known[base.id])
    for place, line in enumerate(node.body):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            yield line.target.id, line.annotation, _string(node.body[place + 1 : place + 2])


def _string(lines: list[ast.stmt]) -> str:
    """Return the string that a statement is, if it is one: the docstring of the field above it."""
    match lines:
        case [ast.Expr(ast.Constant(str(text)))]:
            return " ".join(text.split())
    return ""


def _type(annotation: ast.expr, aliases: Mapping[str, str]) -> str:
    """Return an annotation as a reader of JSON knows it: `str or null`, `list of str`."""
    text = re.sub(r"^NotRequired\[(.*)\]$", r"\1", ast.unparse(annotation)).replace("'", "")
    text = aliases.get(text, text)
    text = re.sub(r"Literal\[([^\]]*)\]", lambda match: match[1].replace(", ", " or "), text)
    text = re.sub(r"\b(?:dict|Mapping)\[str, object\]", "object", text)
    while (inner := re.sub(r"\bdict\[str, (.+)\]", r"object of \1", text)) != text:
        text = inner
    text = re.sub(r"\b(?:list|tuple)\[([\w ,|]+?)(?:, \.\.\.)?\]", r"list of \1", text)
    return text.replace(" | None", " or null").replace(" | ", " or ")


def _aliases(module: str) -> dict[str, str]:
    """Return the annotations to which a module gives a name, such as `Action`."""
    return {
        line.targets[0].id: ast.unparse(line.value).replace("'", "")
        for line in _parsed(module).body
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
        if ast.unparse(line.value).startswith("Literal[")
    }


def _meaning(annotation: ast.expr, text: str) -> str:
    text = re.sub(r"\bNone\b", "null", text)
    return f"May be absent. {text}".strip() if ast.unparse(annotation).startswith("NotRequired[") else text


def _text(node: ast.ClassDef | ast.FunctionDef) -> str:
    """Return a docstring, each paragraph as one line."""
    paragraphs = (ast.get_docstring(node) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _of(node: ast.FunctionDef) -> str:
    """Return the first paragraph of a docstring, without what all of them begin with."""
    text = re.sub(r"^Return the (key of|folder of|folder in) ", "", _text(node).split("\n\n")[0])
    return text[0].upper() + text[1:]
