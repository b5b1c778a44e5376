"""A drill on own logs from beginning to end: the copy, the clean run over it, trials in worker processes, the card."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from recsysops.config.dump import dump_settings
from recsysops.drills.own_logs.copying import MANIFEST
from recsysops.drills.own_logs.own_logs import OwnLogs
from recsysops.drills.own_logs.own_trial import RIG, OwnTrialWork, preparation
from recsysops.drills.scorecard.batch import prepare_all, try_all
from recsysops.drills.scorecard.clean_alarms import of_baselines, of_detectors
from recsysops.drills.scorecard.clean_run import CleanRun
from recsysops.drills.scorecard.curves import fault_curve, incidents_each
from recsysops.drills.scorecard.digest import code_digest, digest
from recsysops.drills.scorecard.plan import DrillPlan
from recsysops.drills.scorecard.results import Card, CleanAlarms
from recsysops.drills.scorecard.seed_folder import SeedFolder
from recsysops.drills.scorecard.stored_statistics import read_statistics
from recsysops.drills.scorecard.work import SeedWork
from recsysops.drills.scorecard.workers import workers
from recsysops.engines.progress import SILENT, Progress
from recsysops.errors import NotEnoughDataError, StateError
from recsysops.incidents.detecting import utc_now
from recsysops.incidents.lock import workspace_lock
from recsysops.tables.atomic import write_atomically
from recsysops.workspace import Workspace

LEAST_DAYS = 3
MADE_BY = "made_by"


def run_own_drill(plan: DrillPlan, workspace: Workspace, folder: Path, progress: Progress = SILENT) -> Card:
    """Run what is missing of a drill on a copy of the workspace's logs, and draw its card.

    Args:
        plan: faults, multiples, seeds (each draws places and days anew) and jobs; its size is of no use here.
        workspace: whose logs; only read.
        folder: the copy, the clean run, finished trials and forks; made if need be. Finished trials are not run again
            while logs, settings and code stay as they are.
        progress: told of days copied, days judged and trials.

    Raises:
        ConfigError, SchemaError, SourceError: if the logs cannot be read.
        NotEnoughDataError: if they have fewer than three complete days.
        LockHeldError: if another drill runs in the folder.
        StateError: if a worker process was killed, or the days could not be judged.
    """
    with workspace_lock(folder, "drill"):
        shutil.rmtree(folder / "forks", ignore_errors=True)  # of a drill that was killed
        made_by = _made_by(workspace)
        logs = _copied(workspace, folder / "own-logs", made_by, progress)
        if len(logs.days) < LEAST_DAYS:
            found = f"{len(logs.days)} complete days"
            raise NotEnoughDataError("drill --own-logs", found=found, expected=f"at least {LEAST_DAYS}")
        seed = SeedWork(preparation(logs, made_by), RIG, SeedFolder(folder / f"own-run-{made_by[:8]}"))
        trials = _trials(plan, seed, folder)
        with workers(plan.jobs) as pool:
            clean = _judged(pool, seed, progress)
            failed = try_all(pool, [one for one in trials if one.finished() is None], len(trials), progress)
        return _card(plan, logs, clean, seed, trials, tuple(failed))


def _made_by(workspace: Workspace) -> str:
    """Digest of logs, settings, code and, where days end by the clock, today."""
    parts = [
        (name, partition.key, partition.fingerprint)
        for name, table in sorted(workspace.tables.items())
        for partition in table.partitions()
    ]
    today = utc_now().date() if workspace.settings.clock == "wall" else None
    return digest(code_digest(), dump_settings(workspace.settings), parts, today)


def _copied(workspace: Workspace, folder: Path, made_by: str, progress: Progress) -> OwnLogs:
    mark = folder / MADE_BY
    if (folder / MANIFEST).is_file() and mark.is_file() and mark.read_text(encoding="utf-8") == made_by:
        return OwnLogs(folder)
    logs = OwnLogs.prepare(workspace, folder, progress=progress)
    write_atomically(mark, lambda path: path.write_text(made_by, encoding="utf-8"))
    return logs


def _trials(plan: DrillPlan, seed: SeedWork, folder: Path) -> list[OwnTrialWork]:
    multiples = sorted(set(plan.multiples))
    numbered = [replace(seed, wanted=replace(seed.wanted, seed=number)) for number in plan.seeds]
    return [
        OwnTrialWork(fault, multiple, tuple(one for one in multiples if one < multiple), one, folder)
        for one in numbered
        for fault, multiple in plan.trials()
    ]


def _judged(pool: ProcessPoolExecutor, seed: SeedWork, progress: Progress) -> CleanRun:
    """The clean run, judged now unless that was done before."""
    failed = prepare_all(pool, [seed], "judging your days as they are", progress)
    known = seed.finished()
    if failed or known is None:
        found = "; ".join(failed) or "no clean run"
        raise StateError("drill --own-logs", found=found, expected="days that can be judged")
    return known


def _card(
    plan: DrillPlan,
    logs: OwnLogs,
    clean: CleanRun,
    seed: SeedWork,
    trials: Sequence[OwnTrialWork],
    failed: tuple[str, ...],
) -> Card:
    results = [found for one in trials if (found := one.finished()) is not None]
    statistics = read_statistics(seed.folder.statistics)
    return Card(
        what_of(logs),
        _unnumbered(of_detectors([clean])),
        {name: _unnumbered(one) for name, one in of_baselines([clean], [statistics]).items()},
        tuple(
            fault_curve(fault.meta, [one for one in results if one.fault == fault.meta.name], plan.multiples)
            for fault in plan.faults
        ),
        n_trials=sum(not one.cannot for one in results),
        seconds=clean.seconds + sum(one.seconds for one in results),
        cannot_look=failed,
        incidents_each=incidents_each(results, plan.faults),
        is_own_logs=True,
    )


def what_of(logs: OwnLogs) -> str:
    """What the card is of: ``copy of the logs of shop, 56 days, 12 % of the requests``."""
    sampled = "" if logs.copied.rate >= 1 else f", {logs.copied.rate:.0%} of the requests".replace("%", " %")
    return f"copy of the logs of {logs.copied.name}, {len(logs.days)} days{sampled}"


def _unnumbered(alarms: CleanAlarms) -> CleanAlarms:
    """There is one log, so its number says nothing."""
    return replace(alarms, told=tuple(line.removesuffix(" (seed 0)") for line in alarms.told))
