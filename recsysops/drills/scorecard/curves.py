"""From trials to the detection curve of a fault."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from recsysops.drills.fault import Fault, FaultMeta
from recsysops.drills.scorecard.results import CurvePoint, FaultCurve, TrialResult
from recsysops.drills.scorecard.shares import mean_count, share
from recsysops.statistics.estimate import Estimate


def fault_curve(meta: FaultMeta, trials: Sequence[TrialResult], multiples: Sequence[float]) -> FaultCurve:
    """The curve of one fault over its severities, smallest first.

    A fault that is there or not was planted once per seed; that trial stands for every multiple.

    Args:
        meta: of the fault.
        trials: of that fault alone; those that could not be planted count only if all of them are such.
        multiples: the severities asked for.
    """
    planted = [trial for trial in trials if not trial.cannot]
    if not planted:
        why = next((trial.cannot for trial in trials), "no trial was finished")
        return FaultCurve(meta, 0.0, meta.target, (), why)
    points = []
    for multiple in sorted(set(multiples)):
        of_size = [trial for trial in planted if trial.multiple == multiple or not meta.is_graded]
        if of_size:
            points.append(curve_point(multiple, of_size))
    visible = fmean(trial.visible for trial in planted)
    unit = fmean(max(meta.target, trial.visible) for trial in planted) if meta.is_graded else meta.target
    return FaultCurve(meta, visible, unit, tuple(points))


def curve_point(multiple: float, trials: Sequence[TrialResult]) -> CurvePoint:
    """All trials of one size; causes count as named only where the fault was found."""
    found = [trial for trial in trials if trial.found.is_found]
    n_alarms = sum(trial.found.n_alarms for trial in trials)
    overlaps = [trial.scope_overlap for trial in found if trial.scope_overlap is not None]
    delays = [trial.found.delay_runs for trial in found if trial.found.delay_runs is not None]
    baselines = sorted({name for trial in trials for name in trial.baselines}, key=list(trials[0].baselines).index)
    return CurvePoint(
        multiple=multiple,
        severity=fmean(trial.severity for trial in trials),
        n=len(trials),
        detected=share(len(found), len(trials)),
        delay_runs=float(median(delays)) if delays else None,
        precision=sum(trial.found.n_right for trial in trials) / n_alarms if n_alarms else None,
        top1_rate=sum(trial.is_top1 for trial in trials) / len(trials),
        top3_rate=sum(trial.is_top3 for trial in trials) / len(trials),
        scope_overlap=fmean(overlaps) if overlaps else None,
        baselines={name: fmean(trial.baselines[name].is_found for trial in trials) for name in baselines},
    )


def incidents_each(trials: Sequence[TrialResult], faults: Sequence[type[Fault]]) -> Estimate | None:
    """How many incidents one fault opens until it is found, over the trials that found it; true changes of the world left out."""
    names = {fault.meta.name for fault in faults if fault.meta.is_fault}
    return mean_count([one.found.n_alarms for one in trials if one.found.is_found and one.fault in names])
