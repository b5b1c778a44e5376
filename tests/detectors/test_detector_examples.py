"""The examples in the docstrings of detectors and gates run as written."""

from __future__ import annotations

import doctest
from importlib import import_module
from types import ModuleType

import pytest

from recsysops import registry

MODULES = [
    import_module(name)
    for name in (
        *(plugin.target.partition(":")[0] for plugin in registry.plugins("detectors") if plugin.origin == "recsysops"),
        *(f"recsysops.triage.{name}" for name in ("evidence", "exposure_gate", "moderated")),
    )
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_examples(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
