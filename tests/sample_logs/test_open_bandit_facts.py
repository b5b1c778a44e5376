"""What the shipped Open Bandit files hold, asked of DuckDB and of pandas, and what their README claims."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from recsysops.sample_logs import path
from recsysops.sample_logs.open_bandit import rebuild

FOLDER = path("open_bandit")
README = (FOLDER / "README.md").read_text(encoding="utf-8")
DAYS = [f"2019-11-{day}" for day in range(24, 31)]
CLICKS = {("all", "bts"): 42, ("all", "random"): 38, ("men", "bts"): 69, ("men", "random"): 46}
FILES = {
    "candidates": "candidates/*/*.parquet",
    "outcomes": "outcomes/*/*.parquet",
    "items": "items/*.parquet",
}


@pytest.fixture(scope="module")
def database() -> Iterable[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for table, files in FILES.items():
            connection.execute(
                f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{FOLDER / files}', hive_partitioning = true)"
            )
        yield connection


@pytest.fixture(scope="module")
def candidates() -> pd.DataFrame:
    return _frame("candidates")


@pytest.fixture(scope="module")
def outcomes() -> pd.DataFrame:
    return _frame("outcomes")


def _frame(table: str) -> pd.DataFrame:
    parts = []
    for file in sorted(FOLDER.glob(FILES[table])):
        part = pd.read_parquet(file, partitioning=None)
        parts.append(part.assign(day=file.parent.name.removeprefix("day=")))
    return pd.concat(parts, ignore_index=True)


def _rows(database: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return database.execute(query).fetchall()


@pytest.mark.parametrize(
    ("table", "schema"),
    [("candidates", rebuild.CANDIDATES), ("outcomes", rebuild.OUTCOMES), ("items", rebuild.ITEMS)],
)
def test_every_file_has_the_schema_and_no_nulls(table: str, schema: Any) -> None:
    files = sorted(FOLDER.glob(FILES[table]))
    assert files
    for file in files:
        found = pq.ParquetFile(file).read()
        assert found.schema.equals(schema), file
        assert found.num_rows > 0
        assert all(column.null_count == 0 for column in found.columns), file


def test_one_partition_per_day_and_ts_within_it(database: duckdb.DuckDBPyConnection, candidates: pd.DataFrame) -> None:
    for table in ("candidates", "outcomes"):
        assert sorted(folder.name for folder in (FOLDER / table).iterdir()) == [f"day={day}" for day in DAYS]
        query = f"SELECT count(*) FROM {table} WHERE epoch_us(ts) // 86400000000 <> date_diff('day', DATE '1970-01-01', day)"
        assert _rows(database, query) == [(0,)]
    assert (candidates["ts"].dt.strftime("%Y-%m-%d") == candidates["day"]).all()


def test_rows_are_in_order_of_ts_then_request_id() -> None:
    for table in ("candidates", "outcomes"):
        frame = _frame(table)
        assert frame.index.equals(frame.sort_values(["ts", "request_id"]).index)


def test_rows_and_clicks_per_campaign_and_policy(
    database: duckdb.DuckDBPyConnection, candidates: pd.DataFrame, outcomes: pd.DataFrame
) -> None:
    query = """
        SELECT campaign, policy, count(*), count(o.request_id)
        FROM candidates LEFT JOIN outcomes o USING (request_id) GROUP BY ALL ORDER BY ALL
    """
    by_sql = _rows(database, query)
    assert by_sql == [(*key, 10_000, n) for key, n in sorted(CLICKS.items())]
    clicked = candidates[candidates["request_id"].isin(outcomes["request_id"])]
    assert clicked.groupby(["campaign", "policy"]).size().to_dict() == CLICKS
    assert candidates.groupby(["campaign", "policy"]).size().to_dict() == dict.fromkeys(CLICKS, 10_000)


def test_request_ids_are_unique_and_name_campaign_policy_and_row(
    database: duckdb.DuckDBPyConnection, candidates: pd.DataFrame
) -> None:
    assert _rows(database, "SELECT count(*), count(DISTINCT request_id) FROM candidates") == [(40_000, 40_000)]
    expected = {f"{campaign}-{policy}-{row:05d}" for campaign, policy in CLICKS for row in range(10_000)}
    assert set(candidates["request_id"]) == expected
    prefix = candidates["campaign"] + "-" + candidates["policy"]
    assert (candidates["request_id"].str.rsplit("-", n=1).str[0] == prefix).all()


def test_every_outcome_is_one_click_on_what_its_request_showed(database: duckdb.DuckDBPyConnection) -> None:
    query = """
        SELECT count(*), count(DISTINCT o.request_id), count(c.request_id),
               count(*) FILTER (o.ts = c.ts AND o.item_id = c.item_id AND o.day = c.day),
               count(*) FILTER (o.kind = 'click' AND o.value = 1.0 AND o.origin = 'slate')
        FROM outcomes o LEFT JOIN candidates c USING (request_id)
    """
    assert _rows(database, query) == [(195,) * 5]


def test_positions_and_propensities(database: duckdb.DuckDBPyConnection, candidates: pd.DataFrame) -> None:
    assert sorted(candidates["position"].unique()) == [1, 2, 3]
    assert candidates["propensity"].between(0, 1, inclusive="right").all()
    uniform = "SELECT DISTINCT campaign, propensity FROM candidates WHERE policy = 'random' ORDER BY ALL"
    assert _rows(database, uniform) == [("all", 1 / 80), ("men", 1 / 34)]


def test_the_catalogue_has_every_item_shown_and_no_other(database: duckdb.DuckDBPyConnection) -> None:
    for policy in ("random", "bts"):
        query = f"""
            SELECT count(*), count(DISTINCT i.item_id), count(c.item_id), count(*) FILTER (i.campaign = c.campaign)
            FROM items i FULL JOIN (SELECT DISTINCT item_id, campaign FROM candidates WHERE policy = '{policy}') c
            USING (item_id)
        """
        assert _rows(database, query) == [(114, 114, 114, 114)]
    assert _rows(database, "SELECT DISTINCT epoch(as_of) FROM items") == [(rebuild.FIRST_DAY.timestamp(),)]


def test_affinities_are_counts_and_the_total_holds_the_item(candidates: pd.DataFrame) -> None:
    shown, total = candidates["user_item_affinity"], candidates["user_affinity_total"]
    assert (shown <= total).all()
    assert (total % 1 == 0).all()
    sentence = f"{(shown > 0).sum()} of 40,000 rows have one for the item shown, {(total > 0).sum():,} for any item"
    assert sentence in README


SUMMARY = """
    SELECT campaign, policy, count(*), count(o.request_id), format('{:.4f}', count(o.request_id) / count(*)),
           count(DISTINCT c.item_id), format('{:.6f}', min(propensity)), format('{:.6f}', max(propensity))
    FROM candidates c LEFT JOIN outcomes o USING (request_id) GROUP BY ALL ORDER BY ALL
