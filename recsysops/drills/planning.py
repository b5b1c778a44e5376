"""From the words of a command to a drill: which faults, how badly, how often, and where its files may go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.errors import ConfigError
from recsysops.registry import plugin, plugins

if TYPE_CHECKING:
    from recsysops.drills.fault import Fault
    from recsysops.drills.scorecard.plan import DrillPlan

MARKER = ".recsysops-drill"
CLEAN_DAYS_PER_SEED = 60
QUICK_MULTIPLES = (4.0,)
QUICK_SEEDS = 1
SEEDS = 3


@dataclass(frozen=True)
class Request:
    """What was asked for; what was not said has the usual values of a full or of a quick drill."""

    faults: tuple[str, ...] = ()
    """Names; empty for all."""
    multiples: tuple[float, ...] = ()
    """Severities as multiples of each fault's unit."""
    n_seeds: int | None = None
    is_quick: bool = False
    jobs: int = 2

    def checked(self) -> Request:
        """The same, once its numbers and names are known to make a drill.

        Raises:
            ConfigError: for numbers that make no drill.
            PluginError: for a fault that is not installed; the nearest is named.
        """
        if self.n_seeds is not None and self.n_seeds < 1:
            raise ConfigError("--seeds", found=str(self.n_seeds), expected="at least 1")
        if self.jobs < 1:
            raise ConfigError("--jobs", found=str(self.jobs), expected="at least 1")
        for multiple in self.multiples:
            if not 0 < multiple < float("inf"):
                raise ConfigError("--severity", found=f"{multiple:g}", expected="a multiple above 0, like 4")
        for name in self.faults:
            plugin("faults", name)
        return self

    @property
    def seeds(self) -> tuple[int, ...]:
        """Numbers of the worlds to simulate."""
        return tuple(range(self.n_seeds or (QUICK_SEEDS if self.is_quick else SEEDS)))

    def severities(self) -> tuple[float, ...]:
        """The multiples asked for, or the usual ones; smallest first."""
        from recsysops.drills.scorecard.plan import MULTIPLES

        return tuple(sorted(set(self.multiples))) or (QUICK_MULTIPLES if self.is_quick else MULTIPLES)

    def kinds(self) -> tuple[type[Fault], ...]:
        """The faults' classes, in the order of the shelf.

        Raises:
            ConfigError: if no fault is installed.
            PluginError: if one cannot be imported.
        """
        chosen = [entry for entry in plugins("faults") if not self.faults or entry.name in self.faults]
        if not chosen:
            raise ConfigError("faults", found="none installed", expected="at least one to plant")
        return tuple(entry.load() for entry in chosen)

    def plan(self) -> DrillPlan:
        """The drill on the simulated service."""
        from recsysops.drills.scorecard.plan import DrillPlan
        from recsysops.drills.scorecard.prepare import BURN_IN_DAYS
        from recsysops.drills.world.size import WorldSize

        size = WorldSize.quick() if self.is_quick else WorldSize.drill()
        per_seed = max(size.n_days - BURN_IN_DAYS, 1) if self.is_quick else CLEAN_DAYS_PER_SEED
        return DrillPlan(
            self.kinds(), size, self.severities(), self.seeds, self.jobs, n_clean_days=per_seed * len(self.seeds)
        )


def drill_folder(folder: Path) -> Path:
    """The folder, made and marked as a drill's own: what lies in it may be replaced and deleted by drills.

    Raises:
        ConfigError: if it is a file, or has something in it and no drill made it.
        OSError: if it cannot be made.
    """
    marker = folder / MARKER
    if marker.exists():
        return folder
    if folder.exists() and not folder.is_dir():
        raise ConfigError("--folder", found=f"{folder}, a file", expected="a folder", next_step="name another")
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(
            "--folder",
            found=f"{folder}, not empty and not made by a drill",
            expected="a new or an empty folder, or one of an earlier drill",
            next_step="name another",
        )
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text("Made by `recsysops drill run`, which goes on from here. It may be deleted.\n", encoding="utf-8")
    return folder
