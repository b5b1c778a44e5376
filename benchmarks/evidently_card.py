"""Evidently's DataDriftPreset on the days of a finished drill: alarms on its clean days, and its faults planted anew.

    python -m benchmarks.evidently_card DRILL_FOLDER --seed 0

Each day is 5,000 candidates drawn by hash, its reference as many of the 28 days before. From 1,000 rows on the preset
measures distances and compares them with 0.1, where it would test below; a distance does not grow with the rows, so that
5,000 stand for all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from benchmarks.evidently_table import FaultRow, card_lines
from benchmarks.finished_drill import FinishedDrill
from benchmarks.measuring import ROOT
from benchmarks.rival_watch import AlarmDays, RivalWatch, Said
from benchmarks.rivals.evidently_process import Evidently
from benchmarks.sampled_days import Sample, as_reference, reference_of, sample_of_day
from recsysops.drills.fault import CannotPlantError, Fault
from recsysops.drills.planning import Request
from recsysops.drills.scorecard.clean_alarms import counted_days
from recsysops.drills.scorecard.fork import fork
from recsysops.drills.scorecard.placing import Placed, onset_of, place
from recsysops.drills.scorecard.rig import Rig
from recsysops.drills.site import Site
from recsysops.errors import StateError
from recsysops.incidents.lock import workspace_lock
from recsysops.tables.table import Table
from recsysops.workspace import Workspace

Rival = Callable[[Sample, Sample], Said]
"""What a tool says of a reference and a day."""
MULTIPLE = 4.0
Thing = TypeVar("Thing")


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
        is_same = trial is not None and trial.onset == onset and trial.severity == placed.severity
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


def clean_alarm_days(clean: CleanDays, n_days: int | None = None) -> AlarmDays:
    """The rival on the judged clean days, or the first of them."""
    days = [one.day for one in counted_days(clean.drill.run)][:n_days]
    return AlarmDays.of([clean.said(day) for day in _told("clean days", days)])


def fault_rows(clean: CleanDays, rig: Rig, kinds: Sequence[type[Fault]], multiple: float) -> list[FaultRow]:
    """The rival on each fault."""
    planting = Replanting(clean, rig)
    return [planting.row(kind, multiple) for kind in _told("faults", kinds)]


def _told(what: str, things: Sequence[Thing]) -> Iterator[Thing]:
    for number, thing in enumerate(things):
        print(f"  {number} of {len(things)} {what}", file=sys.stderr, flush=True)
        yield thing


def run(rows: int | None, *, quick: bool) -> None:
    """On the drill that ``make drill`` left, or ``make drill-quick``."""
    del rows
    root = ROOT / ("recsysops-drill-quick" if quick else "recsysops-drill")
    try:
        drill = FinishedDrill.read(root, 0)
    except StateError as error:
        print(f"  left out: {error}")
        return
    show(drill, Request().kinds(), MULTIPLE)


def show(drill: FinishedDrill, kinds: Sequence[type[Fault]], multiple: float, n_days: int | None = None) -> None:
    """Ask, and print the lines for the docs."""
    with workspace_lock(drill.root, "drill"), tempfile.TemporaryDirectory() as name, Evidently(Path(name)) as rival:
        clean = CleanDays(drill, rival)
        alarms = clean_alarm_days(clean, n_days)
        rows = fault_rows(clean, Rig.built_in(), kinds, multiple)
    print("\n".join(card_lines(drill, alarms, rows, multiple)))
    lost = ", ".join(sorted(rival.lost)) or "none"
    print(f"\n{rival.versions}. Columns that lost all values on a day (told, though the preset itself fails): {lost}.")


def main() -> None:
    """Read the words, run."""
    parser = argparse.ArgumentParser(prog="benchmarks.evidently_card", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="of a finished `recsysops drill run`")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--severity", type=float, default=MULTIPLE, metavar="MULT")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help="repeatable; else all")
    parser.add_argument("--days", type=int, metavar="N", help="only the first judged clean days")
    given = parser.parse_args()
    kinds = Request(faults=tuple(given.fault)).checked().kinds()
    show(FinishedDrill.read(given.folder, given.seed), kinds, given.severity, given.days)


if __name__ == "__main__":
    main()
