"""What a drill on the simulated service is run with: a world to begin and resume, and somebody who measures its site."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from recsysops.drills.fault import Planted
from recsysops.drills.site import Site

SiteOf = Callable[..., Site]
"""``site_of(workspace, is_simulated=True)``."""


class RunningService(Protocol):
    """A service that writes its logs into a workspace, a day at a time."""

    @property
    def next_day(self) -> date:
        """The day that ``run_day`` will simulate."""
        ...

    @property
    def benign(self) -> Sequence[Planted]:
        """True events of the world that are no faults."""
        ...

    def run_day(self, planted: Sequence[Planted] = ()) -> date:
        """Simulate the next day with the faults planted, and write its files; the day."""
        ...

    def save(self, checkpoint: Path) -> None:
        """Keep everything but the logs, to go on from here another time."""
        ...


class World(Protocol):
    """The class of the service: how one begins, and how one goes on."""

    def begin(self, folder: Path, size: Any, seed: int) -> RunningService:
        """A new service; the folder becomes its workspace."""
        ...

    def resume(self, checkpoint: Path, folder: Path) -> RunningService:
        """A saved service, going on in a folder that has its logs until then."""
        ...


@dataclass(frozen=True)
class Rig:
    """Both are sent to worker processes by name, so they must be found by importing their modules."""

    world: World
    site_of: SiteOf

    @classmethod
    def built_in(cls) -> Rig:
        """The simulated video service."""
        from recsysops.drills.sites.site_of import site_of
        from recsysops.drills.world.service import Service

        return cls(Service, site_of)
