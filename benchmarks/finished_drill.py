"""What ``recsysops drill run`` left in its folder, of one seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsysops.drills.fault import Fault
from recsysops.drills.scorecard.clean_run import CleanRun, read_clean_run
from recsysops.drills.scorecard.plan import ONCE
from recsysops.drills.scorecard.results import TrialResult
from recsysops.drills.scorecard.seed_folder import SeedFolder
from recsysops.drills.scorecard.stored_statistics import LogStatistics, read_statistics
from recsysops.drills.scorecard.stored_trials import read_trial
from recsysops.errors import StateError


@dataclass(frozen=True)
class FinishedDrill:
    """The clean run of a seed, and what the checks and the baselines made of its faults."""

    root: Path
    folder: SeedFolder
    run: CleanRun
    statistics: LogStatistics
    trials: tuple[TrialResult, ...]
    """Of this seed, the newest last."""

    @classmethod
    def read(cls, root: Path, seed: int) -> FinishedDrill:
        """What is there.

        Raises:
            StateError: if the clean run of the seed has not ended.
        """
        folders = [SeedFolder(path) for path in sorted(root.glob(f"seed-{seed}-*"))]
        runs = [(one, run) for one in folders if (run := read_clean_run(one.clean_run)) is not None]
        if not runs:
            raise StateError(
                str(root),
                found=f"no finished clean run of seed {seed}",
                expected="the folder of a drill",
                next_step="recsysops drill run --folder DIR",
            )
        folder, run = max(runs, key=lambda one: one[0].clean_run.stat().st_mtime)
        paths = sorted((root / "trials").glob("*.json"), key=lambda path: path.stat().st_mtime)
        trials = tuple(one for path in paths if (one := read_trial(path)) is not None and one.seed == seed)
        return cls(root, folder, run, read_statistics(folder.statistics), trials)

    def trial(self, kind: type[Fault], multiple: float) -> TrialResult | None:
        """What the drill made of a fault of one size; what is there or not was planted once."""
        wanted = multiple if kind.meta.is_graded else ONCE
        known = [one for one in self.trials if one.fault == kind.meta.name and one.multiple == wanted]
        return known[-1] if known else None
