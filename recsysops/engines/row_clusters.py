"""What a column belongs to: the request, the member or the item. Rows that share it tell the same thing many times over.

A member's feature repeats in every candidate of each of the member's requests, an item's wherever the item is scored. Noise is
then that of members or items, not of requests; it is learnt from what the columns did, so that nobody has to say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.profiles.categories import CategorySet
from recsysops.profiles.frozen_sets import FrozenSet
from recsysops.profiles.group_codes import DAY_US, microseconds
from recsysops.tables.schema import TableSchema

CLUSTER = "cluster:"
ROLES = ("member_id", "item_id")
"""What rows may belong to, beside their request."""
MIN_REPEATS = 200
"""Rows that repeat a day's member, or item, from which on it is known whether they agree."""
MIN_AGREEING = 0.995
Codes = npt.NDArray[np.int64]


def cluster_name(column: str) -> str:
    """Under which name it is frozen what a column belongs to."""
    return f"{CLUSTER}{column}"


def cluster_of(sets: Mapping[str, FrozenSet], column: str) -> str:
    """The column whose values are the clusters of another; "" for requests."""
    found = sets.get(cluster_name(column))
    return found.categories[0] if isinstance(found, CategorySet) and found.categories else ""


def learn_clusters(sample: pa.Table, schema: TableSchema, clock: str, columns: Iterable[str]) -> dict[str, CategorySet]:
    """What each column belongs to, as a set of the one column whose values are its clusters, empty for the request.

    A column belongs to members (or items) when rows of one day that share the member nearly always agree, and those that
    share the item do not; one that agrees for both is of the day as such, and left to requests.

    Args:
        sample: rows with the clock, the columns, and those of the roles in ``ROLES`` that the table has.
        schema: of the table.
        clock: the column that places rows in time.
        columns: what to learn.
    """
    times, placeable = microseconds(sample[clock].combine_chunks(), clock)
    owners = [column.name for role in ROLES if (column := schema.role(role)) is not None]
    groups = {name: _groups(sample[name], times // DAY_US, placeable) for name in owners}
    found = {}
    for name in columns:
        values = _codes(sample[name])
        agreeing = [owner for owner in owners if owner != name and _agrees(values, groups[owner])]
        found[cluster_name(name)] = CategorySet(tuple(agreeing) if len(agreeing) == 1 else ())
    return found


def _groups(owner: pa.ChunkedArray, days: Codes, placeable: npt.NDArray[np.bool_]) -> Codes:
    """A number for each day and owner; -1 for rows without."""
    codes = _codes(owner)
    known = placeable & (codes >= 0)
    numbers = np.full(len(codes), -1, np.int64)
    if known.any():
        pairs = days[known] * (int(codes.max()) + 1) + codes[known]
        numbers[known] = np.unique(pairs, return_inverse=True)[1]
    return numbers


def _codes(values: pa.ChunkedArray) -> Codes:
    """A number for each distinct value, -1 for NULL."""
    values = values.combine_chunks()
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    coded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
    return np.asarray(pc.fill_null(coded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False), np.int64)


def _agrees(values: Codes, groups: Codes) -> bool:
    """Whether rows of one group nearly always have the value of the group's first row; not when nothing varies at all."""
    known = groups >= 0
    values, groups = values[known], groups[known]
    if len(np.unique(values)) < 2:
        return False
    numbers, first = np.unique(groups, return_index=True)
    is_repeat = np.ones(len(groups), np.bool_)
    is_repeat[first] = False
    if int(is_repeat.sum()) < MIN_REPEATS:
        return False
    leaders = values[first][np.searchsorted(numbers, groups)]
    return bool((values == leaders)[is_repeat].mean() >= MIN_AGREEING)
