"""Small healthy upstream tables, a row per entity and day, for detectors that hold entities against themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.registered import with_views
from recsysops.testing.example_log import FIRST_DAY, ExampleLog

if TYPE_CHECKING:
    import pandas as pd

N_ITEMS, N_MEMBERS = 300, 1000
FEATURE_SCHEMA = with_views(
    Schema(
        {
            "item_features": TableSchema(
                "item_features",
                (
                    Column("key", "categorical", "key"),
                    Column("as_of", "timestamp", "as_of"),
                    Column("plays_1d", "numeric", is_feature=True),
                    Column("runtime_minutes", "numeric", is_feature=True),
                    Column("genre", "categorical", is_feature=True),
                    Column("kind", "categorical", is_feature=True),
                ),
            ),
            "member_features": TableSchema(
                "member_features",
                (
                    Column("key", "categorical", "key"),
                    Column("as_of", "timestamp", "as_of"),
                    Column("minutes_7d", "numeric", is_feature=True),
                    Column("joined_at", "timestamp", is_feature=True),
                    Column("last_play_at", "timestamp", is_feature=True),
                    Column("languages", "categorical", is_feature=True),
                ),
            ),
        }
    )
)


def example_features(n_days: int = 7, seed: int = 0) -> ExampleLog:
    """Items and members whose counts move every day and whose metadata stays.

    Args:
        n_days: days, the last of which is judged.
        seed: of everything.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    days = tuple(FIRST_DAY + timedelta(days=index) for index in range(n_days))
    popularity, activity = rng.gamma(1.0, 12.0, N_ITEMS), rng.gamma(2.0, 60.0, N_MEMBERS)
    runtime, genre = rng.integers(20, 150, N_ITEMS).astype(float), rng.integers(0, 4, N_ITEMS)
    joined = pd.Timestamp(FIRST_DAY, tz="UTC") - pd.to_timedelta(rng.integers(10, 900, N_MEMBERS), unit="D")
    languages = rng.choice(np.array(["en", "en,nb", "sv"], object), N_MEMBERS)
    last = pd.DatetimeIndex([pd.Timestamp(FIRST_DAY, tz="UTC") - pd.Timedelta(days=1)] * N_MEMBERS)
    items, members = [], []
    for day in days:
        last = _last_plays(rng, last, day)
        items.append(
            pd.DataFrame(
                {
                    "key": [f"item_{one}" for one in range(N_ITEMS)],
                    "as_of": pd.Timestamp(day, tz="UTC"),
                    "plays_1d": rng.poisson(popularity).astype(float),
                    "runtime_minutes": runtime,
                    "genre": np.array(["drama", "comedy", "news", "sport"], object)[genre],
                    "kind": np.array(["film", "film", "live", "live"], object)[genre],
                }
            )
        )
        members.append(
            pd.DataFrame(
                {
                    "key": [f"m{one}" for one in range(N_MEMBERS)],
                    "as_of": pd.Timestamp(day, tz="UTC"),
                    "minutes_7d": (activity * np.exp(0.03 * rng.normal(size=N_MEMBERS))).round(1),
                    "joined_at": joined,
                    "last_play_at": last,
                    "languages": languages,
                }
            )
        )
    tables = {
        "item_features": pd.concat(items, ignore_index=True),
        "member_features": pd.concat(members, ignore_index=True),
    }
    return ExampleLog(tables, FEATURE_SCHEMA, days, seed)


def stuck(log: ExampleLog, table: str, *columns: str) -> ExampleLog:
    """The judged day has the values of the day before, in these columns or in all."""
    frame = log.tables[table].copy()
    day = frame["as_of"].dt.date
    now, then = np.flatnonzero(day == log.days[-1]), np.flatnonzero(day == log.days[-2])
    for name in columns or [name for name in frame.columns if name not in ("key", "as_of")]:
        values = frame[name].array.copy()
        values[now] = values[then]
        frame[name] = values
    return replace(log, tables={**log.tables, table: frame})


def _last_plays(rng: np.random.Generator, last: pd.DatetimeIndex, day: date) -> pd.DatetimeIndex:
    """A third of the members played on the day before, at any time of it."""
    import pandas as pd

    played = rng.random(len(last)) < 0.35
    seconds = pd.to_timedelta(rng.integers(0, 86_400, len(last)), unit="s")
    times = pd.Timestamp(day, tz="UTC") - pd.Timedelta(days=1) + seconds
    return pd.DatetimeIndex(times.where(played, last))
