"""The state machine as a Mermaid flowchart, which GitHub draws."""

from typing import Any

from contract.steps import EXPLAIN

Asl = dict[str, Any]

_SHAPES = {
    "Choice": "{{{{{}}}}}",
    "Pass": "([{}])",
    "Wait": "([{}])",
    "Succeed": "((({})))",
    "Fail": "((({})))",
    "Task": "[{}]",
    "Map": "[{}]",
}
_STYLES = """\
    classDef lambda fill:#fff3e0,stroke:#e65100,color:#000
    classDef job fill:#e3f2fd,stroke:#0d47a1,color:#000
    classDef good fill:#e8f5e9,stroke:#1b5e20,color:#000
    classDef bad fill:#ffebee,stroke:#b71c1c,color:#000
"""


def draw(asl: Asl) -> str:
    """Return a Markdown page with the drawing; the errors of all steps are drawn as one arrow."""
    states: dict[str, Asl] = asl["States"]
    ids = {name: f"s{number}" for number, name in enumerate(states)}
    nodes = [f"    {ids[name]}{_shape(name, state)}{_class(state)}" for name, state in states.items()]
    edges = [
        f"    {ids[name]} -->{label} {ids[target]}"
        for name, state in states.items()
        for target, label in _ways(state)
    ]
    failing = [f"    anything[any error of a step] -.-> {ids[EXPLAIN.name]}"]
    chart = "\n".join(["flowchart TD", *nodes, *edges, *failing, _STYLES.rstrip()])
    intro = "Drawn by `make generate` from `workflow/definition.py`; do not edit."
    legend = "Orange: Lambda. Blue: SageMaker or Batch job. Green and red: the ends."
    return f"# The state machine\n\n{intro}\n{legend}\n\n```mermaid\n{chart}\n```\n"


def _shape(name: str, state: Asl) -> str:
    return _SHAPES[state["Type"]].format(f'"{name}"')


def _class(state: Asl) -> str:
    if state.get("Resource", "").endswith(".waitForTaskToken"):  # raises the end of a run
        return ":::bad"
    if state["Type"] == "Task":
        resource = state["Resource"]
        return ":::job" if resource.endswith(".sync") else "" if ":sns:" in resource else ":::lambda"
    return {"Succeed": ":::good", "Fail": ":::bad", "Map": ":::lambda"}.get(state["Type"], "")


def _ways(state: Asl) -> list[tuple[str, str]]:
    """Return each state that may follow, with the label of the arrow."""
    ways = [(choice["Next"], f"|{choice.get('StringEquals', 'yes')}|") for choice in state.get("Choices", [])]
    if "Default" in state:
        ways.append((state["Default"], "|no|"))
    if "Next" in state:
        ways.append((state["Next"], ""))
    caught = [catch["Next"] for catch in state.get("Catch", [])]
    return ways + [(name, "|if that fails|") for name in caught if name not in (EXPLAIN.name, state["Next"])]
