"""Where the clean run of one seed lies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class SeedFolder:
    """``workspace/`` lives until the end of the clean run; below ``onsets/`` it is kept as it was at each onset."""

    root: Path

    @property
    def workspace(self) -> Path:
        """The clean run's own workspace."""
        return self.root / "workspace"

    @property
    def clean_run(self) -> Path:
        """What was told on clean days; there once the clean run has ended."""
        return self.root / "clean_run.json"

    @property
    def statistics(self) -> Path:
        """Daily statistics of the clean run, for the baselines."""
        return self.root / "statistics.json"

    @property
    def n_done(self) -> Path:
        """Tells how many days have been simulated so far."""
        return self.root / "n_done"

    def forked(self, onset: date) -> Path:
        """The workspace as it was before the onset."""
        return self.root / "onsets" / onset.isoformat() / "workspace"

    def checkpoint(self, onset: date) -> Path:
        """The service as it was before the onset."""
        return self.root / "onsets" / onset.isoformat() / "service"

    def days_done(self) -> int:
        """How many days have been simulated so far; 0 while that is not known."""
        try:
            return int(self.n_done.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0