"""
PER_DAY = """
    SELECT c.day, count(*) FILTER (policy = 'bts'), count(*) FILTER (policy = 'random'), count(o.request_id)
    FROM candidates c LEFT JOIN outcomes o USING (request_id) GROUP BY ALL ORDER BY ALL
"""
EXPOSURE = """
    WITH shares AS (
        SELECT campaign, policy, count(*) / sum(count(*)) OVER place AS share,
               row_number() OVER (place ORDER BY count(*) DESC, item_id) AS place
        FROM candidates GROUP BY campaign, policy, item_id WINDOW place AS (PARTITION BY campaign, policy)
    )
    SELECT campaign, policy, format('{:.4f}', max(share)), format('{:.4f}', sum(share) FILTER (place <= 3)),
           format('{:.4f}', sum(share) FILTER (place <= 10)), format('{:.4f}', min(share))
    FROM shares GROUP BY ALL ORDER BY ALL
"""


@pytest.mark.parametrize("query", [SUMMARY, PER_DAY, EXPOSURE], ids=["summary", "per_day", "exposure"])
def test_readme_tables_are_the_data(database: duckdb.DuckDBPyConnection, query: str) -> None:
    table = "|---|\n" + "".join(f"| {' | '.join(map(str, row))} |\n" for row in _rows(database, query)) + "\n"
    assert table in README


def test_readme_sentences_are_the_data(database: duckdb.DuckDBPyConnection, candidates: pd.DataFrame) -> None:
    moment = ["campaign", "policy", "ts"]
    member = [f"user_feature_{i}" for i in range(4)]
    pairs = candidates[candidates.duplicated(moment, keep=False)].groupby(moment)
    assert (pairs.size() == 2).all()
    assert (pairs["position"].nunique() == 2).all()
    assert (pairs[member].nunique() == 1).all(axis=None)
    assert f"In {pairs.ngroups} cases" in README
    times = candidates["ts"].dt.strftime("%Y-%m-%d %H:%M:%S")
    assert f"from {times.min()} to {times.max()}" in README
    quiet = candidates["ts"].dt.hour.value_counts().nsmallest(3).index
    assert sorted(quiet) == [18, 19, 20]
    few = "SELECT min(n), max(n) FROM (SELECT count(*) n FROM outcomes GROUP BY day, request_id[:-6])"
    low, high = _rows(database, few)[0]
    assert f"between {low} and {high}" in README
    smallest = candidates.loc[candidates["policy"] == "bts", "propensity"].min()
    draws = candidates.loc[candidates["policy"] == "bts", "propensity"] * 200_000
    assert int(((draws - draws.round()).abs() > 1e-6).sum()) == 1
    assert f"{smallest:.6f}**, {1 / 80 / smallest:.0f} times below uniform" in README


def test_readme_chi_square_of_the_random_policy(candidates: pd.DataFrame) -> None:
    shown = candidates[candidates["policy"] == "random"].groupby(["campaign", "item_id"]).size()
    chi_square = shown.groupby("campaign").apply(lambda n: float(((n - n.mean()) ** 2 / n.mean()).sum()))
    assert f"χ² {chi_square['all']:.1f} on 79" in README
    assert f"{chi_square['men']:.1f} on 33" in README
