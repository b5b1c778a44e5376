"""Distinct clusters (members) by category of a column, in buckets of the cluster's hash.

A cluster counts once per partition, day and category, so a member who asks a hundred times weighs as much as one who asks
once. A profile row per day and category holds 32 counts, one per bucket; two more hold all clusters, and those that were
in more than one category. Counts are exact as long as no two clusters of a partition share a 64-bit hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.profiles.categories import as_labels, texts_of
from recsysops.profiles.coded_rows import CodedRows, chosen, validity
from recsysops.profiles.fast_hash import hash_values
from recsysops.profiles.fold import day_axis, matrix
from recsysops.profiles.history import ClusterContrast, Counts
from recsysops.profiles.measures import N_BUCKETS, Clusters
from recsysops.profiles.profile import RowWriter
from recsysops.profiles.slices import EVERYTHING

ALL = "#clusters"
SEVERAL = "#several"
MAX_CATEGORIES = 256
"""Categories kept by name and day, those with the most clusters first; experiments have a handful."""
_ENTRY = np.dtype([("day", np.int64), ("cluster", np.uint64), ("category", np.int64)])
Entries = npt.NDArray[Any]


class ClusterCounter:
    """Counts the clusters of one partition."""

    def __init__(self, measure_id: str, measure: Clusters) -> None:
        self._measure_id = measure_id
        self._measure = measure
        self._codes: dict[str, int] = {}
        self._seen: list[Entries] = []

    def add(self, rows: CodedRows) -> None:
        """Take the rows of a batch."""
        cluster = rows.batch.column(self._measure.cluster)
        labels = as_labels(rows.batch.column(self._measure.column), self._measure.column)
        index = chosen(rows.placeable & validity(cluster) & validity(labels.indices))
        names = texts_of(labels.dictionary, self._measure.column)
        codes = np.array([self._codes.setdefault(str(name), len(self._codes)) for name in names], np.int64)
        places = labels.indices.to_numpy(zero_copy_only=False)[index]
        entries = np.empty(len(places), _ENTRY)
        entries["day"] = rows.days[index]
        entries["cluster"] = hash_values(cluster)[index]
        entries["category"] = codes[places.astype(np.int64)] if len(codes) else 0
        self._seen.append(np.unique(entries))
        if len(self._seen) > 16:
            self._seen = [np.unique(np.concatenate(self._seen))]

    def write(self, _names: Sequence[Sequence[str]], writer: RowWriter) -> None:
        """Write what has been counted."""
        seen = np.unique(np.concatenate(self._seen)) if self._seen else np.empty(0, _ENTRY)
        labels = list(self._codes)
        for day in np.unique(seen["day"]):
            of_day = seen[seen["day"] == day]
            clusters, categories = np.unique(of_day["cluster"], return_counts=True)
            rows = {ALL: _by_bucket(clusters), SEVERAL: _by_bucket(clusters[categories > 1])}
            present, sizes = np.unique(of_day["category"], return_counts=True)
            for code in present[np.argsort(-sizes, kind="stable")][:MAX_CATEGORIES]:
                rows["=" + labels[code]] = _by_bucket(of_day["cluster"][of_day["category"] == code])
            for key, counts in sorted(rows.items()):
                writer.add(self._measure_id, int(day), EVERYTHING, key=key, counts=counts)


def fold_clusters(
    rows: Mapping[str, pa.Table], numbers: Mapping[str, Sequence[int]], days: Mapping[str, tuple[Any, ...]]
) -> ClusterContrast:
    """The contrast of both windows' rows; ``numbers`` are the windows' days since the epoch."""
    keys = sorted({key for table in rows.values() for key in table["key"].to_pylist()} - {ALL, SEVERAL})
    folded = {name: _fold(rows[name], numbers[name], (*keys, SEVERAL, ALL)) for name in rows}
    reference, current = folded["reference"], folded["current"]
    return ClusterContrast(
        tuple(key[1:] for key in keys), days["reference"], days["current"], reference[:, :-2], current[:, :-2],
        reference[:, -2], current[:, -2], reference[:, -1], current[:, -1],
    )  # fmt: skip


def _fold(rows: pa.Table, numbers: Sequence[int], keys: Sequence[str]) -> Counts:
    """(n_days, n_keys, 32)."""
    folded = np.zeros((len(numbers), len(keys), N_BUCKETS), np.int64)
    place = {key: index for index, key in enumerate(keys)}
    key_index = np.array([place[key] for key in rows["key"].to_pylist()], np.int64)
    day_index = day_axis(rows, numbers)
    kept = day_index >= 0
    np.add.at(folded, (day_index[kept], key_index[kept]), matrix(rows, "counts", N_BUCKETS)[kept])
    return folded


def _by_bucket(clusters: npt.NDArray[np.uint64]) -> Counts:
    return np.bincount((clusters % np.uint64(N_BUCKETS)).astype(np.int64), minlength=N_BUCKETS).astype(np.int64)
