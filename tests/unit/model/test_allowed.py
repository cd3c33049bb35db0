"""What a key of the configuration may be, in words."""

import pytest

from model.allowed import Rule, allowed

WIDTH = {"type": "integer", "minimum": 1, "maximum": 8}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"type": "boolean"}, "true or false"),
        ({"type": "integer", "minimum": 2, "maximum": 10_000}, "a whole number from 2 to 10,000"),
        ({"type": "integer", "minimum": 1}, "a whole number of at least 1"),
        ({"type": "number", "exclusiveMinimum": 0}, "a number above 0"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}, "a number above 0 and at most 0.5"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "a number of at least 0 and below 1"),
        ({"type": "string", "maxLength": 1_000}, "text of at most 1,000 characters"),
        ({"type": "string", "minLength": 1, "maxLength": 300}, "text of 1 to 300 characters"),
        ({"type": "string", "pattern": "^a$"}, "text that matches ^a$"),
        ({"type": "string", "enum": ["a", "b"]}, 'one of "a", "b"'),
        (
            {"type": "array", "minItems": 1, "maxItems": 8, "items": WIDTH},
            "a list of 1 to 8 values (each a whole number from 1 to 8)",
        ),
        (
            {"type": "array", "minItems": 2, "maxItems": 2, "items": WIDTH},
            "a list of 2 values (each a whole number from 1 to 8)",
        ),
        ({"anyOf": [WIDTH, {"type": "null"}]}, "a whole number from 1 to 8, or null"),
        ({"anyOf": [{"const": "auto"}, WIDTH]}, '"auto", or a whole number from 1 to 8'),
        ({"anyOf": [{"const": "auto"}, {"enum": ["a", "b"]}]}, 'one of "auto", "a", "b"'),
        ({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}, 'one of "a", "b", or null'),
    ],
)
def test_what_a_rule_allows_is_said_in_words(rule: Rule, words: str) -> None:
    assert allowed(rule) == words
