"""Counts against brute force and DuckDB, and the laws they obey."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_oracle import counted_cells, expected_cells

from recsysops.errors import SchemaError, SourceError
from recsysops.profiles.categories import learn_categories
from recsysops.profiles.edges import learn_edges
from recsysops.profiles.kernel import CellCounter, scan_cells
from recsysops.profiles.measures import Cells
from recsysops.profiles.parquet_batches import parquet_batches
from recsysops.profiles.scan_plan import ColumnPlan, ScanPlan

laws = settings(deadline=None, derandomize=True, max_examples=40)
DAY = 86_400_000_000
REFERENCE = np.array([-1.0, 0.0, 0.5, 0.5, 1.0, 2.5, 1e30, -7.0], np.float32)
PLAN = ScanPlan(
    (
        ColumnPlan(Cells("t", "x", "histogram", by_hour=True), learn_edges(REFERENCE), default=2.5, mask="was_filled"),
        ColumnPlan(Cells("t", "y", "histogram"), learn_edges(REFERENCE.astype(np.float64), n_bins=3)),
    ),
    ("market", "device"),
    clock="ts",
    request_id="request_id",
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "request_id": st.sampled_from(["a", "b", "c", "d"]),
            "ts": st.none() | st.integers(-DAY, 2 * DAY),
            "market": st.sampled_from(["NO", "SE", "🎬", "", None]),
            "device": st.sampled_from([True, False, None]),
            "x": st.none() | st.floats(width=32) | st.sampled_from(REFERENCE.tolist()),
            "y": st.none() | st.floats(),
            "was_filled": st.sampled_from([True, False, False, None]),
        }
    ),
    max_size=40,
)
SCHEMA = pa.schema(
    {
        "request_id": pa.string(),
        "ts": pa.timestamp("us", "UTC"),
        "market": pa.string(),
        "device": pa.bool_(),
        "x": pa.float32(),
        "y": pa.float64(),
        "was_filled": pa.bool_(),
    }
)


def batch_of(content: list[dict[str, object]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(content, SCHEMA)


def stored_as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Booleans as the labels that the kernel gives them."""
    column = batch.column("device").cast(pa.string())
    return batch.set_column(batch.schema.get_field_index("device"), "device", column)


@laws
@given(rows)
def test_equals_brute_force(content: list[dict[str, object]]) -> None:
    batch = batch_of(content)
    counts = scan_cells([batch], PLAN, n_threads=1)
    for index, column in enumerate(PLAN.columns):
        assert counted_cells(counts, index) == expected_cells(stored_as_text(batch), PLAN, column)
    assert (counts.n_rows, counts.n_unplaced_rows) == (batch.num_rows, batch.column("ts").null_count)


@laws
@given(rows, rows, st.randoms(use_true_random=False))
def test_batches_add_up_and_order_does_not_matter(
    first: list[dict[str, object]], second: list[dict[str, object]], random: object
) -> None:
    whole = [*first, *second]
    together = scan_cells([batch_of(whole)], PLAN, n_threads=1)
    apart = scan_cells([batch_of(first), batch_of(second)], PLAN, n_threads=2)
    turned = scan_cells([batch_of(whole[::-1])], PLAN, n_threads=1)
    for other in (apart, turned):
        assert (other.days, other.slices) == (together.days, together.slices)
        for one, two in zip(together.columns, other.columns, strict=True):
            assert (one.counts() == two.counts()).all()
            assert counted_cells(other, 0) == counted_cells(together, 0)
    sums = counted_cells(scan_cells([batch_of(first)], PLAN, 1), 1)
    sums.update(counted_cells(scan_cells([batch_of(second)], PLAN, 1), 1))
    assert sums == counted_cells(together, 1)


def big_batch(n: int = 20_000) -> pa.RecordBatch:
    random = np.random.default_rng(3)
    request = np.arange(n) // 7
    return pa.record_batch(
        {
            "request_id": pa.array([f"r{k}" for k in request]),
            "ts": pa.array(request * 90_000_000, pa.timestamp("us", "UTC")),
            "market": pa.array(random.choice(["NO", "SE", "DK"], n)[request]).dictionary_encode(),
            "device": pa.array(random.integers(0, 4, n)[request], mask=random.random(n) < 0.1),
            "x": pa.array(random.normal(size=n).astype(np.float32), mask=random.random(n) < 0.1),
            "y": pa.array(random.choice(["a", "b", "", "🎬", "z"], n), mask=random.random(n) < 0.1),
        }
    )


