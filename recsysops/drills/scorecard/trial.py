"""One trial: a fault planted in a fork of the clean run, and daily runs until it is found or its deadline has passed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

from recsysops.drills.fault import CannotPlantError, Fault, Truth
from recsysops.drills.scorecard.baseline_watch import BaselineWatch
from recsysops.drills.scorecard.causes import N_INCIDENTS, Named, named
from recsysops.drills.scorecard.clean_run import CleanRun
from recsysops.drills.scorecard.day_rows import rows_of_day
from recsysops.drills.scorecard.fork import fork
from recsysops.drills.scorecard.matching import CleanTwin, Matched, Told, match
from recsysops.drills.scorecard.placing import Placed, onset_of, place
from recsysops.drills.scorecard.results import Found, TrialResult
from recsysops.drills.scorecard.rig import Rig
from recsysops.drills.scorecard.scope_overlap import Scope, columns_needed, scope_overlap
from recsysops.drills.scorecard.seed_folder import SeedFolder
from recsysops.drills.scorecard.stored_statistics import LogStatistics
from recsysops.drills.site import Site
from recsysops.workspace import Workspace


@dataclass(frozen=True)
class Ground:
    """What all trials of one onset share."""

    run: CleanRun
    folder: SeedFolder
    statistics: LogStatistics
    site: Site


@dataclass
class Watch:
    """What the detectors have said of one planted fault so far."""

    placed: Placed
    twin: CleanTwin
    onset: date
    n_runs: int = 0
    fresh: set[int] = field(default_factory=set)
    right: set[int] = field(default_factory=set)
    matched: Matched = field(default_factory=Matched)
    overlap: float | None = None
    named: Named = field(default_factory=Named)

    @cached_property
    def truth(self) -> Truth:
        """What is right to say."""
        return self.placed.fault.truth()

    @property
    def is_found(self) -> bool:
        """Whether an incident in the fault's scope was there."""
        return bool(self.matched.right)

    def look(self, workspace: Workspace, day: date) -> None:
        """Run the detectors on the newest day and note what they say."""
        report = workspace.detect()
        alarms = tuple(one for one in report.incidents if one.severity != "info")
        told = Told(day, alarms, report.findings, aliases_of(workspace))
        self.n_runs += 1
        self.matched = match(told, self.twin, self.placed.fault.meta, self.truth)
        self.fresh |= {incident.id for incident in self.matched.fresh}
        self.right |= {incident.id for incident in self.matched.right}
        if self.is_found:
            found = Scope.of_incident(self.matched.right[0], report.findings)
            self.named = self._diagnosed(workspace, told.aliases)
            self.overlap = overlap_on(workspace, self.onset, found, Scope.of_truth(self.truth))

    def _diagnosed(self, workspace: Workspace, aliases: Mapping[str, str]) -> Named:
        fresh = self.matched.fresh[:N_INCIDENTS]
        verdicts = [workspace.diagnose_incident(incident.id).verdict for incident in fresh]
        return named(verdicts, self.placed.fault.meta, self.truth, aliases)

    def found(self) -> Found:
        """The outcome."""
        return Found(self.is_found, self.n_runs if self.is_found else None, len(self.fresh), len(self.right))


def run_trial(kind: type[Fault], multiple: float, ground: Ground, rig: Rig, scratch: Path) -> TrialResult:
    """Plant a fault of one size at its seed's place and onset, and watch.

    Args:
        kind: the fault's class.
        multiple: severity as a multiple of the fault's unit.
        ground: of the onset that ``placing.onset_of`` gives.
        rig: the world the clean run was made with.
        scratch: a folder that does not exist; the fork is made there, and left there.
    """
    started = time.monotonic()
    run, meta = ground.run, kind.meta
    onset = onset_of(kind, run.seed, run.onsets)
    try:
        placed = place(kind, multiple, ground.site, run.seed)
    except CannotPlantError as error:
        return _cannot(kind, multiple, run.seed, onset, str(error))
    watch = Watch(placed, run.twin(onset, meta.deadline_days), onset)
    baselines = BaselineWatch(ground.statistics, watch.truth, onset)
    fork(ground.folder.forked(onset), scratch)
    service = rig.world.resume(ground.folder.checkpoint(onset), scratch)
    for _ in range(meta.deadline_days):
        day = service.run_day([placed.planted(onset, run.seed)])
        workspace = Workspace(scratch)
        if not watch.is_found:
            watch.look(workspace, day)
        baselines.look(workspace, day)
        if watch.is_found and baselines.is_done:
            break
    return TrialResult(
        fault=meta.name,
        multiple=multiple,
        severity=placed.severity,
        seed=run.seed,
        onset=onset,
        truth=watch.truth,
        found=watch.found(),
        is_top1=watch.named.is_top1,
        is_top3=watch.named.is_top3,
        scope_overlap=watch.overlap,
        headline=watch.matched.right[0].headline if watch.is_found else "",
        baselines=baselines.found(),
        seconds=time.monotonic() - started,
        visible=placed.visible,
    )


def overlap_on(workspace: Workspace, day: date, found: Scope, true: Scope) -> float | None:
    """How well two scopes agree on the candidates of a day; None if these lack a column that decides."""
    candidates = workspace.tables["candidates"]
    item = candidates.schema.role("item_id")
    columns = columns_needed(candidates, found, true)
    if item is None or columns is None:
        return None
    return scope_overlap(rows_of_day(candidates, day, columns or (item.name,)), found, true, item.name)


def aliases_of(workspace: Workspace) -> dict[str, str]:
    """Columns whose name in the logs is not that of their role."""
    return {
        f"{name}.{column.name}": f"{name}.{column.role}"
        for name, table in workspace.tables.items()
        for column in table.schema.columns
        if column.role and column.role != column.name
    }


def _cannot(kind: type[Fault], multiple: float, seed: int, onset: date, why: str) -> TrialResult:
    nothing = Truth((), ())
    return TrialResult(
        kind.meta.name, multiple, 0.0, seed, onset, nothing, Found(False), False, False, None, "", cannot=why
    )
