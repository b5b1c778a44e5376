"""The clean run of one seed: begun, simulated and judged day by day, with a copy kept at each onset."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from recsysops.drills.fault import Planted
from recsysops.drills.scorecard.baselines import WINDOW
from recsysops.drills.scorecard.clean_run import CleanAlarm, CleanDay, CleanRun, read_clean_run, write_clean_run
from recsysops.drills.scorecard.daily_statistics import day_statistics, learn_bins
from recsysops.drills.scorecard.fork import fork
from recsysops.drills.scorecard.rig import RunningService, World
from recsysops.drills.scorecard.seed_folder import SeedFolder
from recsysops.drills.scorecard.stored_statistics import LogStatistics, write_statistics
from recsysops.errors import ConfigError
from recsysops.reporting.detect_report import DetectReport
from recsysops.workspace import Workspace

BURN_IN_DAYS = 14
"""Judged days that nobody counts alarms on: there is too little before them."""
REFERENCE_DAYS = 28
"""Days of log that every fault is planted after."""
N_ONSETS = 4
RUN_OUT_DAYS = 14
"""Days of the clean run after the last onset, as many as there are: what is told then is told without the fault too."""

NEWS = timedelta(days=7)
"""How long a benign event is told of beside the alarms."""


@dataclass(frozen=True)
class Preparation:
    """Which clean run is wanted."""

    size: Any
    """``WorldSize``; the same for all seeds."""
    n_days: int
    """Days of the log."""
    seed: int
    made_by: str
    """Digest of everything that decides what comes out; another one, and the run is made anew."""
    burn_in_days: int = BURN_IN_DAYS
    """Days judged together at the end of them."""
    onsets: tuple[date, ...] = ()
    """Days to keep a copy before; drawn when none is named."""


def prepare(wanted: Preparation, world: World, folder: SeedFolder) -> CleanRun:
    """The clean run of a seed, simulated unless that was done before.

    Raises:
        ConfigError: if there are too few days to plant anything.
    """
    known = read_clean_run(folder.clean_run)
    if known is not None and known.made_by == wanted.made_by:
        return known
    started = time.monotonic()
    shutil.rmtree(folder.root, ignore_errors=True)
    folder.root.mkdir(parents=True)
    service = world.begin(folder.workspace, wanted.size, wanted.seed)
    first = service.next_day
    onsets = wanted.onsets or onset_days(first, wanted.n_days, wanted.seed)
    days = list(_clean_days(service, folder, wanted, onsets))
    _keep_statistics(folder, first, wanted.n_days)
    run = CleanRun(wanted.seed, wanted.made_by, tuple(days), onsets, time.monotonic() - started)
    write_clean_run(run, folder.clean_run)
    return run


def onset_days(first: date, n_days: int, seed: int) -> tuple[date, ...]:
    """A few days to plant faults on, spread over the days after the reference: one drawn from each equal part of them.

    Raises:
        ConfigError: if the log has no day after the reference.
    """
    last = max(REFERENCE_DAYS, n_days - RUN_OUT_DAYS)
    if n_days <= REFERENCE_DAYS:
        raise ConfigError("drill", found=f"{n_days} days per seed", expected=f"more than {REFERENCE_DAYS}")
    numbers = np.arange(REFERENCE_DAYS, min(last + 1, n_days))
    parts = [part for part in np.array_split(numbers, N_ONSETS) if len(part)]
    rng = np.random.default_rng((seed, 1))
    return tuple(first + timedelta(days=int(rng.choice(part))) for part in parts)


def _clean_days(
    service: RunningService, folder: SeedFolder, wanted: Preparation, onsets: Sequence[date]
) -> Iterator[CleanDay]:
    """Run and judge; days of the burn-in are judged together at its end."""
    first = service.next_day
    open_before: frozenset[int] = frozenset()
    paged: set[int] = set()
    for number in range(wanted.n_days):
        if service.next_day in onsets:
            _keep_onset(service, folder)
        day = service.run_day()
        if number + 1 >= wanted.burn_in_days:
            report = Workspace(folder.workspace).detect()
            yield _clean_day(day, report, open_before, _begun(service, day), paged)
            open_before = open_incidents(folder)
            paged |= {one.id for one in report.incidents if one.severity == "critical"}
        folder.n_done.write_text(str((day - first).days + 1), encoding="utf-8")


def _keep_onset(service: RunningService, folder: SeedFolder) -> None:
    checkpoint = folder.checkpoint(service.next_day)
    fork(folder.workspace, folder.forked(service.next_day))
    checkpoint.mkdir(parents=True, exist_ok=True)
    service.save(checkpoint)


def _clean_day(
    day: date, report: DetectReport, open_before: frozenset[int], benign: tuple[str, ...], paged: set[int]
) -> CleanDay:
    there = [incident for incident in report.incidents if incident.last_seen == day]
    alarms = tuple(
        CleanAlarm(day, incident.headline, is_page, incident.opened == day)
        for incident in there
        if incident.severity != "info"  # told, but nobody is told of it unasked
        if (is_page := incident.severity == "critical" and incident.id not in paged) or incident.opened == day
    )
    return CleanDay(day, open_before, frozenset(name for one in there for name in one.finding_ids), alarms, benign)


def open_incidents(folder: SeedFolder) -> frozenset[int]:
    """Numbers of the incidents that are open in the clean run now."""
    from recsysops.incidents.state import State

    with State(Workspace(folder.workspace).state) as state:
        return frozenset(incident.id for incident in state.incidents("open"))


def _begun(service: RunningService, day: date) -> tuple[str, ...]:
    """Names of the benign events of the last days; those from longer ago are no news."""
    events = (
        one for one in service.benign if timedelta(0) <= day - one.onset < NEWS and (not one.until or day < one.until)
    )
    return tuple(_name(one) for one in events)


def _name(event: Planted) -> str:
    """What the first line of its docstring says before any colon."""
    line = (type(event.acting).__doc__ or type(event.acting).__name__).strip().partition("\n")[0]
    return line.partition(":")[0].rstrip(".")


def _keep_statistics(folder: SeedFolder, first: date, n_days: int) -> None:
    candidates = Workspace(folder.workspace).tables["candidates"]
    days = [first + timedelta(days=number) for number in range(n_days)]
    bins = learn_bins(candidates, days[:WINDOW])
    write_statistics(
        LogStatistics(bins, tuple(day_statistics(candidates, day, bins) for day in days)), folder.statistics
    )
