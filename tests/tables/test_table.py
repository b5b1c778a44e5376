"""A table reads what its settings say, in canonical values, whatever each partition looks like."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from table_files import candidates, table_rows

from recsysops.config.settings import SourceSettings, TableSettings, WorkspaceSettings
from recsysops.errors import ConfigError, RecSysOpsError, SchemaError
from recsysops.tables.open_tables import open_tables, schema_of
from recsysops.tables.relation import partition_view

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def write(root: Path, name: str = "logs/1.parquet", **columns: Any) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    n_rows = len(next(iter(columns.values()))) if columns else 2
    ids = [f"r{index}" for index in range(n_rows)]
    base = {"request_id": ids, "ts": pa.array([NOON] * n_rows), "item_id": list(range(n_rows))}
    pq.write_table(pa.table(base | columns), path)


def test_the_binding_of_roles_kinds_features_slices_and_masks(tmp_path: Path) -> None:
    write(tmp_path, f_a=[1.5, 2.0], f_b=[1, None], f_b_mask=[True, False], market=["NO", "SE"], position=[1, 2])
    table = candidates(
        tmp_path,
        roles={"position": "position"},
        features=["f_*", "position"],
        slices=["market"],
        columns={"f_b": {"default": 0.0, "mask": "f_b_mask", "owner": "ranking"}},
    )
    assert [column.name for column in table.schema.features] == ["f_a", "f_b", "position"]
    assert table.schema.slices == ("market",)
    f_b = table.schema.column("f_b")
    assert f_b is not None
    assert (f_b.kind, f_b.default, f_b.mask, f_b.owner) == ("numeric", 0.0, "f_b_mask", "ranking")
    kinds = {column.name: column.kind for column in table.schema.columns}
    assert kinds["ts"] == "timestamp"
    assert kinds["request_id"] == kinds["market"] == "categorical"
    assert kinds["f_b_mask"] == "boolean"


def test_values_are_canonical(tmp_path: Path) -> None:
    write(
        tmp_path,
        item_id=pa.array([1.0, float("nan")]),
        score=pa.array([Decimal("1.50"), None]),
        half=pa.array([0.5, 1.0], pa.float16()),
        code=pa.array([7, 8]),
        flag=pa.array([0, 1]),
        ts=pa.array([1767355200, 1767355200000]),
    )
    stated = {"code": {"kind": "categorical"}, "flag": {"kind": "boolean"}}
    table = candidates(tmp_path, roles={"score": "score"}, columns=stated)
    first, second = table_rows(table, ["item_id", "score", "half", "code", "flag", "ts"])
    assert first == {"item_id": 1, "score": 1.5, "half": 0.5, "code": "7", "flag": False, "ts": NOON}
    assert second == {"item_id": None, "score": None, "half": 1.0, "code": "8", "flag": True, "ts": NOON}


def test_columns_that_come_and_go_are_null_where_they_are_not(tmp_path: Path) -> None:
    write(tmp_path, "logs/1.parquet", old=[1.5, 2.5])
    write(tmp_path, "logs/2.parquet", new=["x", None])
    write(tmp_path, "logs/3.parquet", old=[1, 2], new=pa.nulls(2))
    table = candidates(tmp_path, features=["old", "new"])
    rows = table_rows(table, ["old", "new"])
    assert [row["old"] for row in rows] == [1.5, 2.5, None, None, 1, 2]
    assert [row["new"] for row in rows] == [None, None, "x", None, None, None]


def test_identifiers_may_turn_from_numbers_to_text(tmp_path: Path) -> None:
    write(tmp_path, "logs/1.parquet", item_id=[1, 2])
    write(tmp_path, "logs/2.parquet", item_id=["2", "x"])
    table = candidates(tmp_path)
    assert [row["item_id"] for row in table_rows(table, ["item_id"])] == ["1", "2", "2", "x"]


def test_types_that_clash_name_both_files_where_the_table_needs_the_column(tmp_path: Path) -> None:
    write(tmp_path, "logs/1.parquet", item_id=[1.5, 2.5])
    write(tmp_path, "logs/2.parquet", item_id=["a", "b"])
    with pytest.raises(SchemaError, match=r"item_id: found double in logs/1.parquet, string in logs/2.parquet"):
        candidates(tmp_path)


@pytest.mark.parametrize("other", [["a", "b"], [True, False], [NOON, NOON]])
def test_a_feature_whose_type_changes_is_null_where_it_cannot_be_read(tmp_path: Path, other: list[object]) -> None:
    write(tmp_path, "logs/1.parquet", f=[1.5, 2.5])
    write(tmp_path, "logs/2.parquet", f=other)
    table = candidates(tmp_path, features=["f"])
    column = table.schema.column("f")
    assert column is not None
    assert column.kind == "numeric"
    assert [row["f"] for row in table_rows(table, ["f"])] == [1.5, 2.5, None, None]
    for partition in table.partitions():
        assert table.arrow_schema(partition, ["f"]).field("f").type == pa.float64()
    unused = candidates(tmp_path).schema.column("f")
    assert unused is not None
    assert unused.kind == "other"


@pytest.mark.parametrize("fmt", ["parquet", "jsonl"])
def test_slates_become_candidates(tmp_path: Path, fmt: str) -> None:
    rows = [
        {"request_id": "a", "ts": "2026-01-02T12:00:00Z", "item_id": ["x", "y"], "score": [0.5, 0.25]},
        {"request_id": "b", "ts": "2026-01-02T12:00:00Z", "item_id": [], "score": []},
        {"request_id": "c", "ts": "2026-01-02T12:00:00Z", "item_id": ["z"], "score": None},
    ]
    (tmp_path / "logs").mkdir()
    if fmt == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "logs" / "1.parquet")
    else:
        (tmp_path / "logs" / "1.jsonl").write_text("\n".join(map(json.dumps, rows)))
    table = candidates(tmp_path, roles={"position": "_index", "score": "score"}, unnest=["item_id", "score"])
    found = [tuple(row.values()) for row in table_rows(table, ["request_id", "item_id", "score", "_index", "ts"])]
    assert found == [("a", "x", 0.5, 1, NOON), ("a", "y", 0.25, 2, NOON), ("c", "z", None, 1, NOON)]
    assert len(table_rows(table, ["request_id"])) == 3
    assert table.parquet_path(table.partitions()[0]) is None


def test_unequal_arrays_name_file_and_request(tmp_path: Path) -> None:
    write(tmp_path, item_id=[[1], [2, 3]], score=[[0.5], [0.1]])
    table = candidates(tmp_path, roles={"score": "score"}, unnest=["item_id", "score"])
    with pytest.raises(SchemaError, match=r"logs/1.parquet request r1: found 1 entries in 'score' but 2"):
        table_rows(table, ["score"])


def test_long_slates_stay_bounded(tmp_path: Path) -> None:
    write(tmp_path, item_id=[list(range(1000))] * 400)
    table = candidates(tmp_path, unnest=["item_id"])
    sizes = [batch.num_rows for batch in table.batches(table.partitions()[0], ["item_id"])]
    assert sum(sizes) == 400_000
    assert max(sizes) <= 131_072


def test_filters(tmp_path: Path) -> None:
    write(tmp_path, policy=["random", "bts", None], arm=[1, 2, 1], model=["a", "b", "a"])
    table = candidates(tmp_path, roles={"model_id": "model"})
    assert [row["item_id"] for row in table_rows(table.filtered("policy", "random"), ["item_id"])] == [0]
    assert [row["item_id"] for row in table_rows(table.filtered("arm", "1"), ["item_id"])] == [0, 2]
    assert table.filtered("model_id", "b").where == (("model", "b"),)
    assert table.filtered("arm", "1").filtered("policy", "bts").binding != table.filtered("arm", "1").binding
    with pytest.raises(SchemaError, match="did you mean 'policy'"):
        table.filtered("polcy", "random")


def test_parquet_is_read_directly_only_when_nothing_is_to_be_done(tmp_path: Path) -> None:
    write(tmp_path, "logs/day=1/1.parquet", naive=pa.array([NOON.replace(tzinfo=None)] * 2), f=[1.5, 2.5])
    write(tmp_path, "logs/day=2/2.parquet", item_id=[1.0, 2.0], naive=pa.array([NOON.replace(tzinfo=None)] * 2))
    path = tmp_path / "logs/day=1/1.parquet"
    table = candidates(tmp_path)
    one, two = table.partitions()
    assert table.parquet_path(one, ["ts", "item_id", "request_id", "naive", "f"]) == path
    assert table.parquet_path(one) is None  # it has no column from its path
    assert table.parquet_path(one, ["day"]) is None
    assert table.parquet_path(two, ["item_id"]) is None
    assert table.parquet_path(two, ["f"]) is None
    assert table.parquet_path(two, ["ts"]) is not None
    assert table.filtered("f", "1.5").parquet_path(one, ["f"]) is None
    oslo = candidates(tmp_path, timezone="Europe/Oslo")
    assert oslo.parquet_path(one, ["naive"]) is None
    assert oslo.parquet_path(one, ["ts"]) == path


def test_the_binding_changes_with_the_meaning_of_counts_only(tmp_path: Path) -> None:
    write(tmp_path, f=[1.5, 2.5])
    plain = candidates(tmp_path)
    stated = candidates(tmp_path, columns={"f": {"default": 0.0}})
    oslo = candidates(tmp_path, timezone="Europe/Oslo")
    owned = candidates(tmp_path, columns={"f": {"owner": "ranking"}}, features=["f"])
    assert len({plain.binding, stated.binding, oslo.binding}) == 3
    write(tmp_path, "logs/2.parquet", new=[1, 2])
    assert candidates(tmp_path).binding == plain.binding
    assert owned.schema.column("f") != plain.schema.column("f")


BAD_SETTINGS: dict[str, tuple[dict[str, Any], type[RecSysOpsError], str]] = {
    "unknown role": ({"roles": {"postion": "f"}}, ConfigError, "did you mean 'position'"),
    "absent column": ({"roles": {"item_id": "itme_id"}}, SchemaError, "did you mean 'item_id'"),
    "wrong kind": (
        {"roles": {"position": "market"}},
        SchemaError,
        r"found categorical values \(string in logs/1.parquet\)",
    ),
    "flag as time": ({"roles": {"ts": "flag"}}, SchemaError, "expected timestamp"),
    "two roles": ({"roles": {"score": "f", "raw_score": "f"}}, ConfigError, "column 'f' as score and as raw_score"),
    "glob of nothing": ({"features": ["g_*"]}, SchemaError, "'g_[*]', which matches no column"),
    "glob of roles": ({"features": ["item*"]}, SchemaError, "free to be a feature"),
    "absent slice": ({"slices": ["markte"]}, SchemaError, "did you mean 'market'"),
    "slice by a measurement": ({"slices": ["f"]}, SchemaError, "found 'f' with double in logs/1.parquet"),
    "absent stated column": ({"columns": {"g": {"default": 0}}}, SchemaError, "no column 'g'"),
    "absent mask": ({"columns": {"f": {"mask": "falg"}}}, SchemaError, "did you mean 'flag'"),
    "no array": ({"unnest": ["f"]}, SchemaError, "expected an array per row"),
    "absent array": ({"unnest": ["g"]}, SchemaError, "no column 'g'"),
    "unknown zone": ({"timezone": "Mars/Olympus"}, ConfigError, "expected an IANA name"),
}


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_settings_that_do_not_fit_the_data(tmp_path: Path, case: str) -> None:
    write(tmp_path, f=[1.5, 2.5], flag=[True, False], market=["NO", "SE"])
    settings, error, message = BAD_SETTINGS[case]
    with pytest.raises(error, match=message):
        candidates(tmp_path, **settings)


def test_a_missing_required_role_and_an_unknown_table(tmp_path: Path) -> None:
    write(tmp_path)
    source = SourceSettings(path="logs")
    missing = {"candidates": TableSettings(source=source, roles={"ts": "ts", "item_id": "item_id"})}
    with pytest.raises(ConfigError, match="found no request_id, expected the column that is the request"):
        open_tables(WorkspaceSettings(tables=missing), tmp_path)
    unknown = {"candidate": TableSettings(source=source, roles={})}
    with pytest.raises(ConfigError, match="did you mean 'candidates'"):
        open_tables(WorkspaceSettings(tables=unknown), tmp_path)


def test_the_workspaces_zone_counts_where_the_table_names_none(tmp_path: Path) -> None:
    write(tmp_path, ts=["2026-07-01 12:00:00"])
    roles = {"request_id": "request_id", "ts": "ts", "item_id": "item_id"}
    tables = {"candidates": TableSettings(source=SourceSettings(path="logs"), roles=roles)}
    opened = open_tables(WorkspaceSettings(tables=tables, timezone="Europe/Oslo"), tmp_path)
    assert table_rows(opened["candidates"], ["ts"]) == [{"ts": datetime(2026, 7, 1, 10, tzinfo=UTC)}]
    assert schema_of(opened).table("candidates") == opened["candidates"].schema


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ts": ["yesterday"]}, r"candidates.ts in logs/1.parquet: found .*yesterday.*expected timestamp values"),
        ({"item_id": [1.5]}, r"candidates.item_id in logs/1.parquet: found .*1.5"),
        ({"item_id": [1e18]}, "lost digits as a float"),
        ({"score": ["high"]}, r"candidates.score in logs/1.parquet: found .*high.*state columns.score.kind"),
    ],
)
def test_values_that_do_not_fit_name_column_and_file(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    write(tmp_path, **columns)
    stated = {"score": {"kind": "numeric"}} if "score" in columns else {}
    table = candidates(tmp_path, columns=stated)
    with pytest.raises(SchemaError, match=message):
        table_rows(table, list(columns))


def test_all_null_columns_and_one_row(tmp_path: Path) -> None:
    write(tmp_path, f=pa.nulls(1), position=pa.nulls(1), market=pa.nulls(1))
    table = candidates(tmp_path, roles={"position": "position"}, features=["f"], slices=["market"])
    kinds = {column.name: column.kind for column in table.schema.columns}
    assert (kinds["f"], kinds["position"], kinds["market"]) == ("numeric", "numeric", "categorical")
    assert table_rows(table, ["f", "position", "market"]) == [{"f": None, "position": None, "market": None}]


def test_duckdb_sees_the_same_rows_directly_and_as_a_stream(tmp_path: Path) -> None:
    write(tmp_path, "logs/it's [1]*.parquet", **{'x "y".z': [1.5, None], "market": ["NO", "SE"]})
    table = candidates(tmp_path)
    [partition] = table.partitions()
    with duckdb.connect() as connection:
        for given in (table, table.filtered("market", "NO"), table.filtered("market", "nowhere")):
            for columns in (["item_id", 'x "y".z'], ["market"]):
                expected = [tuple(row.values()) for row in table_rows(given, columns)]
                with partition_view(connection, given, partition, columns, 'my "view"') as view:
                    assert connection.execute(f"FROM {view}").fetchall() == expected
        assert connection.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone() == (0,)


def test_what_goes_wrong_in_a_stream_keeps_its_name(tmp_path: Path) -> None:
    write(tmp_path, item_id=[float(index) for index in range(70_000)] + [0.5])
    table = candidates(tmp_path)
    [partition] = table.partitions()
    columns = ["item_id"]
    with (
        duckdb.connect() as connection,
        pytest.raises(SchemaError, match=r"candidates.item_id in logs/1.parquet"),
        partition_view(connection, table, partition, columns, "v") as view,
    ):
        connection.execute(f"SELECT sum(item_id) FROM {view}").fetchall()
