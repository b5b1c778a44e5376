"""A small healthy log of a whole recommender, for detectors of what it shows: candidates, slates, outcomes and a catalogue.

Beside ``example_log`` it has requests with candidates that were not shown, ranks, sources, filters, two hosts, prices, plays that
follow the scores, and every view of these tables.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.tables.views.registered import with_views
from recsysops.testing.example_log import FIRST_DAY, ExampleLog

if TYPE_CHECKING:
    import pandas as pd

N_ITEMS, N_MEMBERS, SLATE = 40, 150, 4
ATTENTION = np.array([1.2, 1.0, 0.9, 0.8])
"""Chance that a member looks at each position, over its mean: plays follow score × attention."""
_ROLES = {
    "request_id": "categorical", "ts": "timestamp", "item_id": "categorical", "member_id": "categorical",
    "position": "numeric", "shown": "boolean", "raw_score": "numeric", "score": "numeric", "raw_rank": "numeric",
    "final_rank": "numeric", "model_id": "categorical", "candidate_source": "categorical", "filtered_by": "categorical",
    "fallback": "boolean", "host": "categorical", "price": "numeric",
    "sampling_rate": "numeric", "experiment_arm": "categorical",
}  # fmt: skip
_OUTCOMES = {
    "request_id": "categorical", "ts": "timestamp", "item_id": "categorical", "member_id": "categorical",
    "kind": "categorical", "origin": "categorical", "value": "numeric",
}  # fmt: skip
_ITEMS = {"item_id": "categorical", "as_of": "timestamp", "launch_at": "timestamp", "price": "numeric"}


def _table(name: str, roles: dict[str, Any], slices: tuple[str, ...] = ()) -> TableSchema:
    own = [
        Column(role, kind, role if role != "price" or name == "candidates" else None) for role, kind in roles.items()
    ]
    dims = [Column(one, "categorical") for one in slices]
    return TableSchema(name, (*own, *dims), slices, label_window_days=1 if name == "outcomes" else 0)


SLATE_SCHEMA = with_views(
    Schema(
        {
            "candidates": _table("candidates", _ROLES, ("market", "device")),
            "outcomes": _table("outcomes", _OUTCOMES),
            "items": _table("items", _ITEMS),
        }
    )
)


def example_slates(n_days: int = 7, requests_per_day: int = 300, candidates: int = 12, seed: int = 0) -> ExampleLog:
    """A healthy log of slates of four out of some candidates; plays happen as often as the scores say.

    Args:
        n_days: days, the last of which is judged.
        requests_per_day: mean number of requests; a day varies by 3 %.
        candidates: of a request; a tenth of them are filtered as seen.
        seed: of everything.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    days = tuple(FIRST_DAY + timedelta(days=index) for index in range(n_days))
    parts = [_day(rng, day, requests_per_day, candidates) for day in days]
    tables = {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}
    return ExampleLog(tables, SLATE_SCHEMA, days, seed)


