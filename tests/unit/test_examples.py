"""The examples in docstrings are true."""

import doctest
import importlib

import pytest

WITH_EXAMPLES = [
    "contract.binomial",
    "contract.keys",
    "contract.text",
    "model.calibration",
    "model.precision_test",
    "model.review",
    "model.tokenizer",
    "contract.plain",
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_every_example_of_a_module_is_true(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0
