"""The types of evaluation.json say what its schema says."""

import ast
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from contract import evaluation

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "config" / "evaluation.schema.json").read_text(encoding="utf-8"))
PROPERTIES, DEFINED = SCHEMA["properties"], SCHEMA["$defs"]
OBJECTS: dict[str, Any] = {
    "Evaluation": SCHEMA,
    "Data": PROPERTIES["data"],
    "Measured": PROPERTIES["measured"],
    "Suspects": PROPERTIES["suspects"],
    "Suspect": PROPERTIES["suspects"]["properties"]["shown"]["items"],
    "LabelFigures": PROPERTIES["per_class"]["items"],
    "LevelFigures": PROPERTIES["levels"]["items"],
    "Confusion": PROPERTIES["confusion"]["items"],
    "LeftOut": PROPERTIES["confusion_left_out"],
    "Calibration": PROPERTIES["calibration"],
    "Bin": PROPERTIES["calibration"]["properties"]["bins"]["items"],
    "Acceptance": PROPERTIES["acceptance"],
    "WatchedGroup": PROPERTIES["acceptance"]["properties"]["watched"]["items"],
    "Target": PROPERTIES["acceptance"]["properties"]["targets"]["items"],
    "Check": DEFINED["check"],
    "Inseparable": PROPERTIES["inseparable"]["items"],
    "CoveragePoint": PROPERTIES["coverage"]["items"],
    "Champion": DEFINED["champion"],
    "Lost": DEFINED["champion"]["properties"]["lost"],
    "ShownRow": DEFINED["row"],
    "Phrase": PROPERTIES["phrases"]["additionalProperties"]["items"],
    "Training": PROPERTIES["training"],
    "Part": DEFINED["part"],
    "NgramSettings": DEFINED["ngram_settings"],
    "SentenceSettings": DEFINED["sentence_settings"],
    "NetworkSettings": DEFINED["network_settings"],
    "HistoryEntry": DEFINED["validation"],
    "StudioFigure": DEFINED["studio_figure"],
    "StudioMetrics": PROPERTIES["multiclass_classification_metrics"],
}
CONDITIONS = {"if", "then", "else"}
CLASSES = {
    node.name: node
    for node in ast.parse(inspect.getsource(evaluation)).body
    if isinstance(node, ast.ClassDef)
}


def described(node: ast.ClassDef) -> dict[str, str]:
    """Return the string below each field, on one line."""
    pairs = zip(node.body, node.body[1:], strict=False)
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in pairs
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def test_every_object_of_the_schema_has_a_type() -> None:
    nested = [node for node in _objects(SCHEMA) if "properties" in node]
    assert all(any(node == known for known in OBJECTS.values()) for node in nested)
    assert set(CLASSES) == {*OBJECTS, "Notes", "Source", "Card"}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_type_and_the_schema_have_the_same_keys(name: str) -> None:
    typed = getattr(evaluation, name)
    assert set(typed.__annotations__) == set(OBJECTS[name]["properties"])
    assert typed.__required_keys__ == set(OBJECTS[name]["required"])


@pytest.mark.parametrize("name", OBJECTS)
def test_a_type_and_the_schema_say_the_same_of_a_key(name: str) -> None:
    said = {
        key: text.replace("null", "None")
        for key, value in OBJECTS[name]["properties"].items()
        if key.isidentifier() and (text := value.get("description"))
    }
    assert described(CLASSES[name]).items() >= said.items()


@pytest.mark.parametrize(
    ("asked", "step"), [(0.5, 0.9), (0.9, 0.9), (0.93, 0.95), (0.95, 0.95), (0.951, None)]
)
def test_a_target_takes_the_step_of_the_lowest_one_that_is_not_below_it(
    asked: float, step: float | None
) -> None:
    steps = [{"target_precision": target} for target in (0.9, 0.95)]
    found = evaluation.at_target({"targets": steps}, asked)  # type: ignore[typeddict-item]
    assert (found["target_precision"] if found else None) == step


def test_an_evaluation_of_an_older_image_has_no_steps() -> None:
    assert evaluation.at_target({}, 0.9) is None  # type: ignore[typeddict-item]


def _objects(node: Any) -> list[dict[str, Any]]:
    """Return the node and what lies below it, as far as they are objects, but for conditions."""
    if isinstance(node, list):
        return [each for below in node for each in _objects(below)]
    if not isinstance(node, dict):
        return []
    return [node] + [each for key, below in node.items() if key not in CONDITIONS for each in _objects(below)]
