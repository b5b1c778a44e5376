"""One trial on own logs: the same as on the simulated service, on a day of the past played again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from recsysops.drills.fault import OWN_SEAMS, SEAMS, CannotPlantError, Fault, Truth
from recsysops.drills.own_logs.own_logs import OwnLogs
from recsysops.drills.own_logs.replay import Replay
from recsysops.drills.scorecard.clean_run import CleanRun
from recsysops.drills.scorecard.placing import onset_of, place
from recsysops.drills.scorecard.prepare import Preparation, prepare
from recsysops.drills.scorecard.results import Found, TrialResult
from recsysops.drills.scorecard.rig import Rig
from recsysops.drills.scorecard.stored_statistics import read_statistics
from recsysops.drills.scorecard.trial import Ground, run_trial
from recsysops.drills.scorecard.work import SeedWork, TrialWork
from recsysops.drills.sites.site_of import site_of

RIG = Rig(Replay, site_of)
BEHIND = 7
"""Days before the first onset, and before the first day whose alarms count; half of a log that has not twice as many."""
N_ONSETS = 4
_STRONGEST = 1e6
"""Multiple beyond which no severity makes sense: what changes nothing then is not there at all."""
_BACK = (1, 2, 3, 4, 7, 14, 21, 28)
"""How far back from the end copies are kept: near it for faults that show at once, farther for those that take weeks."""


def preparation(logs: OwnLogs, made_by: str) -> Preparation:
    """The clean run over a copy: every day, and an onset on each of its last days that has enough before it."""
    n_days = len(logs.days)
    burn_in = max(1, min(BEHIND, n_days // 2))
    onsets = tuple(logs.days[n_days - back] for back in sorted(_BACK, reverse=True) if n_days - back >= burn_in)
    return Preparation(logs.folder, n_days, 0, made_by, burn_in, onsets)


@dataclass(frozen=True)
class OwnTrialWork(TrialWork):
    """One fault of one size at one place in the logs; seeds differ in place and day, the clean run is the same for all."""

    def _run(self, scratch: Path) -> TrialResult:
        clean = prepare(self.seed.wanted, self.seed.rig.world, self.seed.folder)
        logs = OwnLogs(self.seed.wanted.size)
        return own_trial(
            self.fault, self.multiple, replace(clean, seed=self.seed.wanted.seed), logs, self.seed, scratch
        )


def own_trial(
    kind: type[Fault], multiple: float, run: CleanRun, logs: OwnLogs, seed: SeedWork, scratch: Path
) -> TrialResult:
    """Plant a fault in a fork of the copy and watch; a fault for which there is no place says why.

    Args:
        kind: the fault's class.
        multiple: severity as a multiple of the fault's unit.
        run: the clean run over the copy, with the number by which place and onset are drawn.
        logs: the copy.
        seed: where the clean run lies.
        scratch: a folder that does not exist; the fork is made there.
    """
    onsets = onsets_for(kind, run.onsets, logs.days[-1])
    why = why_not(kind, logs) or ("" if onsets else _too_short(kind, logs))
    if why:
        return _cannot(kind, multiple, run.seed, logs.days[-1], why)
    onset = onset_of(kind, run.seed, onsets)
    ground = _ground(replace(run, onsets=onsets), seed, onset)
    try:
        strongest = place(kind, _STRONGEST, ground.site, run.seed).planted(onset, run.seed)
    except CannotPlantError as error:
        return _cannot(kind, multiple, run.seed, onset, str(error))
    if not logs.shows(strongest, onset):
        return _cannot(kind, multiple, run.seed, onset, "changes nothing that your logs show")
    return run_trial(kind, multiple, ground, RIG, scratch)


def _cannot(kind: type[Fault], multiple: float, seed: int, onset: date, why: str) -> TrialResult:
    nothing = Truth((), ())
    return TrialResult(
        kind.meta.name, multiple, 0.0, seed, onset, nothing, Found(False), False, False, None, "", cannot=why
    )


def onsets_for(kind: type[Fault], onsets: tuple[date, ...], last: date) -> tuple[date, ...]:
    """The latest onsets after which the log goes on until the fault's deadline."""
    latest = last - timedelta(days=kind.meta.deadline_days - 1)
    return tuple(onset for onset in sorted(onsets) if onset <= latest)[-N_ONSETS:]


def why_not(kind: type[Fault], logs: OwnLogs) -> str:
    """Why the fault cannot be planted in logs like these, "" where it can be tried."""
    acts_at = [seam for seam in (*SEAMS, *OWN_SEAMS) if callable(getattr(kind, seam, None))]
    own = [seam.removeprefix("own_") for seam in acts_at if seam in OWN_SEAMS]
    if not own:
        return f"acts inside the service ({', '.join(acts_at)}), not in its logs"
    if not set(own) & set(logs.tables):
        return f"acts on {' and '.join(own)}, which your logs lack"
    return ""


def _too_short(kind: type[Fault], logs: OwnLogs) -> str:
    days = kind.meta.deadline_days
    return f"takes up to {days} days to show; your logs have {len(logs.days)}, of which some must come before it"


@lru_cache(maxsize=16)
def _ground(run: CleanRun, seed: SeedWork, onset: date) -> Ground:
    """What the trials of one onset share, found once per process."""
    site = site_of(seed.folder.forked(onset))
    return Ground(run, seed.folder, read_statistics(seed.folder.statistics), site)
