"""Which framework made a model."""

from importlib import metadata

import mxnet
import pytest

from model.framework import framework


def test_the_framework_names_its_version() -> None:
    assert framework() == f"mxnet {mxnet.__version__}"


def test_the_build_for_gpus_has_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"mxnet-cu112": "1.9.1"}

    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(metadata, "version", version)
    assert framework() == "mxnet 1.9.1"
    installed.clear()
    assert framework() == "none"