X = ColumnPlan(Cells("t", "x", "histogram", by_hour=True), learn_edges(np.linspace(-2, 2, 999, dtype=np.float32)))
Y = ColumnPlan(
    Cells("t", "y", "frequencies"), categories=learn_categories(pa.array(["a", "a", "b", "", "🎬"]), top_k=2)
)
PAIR = ColumnPlan(
    Cells("t", "y", "frequencies", pair="device"),
    categories=learn_categories(pa.array(["a\x1f1", "b\x1f2"])),
    default="z\x1f0",
)
BIG = ScanPlan((X, Y, PAIR, ColumnPlan(Cells("t"))), ("market", "device"), clock="ts", request_id="request_id")


def test_equals_duckdb_by_day_hour_and_slice() -> None:
    batch = big_batch()
    counts = scan_cells([batch[:9000], batch[9000:]], BIG)
    slices = [str(slice_) for slice_ in counts.slices]
    found = counts.columns[2].counts()
    sql = """SELECT ts::date, coalesce('device=' || device, 'device=(null)'),
        CASE WHEN y IS NULL OR device IS NULL THEN 0 WHEN y = 'z' AND device = 0 THEN 1
             WHEN y = 'a' AND device = 1 THEN 4 WHEN y = 'b' AND device = 2 THEN 5 ELSE 2 END, count(*)
        FROM batch GROUP BY ALL"""
    duckdb.execute("SET TimeZone = 'UTC'")
    rows = duckdb.execute(sql).fetchall()
    assert len(rows) == 36
    for day, slice_, cell, n in rows:
        assert found[counts.days.index(day), slices.index(slice_), cell] == n
    hours = counts.columns[0].hourly()
    assert hours is not None
    assert (hours.sum(axis=1) == counts.columns[0].counts()).all()
    sql = "SELECT ts::date, hour(ts), count(*) FROM batch WHERE x IS NULL GROUP BY ALL"
    for day, hour, n in duckdb.execute(sql).fetchall():
        assert hours[counts.days.index(day), hour, 0, 0] == n


def test_frequencies_tell_null_new_and_other() -> None:
    batch = big_batch()
    counts = scan_cells([batch], BIG)
    values = batch.column("y").to_pylist()
    expected = [
        values.count(None),
        0,
        values.count("z"),
        values.count("🎬") + values.count("b"),
        values.count("a"),
        values.count(""),
    ]
    assert counts.columns[1].cells == ("null", "defaulted", "new", "other", "a", "")
    assert counts.columns[1].counts()[:, 0].sum(axis=0).tolist() == expected
    assert counts.columns[3].counts()[:, 0].sum() == batch.num_rows


def test_encoding_does_not_matter() -> None:
    batch = big_batch(3000)
    plain = pa.record_batch(
        {n: c.cast(pa.string()) if n == "market" else c for n, c in zip(batch.schema.names, batch.columns, strict=True)}
    )
    coded = pa.record_batch(
        {
            n: c.dictionary_encode() if n in ("y", "device", "request_id", "x") else c
            for n, c in zip(batch.schema.names, batch.columns, strict=True)
        }
    )
    for other in (plain, coded):
        for one, two in zip(scan_cells([batch], BIG).columns, scan_cells([other], BIG).columns, strict=True):
            assert (one.counts() == two.counts()).all()


def test_moments_of_finite_values_that_are_not_defaulted() -> None:
    values = pa.array([1.0, None, np.nan, np.inf, 3.0, 9.0])
    plan = ScanPlan((ColumnPlan(Cells("t", "v", "moments"), default=9.0, shift=1.0),), ("s",), day=date(2026, 1, 1))
    counts = scan_cells([pa.record_batch({"v": values, "s": pa.array(["a", "b", "a", "a", "a", "a"])})], plan)
    assert counts.columns[0].moments().tolist() == [
        [[2, 2, 4, 1, 3], [2, 2, 4, 1, 3], [0, 0, 0, float("inf"), float("-inf")]]
    ]
    with pytest.raises(ValueError, match="moments"):
        counts.columns[0].counts()


