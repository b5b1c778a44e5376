"""``traced`` against pandas: as-of joins by merge_asof, features computed again, differences where they were planted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from recsysops.replay.differences import CLASSES
from recsysops.replay.traced_rows import traced_rows
from recsysops.tables.schema import Schema
from recsysops.tables.views.registered import with_views
from recsysops.tables.views.traced import DIFFERENT, N_ROWS, SAME, TracedFeatures
from recsysops.tables.views.view import Folders
from recsysops.tables.views.view_source import open_view
from recsysops.workspace import Workspace

DAY = pd.Timestamp("2026-03-20", tz="UTC")
N_ITEMS, N_MEMBERS, N_REQUESTS, N_SLATE = 40, 30, 120, 6
LINEAGE = {
    "price": "item_features.price",
    "genre": "item_features.genre",
    "days_out": "item_features.launch_at",
    "age_years": "item_features.release_year",
    "taste": "item_features.price",
    "gap": "item_features.price",
    "usual_price": "member_features.usual_price",
    "since_play": "member_features.last_play_at",
    "word": "item_features.launch_at",
    "lost": "item_features.no_such_column",
}


def upstream(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ten nightly snapshots, readable from three in the morning; item i0 was last written eleven days ago, i1 never."""
    nights = [DAY - pd.Timedelta(days=days) for days in range(11, -1, -1)]
    launch = DAY - pd.to_timedelta(rng.integers(1, 400, N_ITEMS), unit="D")
    year = rng.integers(1990, 2026, N_ITEMS).astype(float)
    genre = rng.choice(["drama", "crime", "sport"], N_ITEMS)
    items = pd.concat(
        pd.DataFrame(
            {
                "key": [f"i{one}" for one in range(N_ITEMS)],
                "as_of": night,
                "available_at": night + pd.Timedelta(hours=3),
                "price": np.round(rng.gamma(2.0, 20.0, N_ITEMS), 2),
                "launch_at": launch,
                "release_year": year,
                "genre": genre,
            }
        )[lambda frame, first=night == nights[0]: (frame["key"] != "i1") & ((frame["key"] != "i0") | first)]
        for night in nights
    )
    members = pd.concat(
        pd.DataFrame(
            {
                "key": [f"m{one}" for one in range(N_MEMBERS)],
                "as_of": night,
                "available_at": night + pd.Timedelta(hours=3),
                "usual_price": np.where(
                    rng.random(N_MEMBERS) < 0.1, np.nan, np.round(rng.gamma(2.0, 15.0, N_MEMBERS), 2)
                ),
                "last_play_at": night - pd.to_timedelta(rng.integers(1, 9 * 86_400, N_MEMBERS), unit="s"),
            }
        )
        for night in nights
    )
    return items, members


def as_of(rows: pd.DataFrame, table: pd.DataFrame, key: str) -> pd.DataFrame:
    """The upstream row of each candidate, by pandas; rows older than eight days before the day are not looked at."""
    known = table[table["as_of"] >= DAY - pd.Timedelta(days=8)].sort_values("available_at")
    left = rows[["ts", key]].reset_index().sort_values("ts")
    found = pd.merge_asof(left, known, left_on="ts", right_on="available_at", left_by=key, right_by="key")
    return found.set_index("index").sort_index()


