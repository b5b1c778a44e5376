"""The slow and obvious way for series of moments and for clusters, beside ``brute_force``."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from recsysops.profiles.history import ClusterContrast, Counts, DaySeries, MomentContrast, Window, WindowMoments
from recsysops.profiles.measures import N_BUCKETS, Cells, Clusters
from recsysops.testing.brute_force import Windows


def moment_series(measure: Cells, windows: Windows) -> DaySeries | None:
    """Count and sum of finite numbers on every day from the first of the reference to the last judged one."""
    import pandas as pd

    if measure.form != "moments" or measure.column not in windows.frame:
        return None
    numbers = np.asarray(pd.to_numeric(windows.frame[measure.column], errors="coerce"), np.float64)
    known = np.isfinite(numbers)
    seen = (*windows.reference_days, *windows.current_days)
    days = tuple(min(seen) + timedelta(days=number) for number in range((max(seen) - min(seen)).days + 1))
    values = np.zeros((len(days), len(windows.slices), 2))
    for row, day in enumerate(days):
        for column, slice_ in enumerate(windows.slices):
            chosen = numbers[known & windows.within((day,)) & windows.in_slice(slice_)]
            values[row, column] = len(chosen), chosen.sum()
    return DaySeries(windows.slices, ("count", "sum"), days, values)


def moments(measure: Cells, windows: Windows) -> MomentContrast | None:
    """Count, mean, standard deviation and bounds of the finite numbers of each unit and slice."""
    import pandas as pd

    if measure.form != "moments" or measure.column not in windows.frame:
        return None
    numbers = np.asarray(pd.to_numeric(windows.frame[measure.column], errors="coerce"), np.float64)
    known = np.isfinite(numbers)

    def of(window: Window) -> WindowMoments:
        values = np.full((5, len(windows.days(window)), len(windows.slices)), np.nan)
        for row, day in enumerate(windows.days(window)):
            for column, slice_ in enumerate(windows.slices):
                chosen = numbers[known & windows.on(day) & windows.in_slice(slice_)]
                values[0, row, column] = len(chosen)
                if len(chosen):
                    values[1, row, column], values[3:, row, column] = chosen.mean(), (chosen.min(), chosen.max())
                if len(chosen) > 1:
                    values[2, row, column] = chosen.std(ddof=1)
        return WindowMoments(values[0].astype(np.int64), *values[1:])

    return MomentContrast(windows.slices, windows.reference_days, windows.current_days, of("reference"), of("current"))


def clusters(measure: Clusters, windows: Windows) -> ClusterContrast | None:
    """Sets of clusters per day and category, sorted into buckets by md5."""
    import pandas as pd

    if measure.cluster not in windows.frame or measure.column not in windows.frame:
        return None
    cluster, category = windows.frame[measure.cluster], windows.frame[measure.column]
    known = np.asarray(~(pd.isna(cluster) | pd.isna(category)), np.bool_)
    names, labels = np.asarray(cluster.astype(str), object), np.asarray(category.astype(str), object)
    seen = known & windows.within((*windows.reference_days, *windows.current_days))
    categories = tuple(sorted(set(labels[seen])))

    def counts(window: Window) -> tuple[Counts, Counts, Counts]:
        arms, several, every = [], [], []
        for day in windows.days(window):
            rows = known & windows.on(day)
            of = [set(names[rows & (labels == one)]) for one in categories]
            whole = set().union(*of)
            arms.append([_buckets(one) for one in of])
            several.append(_buckets({one for one in whole if sum(one in members for members in of) > 1}))
            every.append(_buckets(whole))
        n_units = len(arms)
        return (
            np.array(arms, np.int64).reshape(n_units, len(categories), N_BUCKETS),
            np.array(several, np.int64).reshape(n_units, N_BUCKETS),
            np.array(every, np.int64).reshape(n_units, N_BUCKETS),
        )

    reference, current = counts("reference"), counts("current")
    return ClusterContrast(
        categories, windows.reference_days, windows.current_days, reference[0], current[0],
        reference[1], current[1], reference[2], current[2],
    )  # fmt: skip


def _buckets(members: set[str]) -> npt.NDArray[np.int64]:
    places = [int.from_bytes(hashlib.md5(one.encode()).digest()[:8]) % N_BUCKETS for one in members]  # noqa: S324
    return np.bincount(np.array(places, np.int64), minlength=N_BUCKETS)
