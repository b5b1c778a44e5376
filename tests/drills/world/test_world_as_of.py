"""Training–serving replay of the clean service: every logged feature is what the feature tables said at the time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from world_files import Frame, arrow, frame

DAY = np.timedelta64(1, "D")


@pytest.fixture(scope="module")
def candidates(log: Path) -> Frame:
    rows = frame(log, "candidates")
    assert len(rows) > 50_000
    return rows


@pytest.fixture(scope="module")
def item(log: Path, candidates: Frame) -> Frame:
    return as_of(candidates, "item_id", frame(log, "item_features"))


@pytest.fixture(scope="module")
def member(log: Path, candidates: Frame) -> Frame:
    return as_of(candidates, "member_id", frame(log, "member_features"))


def as_of(candidates: Frame, key: str, features: Frame) -> Frame:
    """The newest feature row of each candidate's key that could be read at its time, row by row."""
    asked = candidates[["ts", key]].rename(columns={key: "key"}).reset_index().sort_values("ts", kind="stable")
    known = features.sort_values("available_at", kind="stable")
    found = pd.merge_asof(asked, known, left_on="ts", right_on="available_at", by="key")
    return found.set_index("index").sort_index()


def assert_logged(candidates: Frame, name: str, expected: object) -> None:
    """Not one row differs, at the precision of the log."""
    logged, recomputed = candidates[name].to_numpy(), np.asarray(expected, np.float32)
    assert logged.dtype == np.float32
    differs = ~((logged == recomputed) | (np.isnan(logged) & np.isnan(recomputed)))
    assert not differs.any(), f"{name}: {differs.sum()} of {len(differs)} rows, first {candidates[differs].iloc[0].ts}"


@pytest.mark.parametrize(
    "name",
    ["plays_1d", "plays_7d", "play_rate_7d", "completion_28d", "runtime_minutes", "maturity_rating", "price", "artwork_variants"],
)  # fmt: skip
def test_features_copied_from_an_item(candidates: Frame, item: Frame, name: str) -> None:
    assert_logged(candidates, f"item_{name}", item[name])


@pytest.mark.parametrize("name", ["genre", "language", "kind"])
def test_words_copied_from_an_item(candidates: Frame, item: Frame, name: str) -> None:
    logged, expected = candidates[f"item_{name}"], item[name]
    assert ((logged == expected) | (logged.isna() & expected.isna())).all()


@pytest.mark.parametrize("name", ["plays_7d", "minutes_7d", "usual_price"])
def test_features_copied_from_a_member(candidates: Frame, member: Frame, name: str) -> None:
    assert_logged(candidates, f"member_{name}", member[name])


def test_ages(candidates: Frame, item: Frame, member: Frame) -> None:
    ts = candidates["ts"]
    assert_logged(candidates, "item_days_since_launch", (ts - item["launch_at"]) / DAY)
    assert_logged(candidates, "item_release_age_years", 2026 - item["release_year"])
    assert_logged(candidates, "member_account_age_days", (ts - member["joined_at"]) / DAY)
    assert_logged(candidates, "member_seconds_since_play", (ts - member["last_play_at"]) / np.timedelta64(1, "s"))


def test_what_item_and_member_say_together(candidates: Frame, item: Frame, member: Frame) -> None:
    taste = sum(item[f"emb_{k}"].to_numpy() * member[f"emb_{k}"].to_numpy() for k in range(8))
    assert_logged(candidates, "taste_match", taste)
    assert_logged(candidates, "price_gap", item["price"] - member["usual_price"])
    affinity = np.full(len(item), np.nan)
    for genre in item["genre"].dropna().unique():
        is_it = (item["genre"] == genre).to_numpy()
        affinity[is_it] = member.loc[is_it, f"affinity_{genre}"]
    assert_logged(candidates, "genre_affinity", affinity)


def test_language_match_and_its_mask(candidates: Frame, item: Frame, member: Frame) -> None:
    pairs = zip(item["language"], member["languages"], strict=True)
    told = [None if pd.isna(one) or pd.isna(spoken) else one in spoken.split(",") for one, spoken in pairs]
    assert_logged(candidates, "lang_match", [float(bool(one)) for one in told])
    assert (candidates["lang_match_is_default"] == [one is None for one in told]).all()


def test_context(candidates: Frame) -> None:
    assert_logged(candidates, "hour_of_day", candidates["ts"].dt.hour)
    assert_logged(candidates, "is_weekend", candidates["ts"].dt.day_of_week >= 5)


def test_snapshots_matter(log: Path, candidates: Frame, item: Frame) -> None:
    """The test can fail: a snapshot that could not be read yet has other values."""
    early = candidates.assign(ts=candidates["ts"] + np.timedelta64(3, "h"))
    ahead = as_of(early, "item_id", frame(log, "item_features"))
    assert 0.01 < (ahead["plays_1d"] != item["plays_1d"]).mean() < 0.5


def test_the_faces_of_missing(log: Path) -> None:
    """What nothing was played of is NaN on both sides, what nobody filled in yet is NULL."""
    for table, name in (("candidates", "item_completion_28d"), ("item_features", "completion_28d")):
        completion = arrow(log, table)[name]
        assert completion.null_count == 0
        assert np.isnan(completion.to_numpy()).any()
    artwork = arrow(log, "item_features")["artwork_variants"]
    assert artwork.null_count > 0
    assert not np.isnan(artwork.drop_null().to_numpy()).any()
