"""The same history from any format; clocks, identifiers and slices of every kind; tables without this or that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from engine_logs import SCHEMA, candidate_rows, candidates_engine, open_engine, write_partitions
from engine_oracle import NOW, found_cells, found_keys
from test_laws_of_profiles import DAYS, MEASURES, same, told

from recsysops.engines.in_process import Engine
from recsysops.profiles.history import CellContrast
from recsysops.profiles.measures import Cells, Keyed, KeyedSample, Measure, PerRequest

ROWS = Cells("candidates")
ITEMS = Keyed("candidates", "item", ("rows", "requests"))
REQUESTS = PerRequest("candidates", "duplicate_key", ("request", "item"))
ALL: list[Measure] = [ROWS, ITEMS, REQUESTS]
ROLES = {"request_id": "request", "ts": "ts", "item_id": "item"}
FORMATS = ["jsonl", "csv", "duckdb"]


def _finite(seed: int) -> list[dict[str, Any]]:
    """What text formats can express: no NaN apart from NULL, no infinities, no control characters."""
    rows = candidate_rows(seed, n_requests=25)
    for row in rows:
        for name in ("score", "feature.1"):
            row[name] = row[name] if row[name] is not None and abs(row[name]) < 1e9 else None
        for name in ('it"em', "market"):
            row[name] = row[name].replace("\x1f", "-") if row[name] else row[name]
    return rows


def _write(table: pa.Table, folder: Path, kind: str) -> str:
    folder.mkdir(parents=True)
    if kind == "duckdb":
        with duckdb.connect(str(folder / "log.duckdb")) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("rows", table)
            connection.execute("CREATE TABLE log AS SELECT * FROM rows")
        return "candidates/log.duckdb"
    if kind == "csv":
        pyarrow.csv.write_csv(table, folder / "log.csv")
    else:
        lines = [
            json.dumps({k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()})
            for row in table.to_pylist()
        ]
        (folder / "log.jsonl").write_text("\n".join(lines) + "\n")
    return "candidates"


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_history_of_parquet(tmp_path: Path, kind: str) -> None:
    rows = _finite(4)
    write_partitions(tmp_path / "parquet/candidates", [rows])
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    path = _write(table, tmp_path / kind / "candidates", kind)
    source: dict[str, Any] = {"path": path} | ({"table": "log"} if kind == "duckdb" else {})
    expected = told(candidates_engine(tmp_path / "parquet", tmp_path / "state parquet"))
    same(told(candidates_engine(tmp_path / kind, tmp_path / "state", source=source)), expected)


def small(root: Path, arrays: dict[str, pa.Array], slices: list[str], **changed: Any) -> Engine:
    """A log of one file."""
    (root / "candidates").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(arrays), root / "candidates/log.parquet")
    return open_engine(root, root / "state", candidates={"roles": ROLES, "slices": slices, **changed})


def cells_of(engine: Engine, measure: Cells | PerRequest = ROWS) -> CellContrast:
    assert not engine.profile(ALL).skipped
    days = list(engine.event_days("candidates"))
    contrast = engine.history(days[:-1], days[-1:], now=NOW).cells(measure)
    assert contrast is not None
    return contrast


MOMENTS = [
    datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 23, 59, 59, 999_999, tzinfo=UTC),
]
NANOS = [int(moment.timestamp()) * 10**9 for moment in MOMENTS]


@pytest.mark.parametrize(
    "clock",
    [
        pa.array(MOMENTS, pa.timestamp("us", "UTC")),
        pa.array(MOMENTS, pa.timestamp("us", "America/New_York")),
        pa.array([moment.replace(tzinfo=None) for moment in MOMENTS], pa.timestamp("us")),
        pa.array(NANOS, pa.timestamp("ns")),
        pa.array(NANOS, pa.timestamp("ns", "UTC")),
        pa.array([n // 10**6 for n in NANOS], pa.timestamp("ms", "UTC")),
        pa.array([moment.isoformat() for moment in MOMENTS]),
    ],
    ids=lambda clock: str(clock.type),
)
def test_kernel_and_sql_agree_on_days_whatever_the_clock(tmp_path: Path, clock: pa.Array) -> None:
    columns = {"request": pa.array(["a", "b", "c"]), "ts": clock, "item": pa.array(["x", "x", "y"])}
    engine = small(tmp_path, columns, [])
    assert [day.isoformat() for day in engine.event_days("candidates")] == []
    rows = dict(found_cells(cells_of(engine)))
    assert [(str(day), n) for (day, _, _), n in sorted(rows.items())] == [("1969-12-31", 1), ("2026-01-01", 2)]
    requests = {at: n for at, n in found_cells(cells_of(engine, REQUESTS)).items() if at[2] == "rows"}
    assert requests == rows


def test_epoch_numbers_are_times(tmp_path: Path) -> None:
    seconds = pa.array([1_767_225_600, 1_767_225_599, None], pa.int64())
    columns = {"request": pa.array(["a", "b", "c"]), "ts": seconds, "item": pa.array(["x", "x", "y"])}
    engine = small(tmp_path, columns, [], columns={"ts": {"kind": "timestamp"}})
    assert {str(day): n for (day, _, _), n in found_cells(cells_of(engine)).items()} == {
        "2026-01-01": 1,
        "2025-12-31": 1,
    }


def test_times_off_the_calendar_belong_to_no_day(tmp_path: Path) -> None:
    clock = pa.array([-(2**62), 0, 2**62, 2**63 - 1], pa.timestamp("us", "UTC"))
    columns = {"request": pa.array(list("abcd")), "ts": clock, "item": pa.array(list("wxyz"))}
    engine = small(tmp_path, columns, [])
    assert found_cells(cells_of(engine)).total() == 1
    requests = found_cells(cells_of(engine, REQUESTS))
    assert sum(n for at, n in requests.items() if at[2] == "requests") == 1


@pytest.mark.parametrize(
    "values",
    [
        pa.array([True, False, None]),
        pa.array([7, -1, None], pa.int64()),
        pa.array([7, 255, None], pa.uint8()),
        pa.array(["", "(null)", None]),
        pa.array(["a", "b", None]).dictionary_encode(),
        pa.array(["a", "b", None], pa.large_string()),
    ],
    ids=lambda values: str(values.type)[:20],
)
def test_kernel_and_sql_name_slices_alike(tmp_path: Path, values: pa.Array) -> None:
    clock = pa.array([MOMENTS[1]] * 3, pa.timestamp("us", "UTC"))
    columns = {"request": pa.array(list("abc")), "ts": clock, "item": pa.array(list("xyz")), "s": values}
    engine = small(tmp_path, columns, ["s"])
    assert cells_of(engine).slices == cells_of(engine, REQUESTS).slices
    texts = {"(null)", *(str(one).lower() for one in values.to_pylist() if one is not None)}
    assert {one.value for one in cells_of(engine).slices[1:]} == texts


def test_fractions_as_a_slice_are_named_alike(tmp_path: Path) -> None:
    clock = pa.array([MOMENTS[1]] * 4, pa.timestamp("us", "UTC"))
    fractions = pa.array([1.0, 0.5, float("nan"), None])
    columns = {"request": pa.array(list("abcd")), "ts": clock, "item": pa.array(list("wxyz")), "s": fractions}
    engine = small(tmp_path, columns, ["s"], columns={"s": {"kind": "categorical"}})
    assert cells_of(engine).slices == cells_of(engine, REQUESTS).slices
    assert {one.value for one in cells_of(engine).slices[1:]} == {"1", "0.5", "(null)"}


@pytest.mark.parametrize("n_values", [200, 201, 400])
def test_kernel_and_sql_keep_the_same_values_of_a_dimension_with_many(tmp_path: Path, n_values: int) -> None:
    n = 2 * n_values
    names = [f"value {index % n_values:03d}" for index in range(n)]
    clock = pa.array([MOMENTS[1] + timedelta(seconds=index) for index in range(n)], pa.timestamp("us", "UTC"))
    columns = {
        "request": pa.array([f"r{i}" for i in range(n)]),
        "ts": clock,
        "item": pa.array(["x"] * n),
        "s": pa.array(names),
    }
    engine = small(tmp_path, columns, ["s"])
    rows, requests = found_cells(cells_of(engine)), found_cells(cells_of(engine, REQUESTS))
    assert {at[1]: k for at, k in rows.items()} == {at[1]: k for at, k in requests.items() if at[2] == "rows"}
    n_other = {at[1]: k for at, k in rows.items()}.get("s=(other)", 0)
    assert n_other == 2 * max(0, n_values - 200)
    days = list(engine.event_days("candidates"))
    other = next((one for one in cells_of(engine).slices if one.value == "(other)"), None)
    if other is not None:
        found = found_keys(engine.history(days[:-1], days[-1:], now=NOW), ITEMS, slice_=other)
        assert set(found.values()) == {float(n_other)}


@pytest.mark.parametrize("is_everything_alone", [True, False])
def test_one_measure_alone_is_counted_as_among_many(tmp_path: Path, is_everything_alone: bool) -> None:
    write_partitions(tmp_path / "candidates", [candidate_rows(6)])
    together = told(candidates_engine(tmp_path, tmp_path / "together"))
    for number, measure in enumerate(MEASURES if is_everything_alone else MEASURES[::-1]):
        alone = told(candidates_engine(tmp_path, tmp_path / f"{is_everything_alone}-{number}"), [measure])
        same(alone, {name: together[name] for name in alone})


def test_integer_request_ids(tmp_path: Path) -> None:
    clock = pa.array([MOMENTS[1]] * 4, pa.timestamp("us", "UTC"))
    columns = {"request": pa.array([1, 1, 2, None], pa.int64()), "ts": clock, "item": pa.array(["x", "x", "y", "y"])}
    found = found_cells(cells_of(small(tmp_path, columns, []), REQUESTS))
    assert {at[2]: n for at, n in found.items()} == {"requests": 2, "flagged_requests": 1, "rows": 3, "flagged_rows": 1}


def test_slices_from_hive_folders_and_columns_that_came_later(tmp_path: Path) -> None:
    clock = pa.array([MOMENTS[1]], pa.timestamp("us", "UTC"))
    old = {"request": pa.array(["a"]), "ts": clock, "item": pa.array(["x"])}
    for market, columns in (("N'O", old), ("SE", {**old, "device": pa.array(["tv"])})):
        folder = tmp_path / f"candidates/market={market}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table(columns), folder / "log.parquet")
    settings = {"roles": ROLES, "slices": ["market", "device"]}
    engine = open_engine(tmp_path, tmp_path / "state", candidates=settings)
    names = {"all rows", "market=N'O", "market=SE", "device=(null)", "device=tv"}
    assert {str(one) for one in cells_of(engine).slices} == names
    assert {str(one) for one in cells_of(engine, REQUESTS).slices} == names


def test_a_table_without_requests_or_clock(tmp_path: Path) -> None:
    days = pa.array([MOMENTS[1]] * 4, pa.timestamp("us", "UTC"))
    for name, columns in {
        "items": {"item": pa.array(["x", "x", "y", None]), "as_of": days, "price": pa.array([1.0, 1.0, None, 2.0])},
        "availability": {"item": pa.array(["x"]), "market": pa.array(["NO"])},
    }.items():
        (tmp_path / name).mkdir()
        pq.write_table(pa.table(columns), tmp_path / name / "all.parquet")
    items = {"roles": {"item_id": "item", "as_of": "as_of"}}
    engine = open_engine(
        tmp_path, tmp_path / "state", items=items, availability={"roles": {"item_id": "item", "market": "market"}}
    )
    duplicates = PerRequest("items", "duplicate_key", ("item", "as_of"))
    invalid = PerRequest("items", "invalid_number", ("price",))
    sample = KeyedSample("items", ("price",))
    unclocked = Cells("availability")
    assert not engine.profile([duplicates, invalid, sample, unclocked]).skipped
    history = engine.history([], [MOMENTS[1].date()], now=NOW)
    expected = {duplicates: (3, 1, 4, 1), invalid: (3, 1, 4, 1)}
    for measure, counts in expected.items():
        contrast = history.cells(measure)
        assert contrast is not None
        assert tuple(contrast.current[0, 0].tolist()) == counts
    assert history.cells(unclocked) is None
    found = history.sample(sample)
    assert found is not None
    assert len(found.current) == 3
    assert len(DAYS) > 1
