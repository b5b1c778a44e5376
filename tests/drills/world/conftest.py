"""Shared by the tests of the service: ten days of its log, with the benign events of those days or without."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_world import TinyWorld


@pytest.fixture(scope="session")
def log(tiny_world: TinyWorld) -> Path:
    """The folder of a clean service that has written ten days; two models came into service meanwhile."""
    return tiny_world.clean(7).folder
