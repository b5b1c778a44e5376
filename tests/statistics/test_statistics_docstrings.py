"""Every example in the package runs, every public name is documented in the agreed form, and importing is cheap."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import recsysops.statistics as package

MODULES = [import_module(f"recsysops.statistics.{name}") for name in package.__all__]


def _public_functions(module: ModuleType) -> list[object]:
    return [
        member
        for name, member in vars(module).items()
        if inspect.isfunction(member) and member.__module__ == module.__name__ and not name.startswith("_")
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_examples_run(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_public_functions_are_documented(module: ModuleType) -> None:
    for function in _public_functions(module):
        assert ">>>" in (inspect.getdoc(function) or ""), function


def test_every_module_is_listed_and_loads_on_demand() -> None:
    for name in package.__all__:
        assert package.__getattr__(name) is import_module(f"recsysops.statistics.{name}")
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        package.__getattr__("absent")


def test_package_import_loads_no_numeric_library() -> None:
    code = "import sys, recsysops.statistics; print(sorted({'numpy', 'scipy'} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"
