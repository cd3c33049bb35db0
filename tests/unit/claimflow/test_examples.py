"""The examples in the docstrings of the Python API are true, as a person would type them."""

import doctest
import importlib
from pathlib import Path

import pandas as pd
import pytest

import claimflow


@pytest.mark.parametrize("name", ["model", "evaluation", "loading", "comparison"])
def test_every_example_of_a_module_is_true(
    name: str,
    archive: Path,
    model: claimflow.Model,
    sample: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(archive.parent)
    claims = sample.head(100)
    given = {"model": model, "claims": claims, "result": model.evaluate(claims), "load": claimflow.load}
    given["claimflow"] = claimflow
    outcome = doctest.testmod(importlib.import_module(f"claimflow.{name}"), extraglobs=given)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_what_can_be_imported_is_what_is_documented() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "python.md").read_text(encoding="utf-8")
    public = [
        name
        for name in dir(claimflow.Model)
        if not name.startswith("_") and callable(getattr(claimflow.Model, name))
    ]
    assert set(public) == {"predict", "predict_proba", "explain", "evaluate"}
    assert [name for name in [*public, *claimflow.__all__] if name not in page] == []
