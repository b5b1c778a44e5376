"""Another tool on the log of a finished drill: on its clean days, and on its faults planted anew in forks of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from math import isclose

from benchmarks.evidently_table import FaultRow
from benchmarks.finished_drill import FinishedDrill
from benchmarks.rival_watch import RivalWatch, Said
from benchmarks.sampled_days import Sample, as_reference, reference_of, sample_of_day
from recsysops.drills.fault import CannotPlantError, Fault
from recsysops.drills.scorecard.fork import fork
from recsysops.drills.scorecard.placing import Placed, onset_of, place
from recsysops.drills.scorecard.rig import Rig
from recsysops.drills.site import Site
from recsysops.tables.table import Table
from recsysops.workspace import Workspace

Rival = Callable[[Sample, Sample], Said]
"""What a tool says of a reference and a day."""


@dataclass
class CleanDays:
    """What the rival says of the days on which nothing was planted; each is asked once, when it is wanted."""

    drill: FinishedDrill
    rival: Rival
    _said: dict[date, Said] = field(default_factory=dict)
    _parts: dict[date, Sample] = field(default_factory=dict)

    @cached_property
    def candidates(self) -> Table:
        """The clean log."""
        return Workspace(self.drill.folder.workspace).tables["candidates"]

    @cached_property
    def kinds(self) -> dict[str, bool]:
        """Features and score, as the baselines watch them: whether each is numeric."""
        return {name: bins.is_numeric for name, bins in self.drill.statistics.bins.items()}

    def before(self, day: date) -> list[Sample]:
        """Reference samples of all days before one."""
        days = [one.day for one in self.drill.statistics.before(day)]
        for one in days:
            if one not in self._parts:
                self._parts[one] = as_reference(sample_of_day(self.candidates, one, self.kinds))
        return [self._parts[one] for one in days]

    def said(self, day: date) -> Said:
        """Of a day; nothing of one after the log's end."""
        if day not in self._said:
            is_there = any(one.day == day for one in self.drill.statistics.days)
            self._said[day] = self._ask(day) if is_there else Said()
        return self._said[day]

    def _ask(self, day: date) -> Said:
        sample = sample_of_day(self.candidates, day, self.kinds)
        self._parts[day] = as_reference(sample)
        return self.rival(reference_of(self.before(day)), sample)


@dataclass
class Replanting:
    """Faults planted as the drill planted them, in forks of its clean run; our detectors are not run."""

    clean: CleanDays
    rig: Rig
    _sites: dict[date, Site] = field(default_factory=dict)

    def row(self, kind: type[Fault], multiple: float) -> FaultRow:
        """A fault of one size, watched until all is said or its deadline has passed."""
        drill, meta = self.clean.drill, kind.meta
        onset = onset_of(kind, drill.run.seed, drill.run.onsets)
        trial = drill.trial(kind, multiple)
        try:
            placed = place(kind, multiple, self._site(onset), drill.run.seed)
        except CannotPlantError as error:
            return FaultRow(meta, 0.0, trial, cannot=str(error))
        watch = RivalWatch(placed.fault.truth())
        self._watch(placed, onset, watch)
        is_same = trial is not None and trial.onset == onset and isclose(trial.severity, placed.severity)
        return FaultRow(meta, placed.severity, trial if is_same else None, watch.by_column, watch.by_dataset)

    def _watch(self, placed: Placed, onset: date, watch: RivalWatch) -> None:
        clean, drill = self.clean, self.clean.drill
        scratch = drill.root / "forks" / str(os.getpid())
        before = clean.before(onset)
        try:
            fork(drill.folder.forked(onset), scratch)
            service = self.rig.world.resume(drill.folder.checkpoint(onset), scratch)
            for _ in range(placed.fault.meta.deadline_days):
                day = service.run_day([placed.planted(onset, drill.run.seed)])
                sample = sample_of_day(Workspace(scratch).tables["candidates"], day, clean.kinds)
                watch.look(clean.rival(reference_of(before), sample), clean.said(day))
                before.append(as_reference(sample))
                if watch.is_done:
                    break
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _site(self, onset: date) -> Site:
        if onset not in self._sites:
            self._sites[onset] = self.rig.site_of(self.clean.drill.folder.forked(onset), is_simulated=True)
        return self._sites[onset]
