"""What columns belong to is learnt from rows, and buckets are then made of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from recsysops.engines.row_clusters import cluster_name, learn_clusters
from recsysops.profiles.edges import EdgeSet
from recsysops.profiles.kernel import scan_cells
from recsysops.profiles.measures import N_BUCKETS, Cells
from recsysops.profiles.request_buckets import request_buckets
from recsysops.profiles.scan_plan import ColumnPlan, ScanPlan
from recsysops.tables.schema import Column, TableSchema

SCHEMA = TableSchema(
    "candidates",
    (
        Column("request", "categorical", "request_id"),
        Column("at", "timestamp", "ts"),
        Column("who", "categorical", "member_id"),
        Column("what", "numeric", "item_id"),
    ),
)
NAMES = (
    "of_member",
    "of_item",
    "of_request",
    "of_pair",
    "of_day",
    "constant",
    "of_member_with_nulls",
    "renewed",
    "rare",
)


def log(n_requests: int = 400, slate: int = 10, seed: int = 0) -> pa.Table:
    """Rows of two days; members ask several times, and values of members and items change overnight."""
    rng = np.random.default_rng(seed)
    day = np.repeat(rng.integers(0, 2, n_requests), slate)
    member = np.repeat(rng.integers(0, 60, n_requests), slate)
    item = rng.integers(0, 40, len(day))
    of_member, of_item = rng.normal(size=(2, 60)), rng.normal(size=(2, 40))
    start = datetime(2026, 3, 1, 1, tzinfo=UTC)
    minute = np.repeat(np.sort(rng.integers(0, 1200, n_requests)), slate)
    return pa.table(
        {
            "request": [f"r{one}" for one in np.repeat(np.arange(n_requests), slate)],
            "at": pa.array(
                [start + timedelta(days=int(d), minutes=int(m)) for d, m in zip(day, minute, strict=True)],
                pa.timestamp("us", "UTC"),
            ),
            "who": [f"m{one}" for one in member],
            "what": item,
            "of_member": of_member[day, member],
            "of_item": of_item[day, item],
            "of_request": np.repeat(rng.normal(size=n_requests), slate),
            "of_pair": rng.normal(size=len(day)),
            "of_day": day.astype(float),
            "constant": np.ones(len(day)),
            "renewed": of_item[(minute > 300).astype(int), item],
            "rare": np.repeat(rng.random(n_requests) < 0.02, slate),
            "of_member_with_nulls": pa.array(
                np.where(member % 5 == 0, np.nan, of_member[day, member]), from_pandas=True
            ),
        }
    )


def test_columns_belong_to_members_items_or_requests() -> None:
    learnt = learn_clusters(log(), SCHEMA, "at", NAMES)
    found = {name: learnt[cluster_name(name)].categories for name in NAMES}
    assert found == {
        "of_member": ("who",),
        "of_item": ("what",),
        "of_request": (),
        "of_pair": (),
        "of_day": (),
        "constant": (),
        "of_member_with_nulls": ("who",),
        "renewed": ("what",),
        "rare": (),
    }


def test_few_rows_tell_nothing() -> None:
    learnt = learn_clusters(log(n_requests=15), SCHEMA, "at", ["of_item"])
    assert learnt[cluster_name("of_item")].categories == ()


@pytest.mark.parametrize("cluster", ["who", "what", ""])
def test_buckets_are_made_of_the_clusters(cluster: str) -> None:
    table = log()
    plan = ColumnPlan(Cells("candidates", "of_member", "histogram"), edges=EdgeSet((-0.5, 0.5)), cluster=cluster)
    counted = scan_cells(table.to_batches(max_chunksize=700), ScanPlan((plan,), clock="at", request_id="request"))
    (column,) = counted.columns
    buckets = request_buckets(table[cluster or "request"].combine_chunks(), len(table))
    first = np.array([one == date(2026, 3, 1) for one in table["at"].cast(pa.date32()).to_pylist()])
    bins = np.searchsorted([-0.5, 0.5], table["of_member"].to_numpy())
    expected = [np.bincount(bins[first & (buckets == bucket)], minlength=3) for bucket in range(N_BUCKETS)]
    assert column.buckets(0)[0].reshape(N_BUCKETS, -1)[:, -3:].tolist() == np.array(expected).tolist()
    assert column.counts()[0, 0, -3:].tolist() == np.sum(expected, axis=0).tolist()
