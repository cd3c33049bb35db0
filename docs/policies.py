"""The policies of template.yaml, decided as IAM decides: what nothing allows is denied.

The rules are those of AWS's "Policy evaluation logic" for one account, with what the template uses of them:
allowing statements of a role, wildcards in resources, and the conditions below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]

Data = dict[str, Any]


class _CloudFormation(yaml.SafeLoader):
    """Reads `!Ref x` as {"Ref": "x"} and `!Sub x` as {"Fn::Sub": "x"}."""


def _function(loader: _CloudFormation, tag: str, node: yaml.Node) -> Data:
    name = "Ref" if tag == "Ref" else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - there is no other kind
    return {name: loader.construct_mapping(node, deep=True)}


_CloudFormation.add_multi_constructor("!", _function)


@cache
def template() -> Data:
    """Return the template, its functions in their long form."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=_CloudFormation))  # noqa: S506 - safe with functions of CloudFormation


@dataclass(frozen=True)
class Request:
    """An action on one resource (`*` where it knows none), with the condition keys that it comes with."""

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Grant:
    """One action on one pattern of resources, as a statement of a role allows it."""

    action: str
    pattern: str
    """As the template writes it, with the names of its resources: `${UploadsBucket.Arn}/*`."""
    conditions: tuple[tuple[str, str, str], ...] = ()
    """Operator, key and value, all of which must hold."""

    def allows(self, request: Request, values: Mapping[str, str]) -> bool:
        """Return whether it allows a request; `values` has the values of the template's names."""
        return (
            request.action == self.action
            and like(request.resource, substituted(self.pattern, values))
            and all(
                key in request.context
                and _OPERATORS[operator](request.context[key], substituted(value, values))
                for operator, key, value in self.conditions
            )
        )


def like(text: str, pattern: str) -> bool:
    """Return whether a text matches a pattern, in which `*` is any text and `?` any sign."""
    parts = ({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def substituted(text: str, values: Mapping[str, str]) -> str:
    """Return a text with `${Name}` replaced by its value."""
    return re.sub(r"\$\{([^}]+)\}", lambda found: values[found[1]], text)


_OPERATORS: dict[str, Callable[[str, str], bool]] = {"StringEquals": str.__eq__, "StringLike": like}


def grants(role: str) -> tuple[Grant, ...]:
    """Return what a role of the template may do, by its own policies and by those attached to it."""
    resources = template()["Resources"]
    documents = [in_some_stack(each)["PolicyDocument"] for each in resources[role]["Properties"]["Policies"]]
    documents += [
        each["Properties"]["PolicyDocument"]
        for each in resources.values()
        if each["Type"] == "AWS::IAM::Policy" and {"Ref": role} in each["Properties"]["Roles"]
    ]
    return tuple(
        grant
        for document in documents
        for each in document["Statement"]
        for grant in _grants(in_some_stack(each))
    )


def in_some_stack(value: Data) -> Data:
    """Return what stands behind a condition, where its other side is nothing; anything else as it is."""
    match value:
        case {"Fn::If": [_, dict() as given, {"Ref": "AWS::NoValue"}]}:
            return given
    return value


def _grants(statement: Data) -> Iterator[Grant]:
    if statement["Effect"] == "Deny" and "lambda:SourceFunctionArn" in str(statement["Condition"]):
        return  # it takes from the code of a function what only Lambda itself uses
    if statement["Effect"] != "Allow":
        raise NotImplementedError("a statement of a role that denies: say here what it does")
    conditions = tuple(
        (operator, key, _text(value))
        for operator, block in statement.get("Condition", {}).items()
        for key, value in block.items()
    )
    for action in as_list(statement["Action"]):
        for resource in as_list(statement["Resource"]):
            yield Grant(action, _text(resource), conditions)


def as_list(value: object) -> list[Any]:
    """Return a list as it is, and anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def _text(value: str | Data) -> str:
    """Return a value of the template as text with `${…}` for what CloudFormation puts in."""
    if isinstance(value, str):
        return value
    if "Fn::If" in value:
        return _text(value["Fn::If"][-1])  # one of several things of which each stack has one
    if "Ref" in value:
        return f"${{{value['Ref']}}}"
    if "Fn::GetAtt" in value:
        return f"${{{'.'.join(value['Fn::GetAtt'])}}}"
    return str(value["Fn::Sub"])
