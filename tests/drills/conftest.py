"""Shared by the tests of the drills: one tiny world for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_world import TinyWorld


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> TinyWorld:
    """A small service that has run warm-up and three days of its log."""
    return TinyWorld.begin(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def log(tiny_world: TinyWorld) -> Path:
    """The folder of that service after ten days of its log without a fault; two models came into service meanwhile."""
    return tiny_world.clean(7).folder
