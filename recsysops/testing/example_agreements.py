"""A small healthy service in which facts are told twice: by a catalogue, the features made of it, and the log of what was served."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.registered import with_views
from recsysops.testing.example_log import FIRST_DAY, ExampleLog

if TYPE_CHECKING:
    import pandas as pd

N_ITEMS, N_MEMBERS = 300, 200
LANGUAGE_OF = {"NO": "nb", "SE": "sv", "DK": "da", "US": "en", "GB": "en"}
"""Of the country where a title was made."""
_GENRES = ("drama", "comedy", "news")


def _table(
    name: str, columns: dict[str, Any], features: tuple[str, ...], roles: tuple[str, ...], slices: tuple[str, ...]
) -> TableSchema:
    own = [Column(one, kind, one if one in roles else None, one in features) for one, kind in columns.items()]
    return TableSchema(name, tuple(own), slices)


AGREEMENT_TABLES = Schema(
    {
        "candidates": _table(
            "candidates",
            {
                "request_id": "categorical", "ts": "timestamp", "member_id": "categorical", "item_id": "categorical",
                "position": "numeric", "item_language": "categorical", "item_genre": "categorical", "market": "categorical",
            },
            ("item_language", "item_genre"), ("request_id", "ts", "member_id", "item_id", "position"), ("market",),
        ),
        "items": _table(
            "items",
            {
                "item_id": "categorical", "as_of": "timestamp", "title": "categorical", "country": "categorical",
                "language": "categorical", "genre": "categorical",
            },
            (), ("item_id", "as_of"), (),
        ),
        "item_features": _table(
            "item_features",
            {"key": "categorical", "as_of": "timestamp", "language": "categorical", "genre": "categorical"},
            ("language", "genre"), ("key", "as_of"), (),
        ),
        "member_features": _table(
            "member_features",
            {"key": "categorical", "as_of": "timestamp", "market": "categorical"}, ("market",), ("key", "as_of"), (),
        ),
    }
)  # fmt: skip
AGREEMENT_SCHEMA = with_views(AGREEMENT_TABLES)


def example_agreements(n_days: int = 8, requests_per_day: int = 300, slate: int = 4, seed: int = 0) -> ExampleLog:
    """Items of five countries and four languages, members of three markets, and slates of them, all of one mind.

    Args:
        n_days: days, the last of which is judged.
        requests_per_day: mean number of requests.
        slate: impressions of a request.
        seed: of everything.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    days = tuple(FIRST_DAY + timedelta(days=index) for index in range(n_days))
    items = pd.DataFrame(
        {"item_id": [f"item_{one}" for one in range(N_ITEMS)], "title": [f"Title {one}" for one in range(N_ITEMS)]}
    )
    items["country"] = rng.choice(np.array([*LANGUAGE_OF], object), N_ITEMS, p=[0.3, 0.25, 0.15, 0.2, 0.1])
    items["language"] = items["country"].map(LANGUAGE_OF)
    items["genre"] = rng.choice(np.array(_GENRES, object), N_ITEMS)
    members = pd.DataFrame({"key": [f"m{one}" for one in range(N_MEMBERS)]})
    members["market"] = rng.choice(np.array(["NO", "SE", "DK"], object), N_MEMBERS, p=[0.6, 0.3, 0.1])
    midnights = [pd.Timestamp(day, tz="UTC") for day in days]
    features = items.rename(columns={"item_id": "key"})[["key", "language", "genre"]]
    every_day = {"items": items, "item_features": features, "member_features": members}
    tables = {
        name: pd.concat([frame.assign(as_of=at) for at in midnights], ignore_index=True)
        for name, frame in every_day.items()
    }
    served = [_served(rng, at, items, members, requests_per_day, slate) for at in midnights]
    return ExampleLog({**tables, "candidates": pd.concat(served, ignore_index=True)}, AGREEMENT_SCHEMA, days, seed)


def _served(
    rng: np.random.Generator, at: pd.Timestamp, items: pd.DataFrame, members: pd.DataFrame, n_mean: int, slate: int
) -> pd.DataFrame:
    import pandas as pd

    n = max(1, int(n_mean * np.exp(rng.normal(0.0, 0.03))))
    request, who = np.repeat(np.arange(n), slate), np.repeat(rng.integers(0, N_MEMBERS, n), slate)
    what = np.concatenate([rng.choice(N_ITEMS, slate, replace=False) for _ in range(n)])
    seconds = np.repeat(np.sort(rng.integers(0, 86_400, n)), slate)
    return pd.DataFrame(
        {
            "request_id": [f"{at:%m%d}-{one}" for one in request],
            "ts": at + pd.to_timedelta(seconds, unit="s"),
            "member_id": members["key"].to_numpy()[who],
            "item_id": items["item_id"].to_numpy()[what],
            "position": np.tile(np.arange(1.0, slate + 1), n),
            "item_language": items["language"].to_numpy()[what],
            "item_genre": items["genre"].to_numpy()[what],
            "market": members["market"].to_numpy()[who],
        }
    )