def served(rng: np.random.Generator, items: pd.DataFrame, members: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Candidates of a day, and what the view should say of each."""
    request = np.repeat(np.arange(N_REQUESTS), N_SLATE)
    seconds = np.sort(rng.integers(0, 86_400, N_REQUESTS))[request]
    item = np.concatenate([rng.choice(N_ITEMS, N_SLATE, replace=False) for _ in range(N_REQUESTS)])
    rows = pd.DataFrame(
        {
            "request_id": [f"r{one}" for one in request],
            "ts": DAY + pd.to_timedelta(seconds, unit="s"),
            "item_id": [f"i{one}" for one in item],
            "member_id": [f"m{one}" for one in rng.integers(0, N_MEMBERS, N_REQUESTS)[request]],
            "market": rng.choice(["NO", "SE"], N_REQUESTS)[request],
        }
    )
    of_item, of_member = as_of(rows, items, "item_id"), as_of(rows, members, "member_id")
    rows["price"] = of_item["price"].astype(np.float32)
    rows["genre"] = of_item["genre"]
    rows["days_out"] = np.floor((rows["ts"] - of_item["launch_at"]).dt.total_seconds() / 86_400).astype(np.float32)
    rows["age_years"] = (2026 - of_item["release_year"]).astype(np.float32)
    rows["taste"] = rng.random(len(rows))
    rows["gap"] = (of_item["price"] - of_member["usual_price"]).astype(np.float32)
    rows["usual_price"] = of_member["usual_price"].astype(np.float32)
    since = (rows["ts"] - of_member["last_play_at"]).dt.total_seconds()
    rows["since_play"] = since
    rows["word"], rows["lost"] = "x", 1.0
    has_item, has_usual = of_item["key"].notna(), of_member["usual_price"].notna()
    said = pd.DataFrame(
        {
            "price": _where(has_item, "same"),
            "genre": _where(has_item, "same"),
            "days_out": _where(has_item, "whole days since"),
            "age_years": _where(has_item, "years since"),
            "gap": _where(has_item & has_usual, "difference"),
            "usual_price": _where(has_usual, "same"),
            "since_play": "seconds since",
            "word": None,
        },
        index=rows.index,
        dtype=object,
    )
    return _planted(rng, rows, said, has_item)


def _where(flags: pd.Series[bool], word: str) -> pd.Series[Any]:
    return pd.Series(word, flags.index, dtype=object).where(flags, None)


def _planted(
    rng: np.random.Generator, rows: pd.DataFrame, said: pd.DataFrame, has_item: pd.Series[bool]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Missing prices, words of another genre, ages that are an hour off."""
    for column, value, kind in (("price", np.nan, "missing"), ("genre", "quiz", "defaulted")):
        hit = has_item & (rng.random(len(rows)) < 0.1)
        rows.loc[hit, column], said.loc[hit, column] = value, kind
    late = rng.random(len(rows)) < 0.2
    rows.loc[late, "since_play"] += 3600.0
    rows.loc[~late, "since_play"] += rng.uniform(-3, 3, (~late).sum())  # computed a moment before or after the log's
    said.loc[late, "since_play"] = "scaled"
    return rows, said


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame, pd.DataFrame]:
    folder, rng = tmp_path_factory.mktemp("traced"), np.random.default_rng(7)
    items, members = upstream(rng)
    rows, said = served(rng, items, members)
    rows.to_parquet(folder / "candidates.parquet", index=False)
    for name, frame in (("item_features", items), ("member_features", members)):
        (folder / name).mkdir()
        for night, part in frame.groupby(frame["as_of"].dt.date):
            part.to_parquet(folder / name / f"{night}.parquet", index=False)
    roles = {name: name for name in ("key", "as_of", "available_at")}
    tables = {
        "candidates": {
            "source": {"path": "candidates.parquet"},
            "roles": {name: name for name in ("request_id", "ts", "item_id", "member_id")},
            "features": list(LINEAGE),
            "slices": ["market"],
            "columns": {name: {"lineage": source} for name, source in LINEAGE.items()},
        },
        **{
            name: {"source": {"path": name}, "roles": roles, "features": features}
            for name, features in (
                ("item_features", ["price", "launch_at", "release_year", "genre"]),
                ("member_features", ["usual_price", "last_play_at"]),
            )
        },
    }
    (folder / "recsysops.yaml").write_text(yaml.safe_dump({"version": 1, "name": "traced", "tables": tables}))
    return folder, rows, said


def view_of(folder: Path) -> pd.DataFrame:
    tables = Workspace(folder).tables

    def days_of(name: str) -> dict[str, tuple[tuple[date, int], ...]]:
        keys = [one.key for one in tables[name].partitions()]
        days = {key: date(2026, 3, 20) if name == "candidates" else date.fromisoformat(Path(key).stem) for key in keys}
        return {key: ((day, 1),) for key, day in days.items()}

    def connect() -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        return connection

    opened = open_view(TracedFeatures(), tables, days_of, connect, transform=traced_rows, folders=Folders(folder))
    assert opened is not None
    [partition] = opened.partitions()
    names = [column.name for column in opened.schema.columns]
    found: pd.DataFrame = pd.concat(batch.to_pandas() for batch in opened.source.batches(partition, names))
    return found


def test_every_feature_is_told_as_pandas_tells_it(world: tuple[Path, pd.DataFrame, pd.DataFrame]) -> None:
    folder, rows, said = world
    found = view_of(folder)
    expected = rows[["request_id", "item_id", "market"]].join(said)
    both = found.merge(expected, on=["request_id", "item_id"], suffixes=("", " expected"), validate="1:1")
    assert len(both) == len(found) == N_REQUESTS * N_ROWS
    for name in ("market", *said.columns):
        mine, oracle = (both[one].astype(object).where(both[one].notna(), None) for one in (name, f"{name} expected"))
        differ = both.assign(mine=mine, oracle=oracle)[mine.ne(oracle) & ~(mine.isna() & oracle.isna())]
        assert differ.empty, f"{name}\n{differ[['item_id', 'mine', 'oracle']].head()}"
    assert set(found["taste"].dropna()) <= set(DIFFERENT)


def test_nothing_is_said_of_a_column_that_is_not_there(world: tuple[Path, pd.DataFrame, pd.DataFrame]) -> None:
    tables = Workspace(world[0]).tables
    schema = with_views(Schema({name: table.schema for name, table in tables.items()})).tables["traced"]
    assert schema.column("lost") is None
    assert schema.column("taste") is not None
    alone = with_views(Schema({"candidates": tables["candidates"].schema}))
    assert alone.table("traced") is None


def test_classes_are_those_of_replays() -> None:
    assert (SAME, *DIFFERENT) == CLASSES
