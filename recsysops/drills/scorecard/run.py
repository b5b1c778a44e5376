"""A drill on the simulated service from beginning to end: clean runs, trials in worker processes, and the card."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from recsysops.drills.scorecard.batch import prepare_all, try_all
from recsysops.drills.scorecard.clean_alarms import of_baselines, of_detectors
from recsysops.drills.scorecard.curves import fault_curve, incidents_each
from recsysops.drills.scorecard.digest import code_digest, digest, source_digest
from recsysops.drills.scorecard.placing import onset_of
from recsysops.drills.scorecard.plan import DrillPlan
from recsysops.drills.scorecard.prepare import Preparation
from recsysops.drills.scorecard.results import Card
from recsysops.drills.scorecard.rig import Rig
from recsysops.drills.scorecard.seed_folder import SeedFolder
from recsysops.drills.scorecard.stored_statistics import read_statistics
from recsysops.drills.scorecard.work import SeedWork, TrialWork
from recsysops.drills.scorecard.workers import workers
from recsysops.engines.progress import SILENT, Progress
from recsysops.incidents.lock import workspace_lock

WHAT = "simulated service"


def run_drill(plan: DrillPlan, folder: Path, progress: Progress = SILENT, *, rig: Rig | None = None) -> Card:
    """Run what is missing of a drill and draw its card.

    Everything finished is kept below ``folder``: a drill that was interrupted goes on where it was, and one with other
    faults or severities on the same code reuses the clean runs. What failed is in ``cannot_look``, and is tried again
    the next time.

    Args:
        plan: what to do.
        folder: clean runs, finished trials and forks; made if need be.
        progress: told of days simulated, then of trials.
        rig: the world and who measures it; the built-in ones when None.

    Raises:
        ConfigError: if the plan makes no drill.
        LockHeldError: if another drill runs in the folder.
        StateError: if a worker process was killed, or nothing could be prepared.
    """
    with workspace_lock(folder, "drill"):
        shutil.rmtree(folder / "forks", ignore_errors=True)  # of a drill that was killed
        seeds = _seeds(plan, folder, rig or Rig.built_in())
        failed = Drill(plan, folder, seeds, progress).run()
        return _card(plan, folder, seeds, failed)


def _seeds(plan: DrillPlan, folder: Path, rig: Rig) -> tuple[SeedWork, ...]:
    size = replace(plan.size, n_days=plan.days_per_seed)
    made_by = digest(code_digest(), source_digest(rig.world), source_digest(rig.site_of), size)
    return tuple(
        SeedWork(
            Preparation(size, plan.days_per_seed, seed, made_by),
            rig,
            SeedFolder(folder / f"seed-{seed}-{digest(size)[:8]}"),
        )
        for seed in plan.seeds
    )


def _trials(plan: DrillPlan, folder: Path, seed: SeedWork) -> Iterator[TrialWork]:
    for fault, multiple in plan.trials():
        smaller = tuple(one for one in sorted(set(plan.multiples)) if one < multiple)
        yield TrialWork(fault, multiple, smaller, seed, folder)


@dataclass(frozen=True)
class Drill:
    """The work of a drill, done by worker processes."""

    plan: DrillPlan
    folder: Path
    seeds: tuple[SeedWork, ...]
    progress: Progress

    def run(self) -> tuple[str, ...]:
        """Do what is missing; what failed, a line each."""
        trials = [trial for seed in self.seeds for trial in _trials(self.plan, self.folder, seed)]
        todo = [trial for trial in trials if trial.finished() is None]
        with workers(self.plan.jobs) as pool:
            failed = prepare_all(pool, self.seeds, "simulating clean days", self.progress)
            ready = [one for seed in self.seeds for one in _by_onset(seed, [one for one in todo if one.seed is seed])]
            failed += try_all(pool, ready, len(ready) + len(trials) - len(todo), self.progress)
        return tuple(failed)


def _by_onset(seed: SeedWork, trials: list[TrialWork]) -> list[TrialWork]:
    """Trials of one onset side by side, since they read the same profiles; none if the seed could not be prepared."""
    known = seed.finished()
    return sorted(trials, key=lambda one: onset_of(one.fault, known.seed, known.onsets)) if known else []


def _card(plan: DrillPlan, folder: Path, seeds: tuple[SeedWork, ...], failed: tuple[str, ...]) -> Card:
    known = [(run, one.folder) for one in seeds if (run := one.finished()) is not None]
    runs = [run for run, _ in known]
    results = [found for seed in seeds for one in _trials(plan, folder, seed) if (found := one.finished()) is not None]
    curves = tuple(
        fault_curve(fault.meta, [one for one in results if one.fault == fault.meta.name], plan.multiples)
        for fault in plan.faults
    )
    return Card(
        WHAT,
        of_detectors(runs),
        of_baselines(runs, [read_statistics(kept.statistics) for _, kept in known]),
        curves,
        n_trials=sum(not one.cannot for one in results),
        seconds=sum(run.seconds for run in runs) + sum(one.seconds for one in results),
        cannot_look=failed,
        incidents_each=incidents_each(results, plan.faults),
    )