def _day(rng: np.random.Generator, day: date, requests_per_day: int, size: int) -> dict[str, pd.DataFrame]:
    import pandas as pd

    n = max(1, int(requests_per_day * np.exp(rng.normal(0.0, 0.03))))
    quality = np.linspace(1.0, -1.0, N_ITEMS)
    item = np.argsort(rng.exponential(size=(n, N_ITEMS)) * np.arange(8, N_ITEMS + 8), axis=1)[:, :size]
    raw = np.sort(quality[item] + rng.normal(0.0, 0.8, item.shape) - 1.5, axis=1)[:, ::-1]
    order = np.argsort(-(quality[item] + rng.normal(0.0, 0.8, item.shape)), axis=1)
    item = np.take_along_axis(item, order, axis=1)
    is_out = rng.random(item.shape) < 0.1
    final = np.argsort(np.argsort(is_out, axis=1, kind="stable"), axis=1) + 1
    shown = ~is_out & (final <= SLATE)
    minute = np.sort(rng.integers(0, 86_400, n))
    ts = np.datetime64(day, "us") + minute.astype("timedelta64[s]")
    request = np.array([f"{day:%m%d}-{one}" for one in range(n)], object)
    member = np.array([f"m{one}" for one in rng.integers(0, N_MEMBERS, n)], object)
    score = 1.0 / (1.0 + np.exp(-raw))
    frame = pd.DataFrame(
        {
            "request_id": np.repeat(request, size),
            "ts": pd.DatetimeIndex(np.repeat(ts, size), tz="UTC"),
            "item_id": _names(item).ravel(),
            "member_id": np.repeat(member, size),
            "position": np.where(shown, final, np.nan).ravel(),
            "shown": shown.ravel(),
            "raw_score": raw.ravel(),
            "score": score.ravel(),
            "raw_rank": np.tile(np.arange(1, size + 1), n),
            "final_rank": final.ravel(),
            "model_id": "m1",
            "candidate_source": np.array(["taste", "popular", "new"], object)[(item + order) % 3].ravel(),
            "filtered_by": np.array([None, "seen"], object)[is_out.astype(int)].ravel(),
            "fallback": False,
            "sampling_rate": 0.1,
            "experiment_arm": np.repeat(np.array(["a", "b"], object)[[int(one[1:]) % 2 for one in member]], size),
            "host": np.repeat(_choice(rng, ("h1", "h2"), n, (0.5, 0.5)), size),
            "price": np.array([0.0, 29.0, 99.0])[item % 3].ravel(),
            "market": np.repeat(_choice(rng, ("NO", "DK", "IS"), n, (0.7, 0.25, 0.05)), size),
            "device": np.repeat(_choice(rng, ("tv", "phone"), n, (0.6, 0.4)), size),
        }
    )
    return {"candidates": frame, "outcomes": _outcomes(rng, frame), "items": _items(day)}


def _outcomes(rng: np.random.Generator, frame: pd.DataFrame) -> pd.DataFrame:
    """Plays from slates within ten minutes, and some searches, mostly for what was a candidate."""
    import pandas as pd

    seen = frame[frame["shown"]]
    chance = seen["score"].to_numpy() * ATTENTION[seen["position"].to_numpy().astype(int) - 1]
    played = seen[rng.random(len(seen)) < chance]
    searched = frame[~frame["shown"]].sample(n=min(40, len(frame) // 12), random_state=int(rng.integers(2**31)))
    both = pd.concat([played, searched], ignore_index=True)
    is_search = np.arange(len(both)) >= len(played)
    minutes = np.random.default_rng(len(frame)).gamma(
        2.0, 15.0, len(both)
    )  # of its own, so that all else stays as it is
    strange = is_search & (rng.random(len(both)) < 0.3)
    return pd.DataFrame(
        {
            "request_id": both["request_id"].where(~is_search, None),
            "ts": both["ts"] + pd.to_timedelta(rng.integers(1, 600, len(both)), unit="s"),
            "item_id": np.where(strange, _names(rng.integers(0, N_ITEMS, len(both))), both["item_id"].astype(object)),
            "member_id": both["member_id"],
            "kind": "play",
            "origin": np.where(is_search, "search", "slate"),
            "value": minutes,
        }
    )


def _items(day: date) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "item_id": _names(np.arange(N_ITEMS)),
            "as_of": pd.Timestamp(day, tz="UTC"),
            "launch_at": pd.Timestamp(FIRST_DAY, tz="UTC") - pd.to_timedelta(200 + np.arange(N_ITEMS), unit="D"),
            "price": np.array([0.0, 29.0, 99.0])[np.arange(N_ITEMS) % 3],
        }
    )


def _names(item: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    return np.array([f"item_{one:02d}" for one in range(N_ITEMS)], object)[item]


def _choice(
    rng: np.random.Generator, names: tuple[str, ...], n: int, shares: tuple[float, ...]
) -> npt.NDArray[np.object_]:
    return np.asarray(rng.choice(np.array(names, object), n, p=shares), object)
