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
MIN_PAIRS = 200
"""Pairs of requests of one member, or with one item, from which on it is known whether they agree."""
MIN_AGREEMENT = 0.9
"""Beyond chance; values that are renewed during the day part some pairs."""
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

    A column belongs to members (or items) when of two requests that follow one another on a day, of one member (or with one
    item), both nearly always have the same value; one that agrees for both is of the day as such, and left to requests.

    Args:
        sample: rows with the clock, the request, the columns, and those of the roles in ``ROLES`` that the table has.
        schema: of the table.
        clock: the column that places rows in time.
        columns: what to learn.
    """
    request = schema.role("request_id")
    asked = _codes(sample[request.name]) if request is not None else np.arange(sample.num_rows)
    times, placeable = microseconds(sample[clock].combine_chunks(), clock)
    owners = [column.name for role in ROLES if (column := schema.role(role)) is not None]
    pairs = {name: _pairs(_codes(sample[name]), times, placeable, asked) for name in owners}
    found = {}
    for name in columns:
        values = _codes(sample[name])
        agreeing = [owner for owner in owners if owner != name and _agrees(values, *pairs[owner])]
        found[cluster_name(name)] = CategorySet(tuple(agreeing) if len(agreeing) == 1 else ())
    return found


def _pairs(owners: Codes, times: Codes, placeable: npt.NDArray[np.bool_], asked: Codes) -> tuple[Codes, Codes]:
    """Rows that follow one another on a day under one owner, in different requests: the earlier and the later of each pair."""
    known = np.flatnonzero(placeable & (owners >= 0))
    order = known[np.lexsort((asked[known], times[known], owners[known]))]
    earlier, later = order[:-1], order[1:]
    is_pair = (owners[earlier] == owners[later]) & (times[earlier] // DAY_US == times[later] // DAY_US)
    is_pair &= asked[earlier] != asked[later]
    return earlier[is_pair], later[is_pair]


def _codes(values: pa.ChunkedArray) -> Codes:
    """A number for each distinct value, -1 for NULL."""
    values = values.combine_chunks()
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    coded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
    return np.asarray(pc.fill_null(coded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False), np.int64)


def _agrees(values: Codes, earlier: Codes, later: Codes) -> bool:
    """Cohen's kappa of the pairs: how often they agree beyond what any two rows would by chance."""
    if len(earlier) < MIN_PAIRS:
        return False
    chance = float(((np.unique(values, return_counts=True)[1] / len(values)) ** 2).sum())
    agreeing = float((values[earlier] == values[later]).mean())
    return chance < 1.0 and (agreeing - chance) / (1.0 - chance) >= MIN_AGREEMENT