@pytest.mark.parametrize(
    "values",
    [
        pa.array([0, 1, None], pa.int8()),
        pa.array([False, True, None]),
        pa.array([0, 1, None], pa.decimal128(9, 2)),
        pa.array([0, 1, None], pa.float16()),
        pa.array([0, 1, None], pa.uint64()),
        pa.array([9, 0, 1, None], pa.int64())[1:],
        pa.DictionaryArray.from_arrays([0, 1, 2], pa.array([0.0, 1.0, None])),
    ],
)
def test_every_numeric_type(values: pa.Array) -> None:
    edges = learn_edges(np.array([0, 1]))
    plan = ScanPlan((ColumnPlan(Cells("t", "v", "histogram"), edges),), day=date(2026, 1, 1))
    counts = scan_cells([pa.record_batch({"v": values})], plan).columns[0]
    cells = [cell for cell, n in zip(counts.cells, counts.counts()[0, 0], strict=True) if n]
    assert cells == ["null", "(-1.0, 0.0]", "(0.0, 1.0]"]


def test_days_without_buckets_take_one_row() -> None:
    batch = big_batch()
    whole = scan_cells([batch], BIG)
    some = scan_cells([batch], replace(BIG, bucket_days=frozenset([whole.days[1]])))
    for one, two in zip(whole.columns, some.columns, strict=True):
        assert (one.counts() == two.counts()).all()
        assert (one.buckets(1) == two.buckets(1)).all()
    assert (whole.columns[0].buckets(1).sum(axis=1) == whole.columns[0].counts()[1]).all()
    with pytest.raises(ValueError, match="bucket_days"):
        some.columns[0].buckets(0)


def test_slices_beyond_200_values_are_other() -> None:
    n = 300
    batch = pa.record_batch({"s": pa.array([f"v{k:03d}" for k in range(n)] + [None])})
    plan = ScanPlan((ColumnPlan(Cells("t")),), ("s",), day=date(2026, 1, 1))
    counts = scan_cells([batch], plan)
    by_value = dict(zip((slice_.value for slice_ in counts.slices), counts.columns[0].counts()[0, :, 0], strict=True))
    assert (len(by_value), by_value["(other)"], by_value["(null)"]) == (203, 100, 1)
    named = {"s": learn_categories(pa.array(["v299", "v298"]))}
    counts = scan_cells([batch], replace(plan, slice_values=named))
    assert [slice_.value for slice_ in counts.slices] == ["", "(null)", "(other)", "v298", "v299"]


def test_no_rows_at_all() -> None:
    for batches in ([], [big_batch(0)]):
        counts = scan_cells(batches, BIG)
        assert (counts.days, [str(slice_) for slice_ in counts.slices]) == ((), ["all rows"])
        assert counts.columns[0].counts().shape == (0, 1, X.n_cells)


def broken_text() -> pa.Array:
    """Bytes that are no UTF-8, in a column that says they are."""
    blob = pa.array([b"\xff\xfe"] * 3)
    return pa.StringArray.from_buffers(3, *blob.buffers()[1:])


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("x", pa.array(["a"] * 3), "x: found type string"),
        ("ts", pa.array([1, 2, 3]), "ts: found type int64"),
        ("y", pa.array([[1]] * 3), "y: found values of type list.* declare its kind as other"),
        ("market", pa.array([{"a": 1}] * 3), "market: found values of type struct"),
        ("market", broken_text(), "market: found values of type string that are no text"),
    ],
)
def test_columns_that_cannot_be_counted(name: str, values: pa.Array, message: str) -> None:
    batch = big_batch(3)
    batch = batch.set_column(batch.schema.get_field_index(name), name, values)
    with pytest.raises(SchemaError, match=message):
        scan_cells([batch], BIG)
    with pytest.raises(SchemaError, match=f"{name}: found 2 columns of that name"):
        scan_cells([pa.RecordBatch.from_arrays([*batch.columns, values], [*batch.schema.names, name])], BIG)
    with pytest.raises(SchemaError, match="no such column"):
        scan_cells([batch.drop_columns([name])], BIG)


def test_times_off_the_calendar_are_unplaced() -> None:
    times = pa.array([0, 2**62, -(2**62)], pa.timestamp("us"))
    counts = scan_cells([pa.record_batch({"ts": times})], ScanPlan((ColumnPlan(Cells("t")),), clock="ts"))
    assert (counts.days, counts.n_rows, counts.n_unplaced_rows) == ((date(1970, 1, 1),), 3, 2)


def test_a_counter_fed_by_hand_equals_the_scan_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(big_batch()), path, row_group_size=6000)
    counter = CellCounter(BIG)
    counter.add(big_batch())
    scanned = scan_cells(parquet_batches(path, BIG.reads, BIG.categorical_reads), BIG, n_threads=2)
    assert counted_cells(scanned, 0) == counted_cells(counter.result(), 0)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SourceError, match=r"t\.parquet"):
        list(parquet_batches(path, BIG.reads))
