"""What a worker process does: the clean run of a seed, or one trial. Errors come back as words, never as exceptions."""

from __future__ import annotations

import os
import shutil
import traceback
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from recsysops.drills.fault import Fault
from recsysops.drills.scorecard.clean_run import CleanRun, read_clean_run
from recsysops.drills.scorecard.digest import digest, source_digest
from recsysops.drills.scorecard.placing import onset_of
from recsysops.drills.scorecard.prepare import Preparation, prepare
from recsysops.drills.scorecard.results import TrialResult
from recsysops.drills.scorecard.rig import Rig
from recsysops.drills.scorecard.seed_folder import SeedFolder
from recsysops.drills.scorecard.stored_statistics import read_statistics
from recsysops.drills.scorecard.stored_trials import read_trial, write_trial
from recsysops.drills.scorecard.trial import Ground, run_trial
from recsysops.errors import RecSysOpsError


@dataclass(frozen=True)
class SeedWork:
    """The clean run of one seed."""

    wanted: Preparation
    rig: Rig
    folder: SeedFolder

    @property
    def what(self) -> str:
        """For messages."""
        return f"seed {self.wanted.seed}"

    def finished(self) -> CleanRun | None:
        """The clean run, if it has ended and is what is wanted."""
        known = read_clean_run(self.folder.clean_run)
        return known if known is not None and known.made_by == self.wanted.made_by else None

    def __call__(self) -> None:
        prepare(self.wanted, self.rig.world, self.folder)


@dataclass(frozen=True)
class TrialWork:
    """One fault of one size on one seed."""

    fault: type[Fault]
    multiple: float
    smaller: tuple[float, ...]
    """The multiples below it in the same drill: where no severity beyond one makes sense, theirs may be the same trial."""
    seed: SeedWork
    folder: Path
    """Of the whole drill."""

    @property
    def what(self) -> str:
        """For messages."""
        return f"{self.fault.meta.name} at {self.multiple:g} × its unit, {self.seed.what}"

    @property
    def path(self) -> Path:
        """Where the finished trial is kept."""
        return self._path(self.multiple)

    def _path(self, multiple: float) -> Path:
        name = self.fault.meta.name
        decided = digest(self.seed.wanted.made_by, source_digest(self.fault), name, multiple, self.seed.wanted.seed)
        return self.folder / "trials" / f"{decided}.json"

    def finished(self) -> TrialResult | None:
        """The result, if an earlier run got that far."""
        return read_trial(self.path)

    def __call__(self) -> None:
        if self.finished() is not None:
            return
        scratch = self.folder / "forks" / str(os.getpid())  # always the same: what was read of a profile stays known
        try:
            write_trial(self._same_as_smaller() or self._run(scratch), self.path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _same_as_smaller(self) -> TrialResult | None:
        """A finished trial of a smaller multiple that came to the same severity."""
        for multiple in reversed(self.smaller):
            other = read_trial(self._path(multiple))
            if other is not None and not other.cannot and other.severity == self._severity(other):
                return replace(other, multiple=self.multiple, seconds=0.0)
        return None

    def _severity(self, other: TrialResult) -> float:
        meta = self.fault.meta
        return min(self.multiple * max(meta.target, other.visible), meta.most)

    def _run(self, scratch: Path) -> TrialResult:
        prepared = prepare(self.seed.wanted, self.seed.rig.world, self.seed.folder)
        onset = onset_of(self.fault, prepared.seed, prepared.onsets)
        return run_trial(self.fault, self.multiple, _ground(self.seed, onset), self.seed.rig, scratch)


Work = SeedWork | TrialWork


@lru_cache(maxsize=16)
def _ground(seed: SeedWork, onset: date) -> Ground:
    """What the trials of one onset share, found once per process."""
    folder = seed.folder
    return Ground(
        prepare(seed.wanted, seed.rig.world, folder),
        folder,
        read_statistics(folder.statistics),
        seed.rig.site_of(folder.forked(onset), is_simulated=True),
    )


def do(work: Work) -> str:
    """Do it; "" when it is done, else what went wrong in one line.

    Exceptions stay here: not all of them survive the way to another process, and one of them must not end the others.
    """
    try:
        work()
    except RecSysOpsError as error:
        return f"{work.what}: {error}"
    except Exception as error:  # a fault of somebody else may fail in any way
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{work.what}: {type(error).__name__}: {error} ({Path(where.filename).name} line {where.lineno})"
    return ""
