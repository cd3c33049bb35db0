"""The template as CloudFormation takes it for one choice of parameters: every condition is decided."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from docs.policies import template

Data = dict[str, Any]
Values = Mapping[str, Any]
Node = Any  # a value of the template: text, number, list or mapping

_NO_VALUE = {"Ref": "AWS::NoValue"}
_REGION = "us-east-1"


def chosen(**given: object) -> Data:
    """Return the value of every parameter, given or default. Raises KeyError for what is no parameter."""
    rules = template()["Parameters"]
    for name in given:
        rules[name]
    values = {name: given.get(name, rule["Default"]) for name, rule in rules.items()}
    lists = [name for name, rule in rules.items() if rule["Type"] == "CommaDelimitedList"]
    return {"AWS::Region": _REGION} | values | {name: str(values[name]).split(",") for name in lists}


def refused(values: Values) -> list[str]:
    """Return the sentences with which the template's rules refuse a choice; none for one that they allow."""
    return [
        assertion["AssertDescription"]
        for rule in template()["Rules"].values()
        if value(rule.get("RuleCondition", True), values)
        for assertion in rule["Assertions"]
        if not value(assertion["Assert"], values)
    ]


def resources(values: Values) -> dict[str, Data]:
    """Return the resources that a stack has, by their names in the template."""
    return {
        name: value(each, values)
        for name, each in template()["Resources"].items()
        if "Condition" not in each or holds(each["Condition"], values)
    }


def outputs(values: Values) -> dict[str, Data]:
    """Return the outputs that a stack has."""
    return {
        name: value(each, values)
        for name, each in template()["Outputs"].items()
        if "Condition" not in each or holds(each["Condition"], values)
    }


def holds(condition: str, values: Values) -> bool:
    """Return whether a condition of the template holds."""
    return bool(value(template()["Conditions"][condition], values))


def value(node: Node, values: Values) -> Node:
    """Return what CloudFormation makes of a value; what names resources stays as it is."""
    if isinstance(node, list):
        return [made for each in node if (made := value(each, values)) != _NO_VALUE]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((function, given),) = node.items()
        if function in _FUNCTIONS:
            return _FUNCTIONS[function](given, values)
    return {key: made for key, each in node.items() if (made := value(each, values)) != _NO_VALUE}


def names(node: Node) -> Iterator[str]:
    """Yield the names that a value refers to, those of resources, of parameters and AWS's own."""
    if isinstance(node, list):
        for each in node:
            yield from names(each)
    elif isinstance(node, dict):
        for key, each in node.items():
            match key, each:
                case "Ref", str():
                    yield each
                case "Fn::GetAtt", [str() as name, *_]:
                    yield name
                case "Fn::Sub", str():
                    yield from _in_text(each)
                case "DependsOn", _:
                    yield from each if isinstance(each, list) else [each]
                case _:
                    yield from names(each)


def _in_text(text: str) -> Iterator[str]:
    for part in text.split("${")[1:]:
        name = part.partition("}")[0]
        if not name.startswith("!"):
            yield name.partition(".")[0]


def _if(given: list[Any], values: Values) -> Node:
    condition, then, otherwise = given
    return value(then if holds(condition, values) else otherwise, values)


def _ref(given: str, values: Values) -> Node:
    return values.get(given, {"Ref": given})


def _select(given: list[Any], values: Values) -> Node:
    number, of = (value(each, values) for each in given)
    return of[int(number)] if isinstance(of, list) else {"Fn::Select": [number, of]}


def _join(given: list[Any], values: Values) -> Node:
    parts = value(given[1], values)
    known = isinstance(parts, list) and all(isinstance(each, str) for each in parts)
    return given[0].join(parts) if known else {"Fn::Join": [given[0], parts]}


def _split(given: list[Any], values: Values) -> Node:
    text = value(given[1], values)
    return text.split(given[0]) if isinstance(text, str) else {"Fn::Split": [given[0], text]}


def _equals(given: list[Any], values: Values) -> bool:
    one, other = (str(value(each, values)) for each in given)
    return one == other


_FUNCTIONS: dict[str, Callable[[Any, Values], Node]] = {
    "Fn::If": _if,
    "Fn::Condition": holds,
    "Ref": _ref,
    "Fn::Select": _select,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Equals": _equals,
    "Fn::Not": lambda given, values: not value(given[0], values),
    "Fn::And": lambda given, values: all(value(each, values) for each in given),
    "Fn::Or": lambda given, values: any(value(each, values) for each in given),
    "Fn::Contains": lambda given, values: value(given[1], values) in value(given[0], values),
    "Fn::EachMemberIn": lambda given, values: set(value(given[0], values)) <= set(value(given[1], values)),
}
