"""Faults that deliver values which are there but wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from compared_days import at_seam, both, candidates, changed_columns, inputs_of, missing
from tiny_world import TinyWorld, rng

from recsysops.drills.fault import Moment
from recsysops.drills.faults.category_recoding import CategoryRecoding
from recsysops.drills.faults.float32_time import Float32Time
from recsysops.drills.faults.training_serving_difference import COMPUTED, TrainingServingDifference
from recsysops.drills.faults.unit_change import UnitChange
from recsysops.drills.faults.wrong_entity_key import WrongEntityKey
from recsysops.drills.planting.feature_place import place_of
from recsysops.drills.rows import Rows
from recsysops.testing.example_site import example_candidates, example_site

ANY = Moment(date(2026, 11, 2), 0, rng())
NESTED = (0.05, 0.3, 0.7)


@pytest.mark.parametrize(
    ("feature", "seam"), [("member_minutes_7d", "member_features"), ("item_runtime_minutes", "item_features")]
)
def test_minutes_become_seconds_for_the_share(tiny_world: TinyWorld, feature: str, seam: str) -> None:
    fault = UnitChange(0.3, place_of(feature, tiny_world.site), 60.0, "s")
    before, after = at_seam(tiny_world, fault, seam)
    old, new = before[fault.place.column], after[fault.place.column]
    hit = ~((old == new) | missing(old))
    assert hit.mean() == pytest.approx(0.3 * (np.nan_to_num(old) > 0).mean(), abs=0.06)
    assert np.allclose(new[hit], 60 * old[hit])
    other = "item_features" if seam == "member_features" else "member_features"
    assert at_seam(tiny_world, fault, other)[1] is tiny_world.seam_rows[other]
    clean, faulted = both(tiny_world, fault)
    ratio = (faulted[feature] / clean[feature]).dropna().round(3)
    assert set(ratio) == {1.0, 60.0}
    assert "score" in changed_columns(clean, faulted)


@pytest.mark.parametrize("kind", [UnitChange, CategoryRecoding])
def test_items_hit_a_little_are_hit_a_lot(tiny_world: TinyWorld, kind: Any) -> None:
    hit = []
    for severity in NESTED:
        if kind is UnitChange:
            fault: Any = UnitChange(severity, place_of("item_runtime_minutes", tiny_world.site), 60.0, "s")
        else:
            fault = CategoryRecoding(severity, place_of("item_kind", tiny_world.site), "s")
        before, after = at_seam(tiny_world, fault, "item_features")
        name = fault.place.column
        hit.append(~missing(before[name]) & (before[name] != after[name]))
        assert hit[-1][~missing(before[name])].mean() == pytest.approx(severity, abs=0.08)
    assert (hit[0] <= hit[1]).all()
    assert (hit[1] <= hit[2]).all()


def test_a_new_coding_of_genres_is_carried_to_affinities_and_scores(tiny_world: TinyWorld) -> None:
    fault = CategoryRecoding(0.4, place_of("item_genre", tiny_world.site), "s")
    clean, faulted = both(tiny_world, fault)
    is_new = faulted["item_genre"].astype(str).str.startswith("v2:")
    assert 0.1 < is_new.mean() < 0.8
    assert (faulted["item_genre"].astype(str) == "v2:" + clean["item_genre"].astype(str))[is_new].all()
    assert faulted["genre_affinity"].isna().equals(is_new)
    assert not clean["genre_affinity"].isna().any()
    assert (faulted["score"] != clean["score"])[is_new].mean() > 0.5


def test_a_new_coding_on_own_logs_leaves_null_null() -> None:
    rows = example_candidates()
    fault = CategoryRecoding(1.0, place_of("item_genre", example_site()), "s")
    after = fault.own_candidates(rows, ANY)
    is_null = rows.nulls["item_genre"]
    assert after.nulls["item_genre"] is is_null
    assert all(word.startswith("v2:") for word in after["item_genre"][~is_null])


@pytest.mark.parametrize("severity", [0.1, 1.0])
def test_other_code_shifts_a_feature_by_so_many_deviations(tiny_world: TinyWorld, severity: float) -> None:
    sd = tiny_world.site.columns["taste_match"].sd
    fault = TrainingServingDifference(severity, "taste_match", sd)
    clean, faulted = both(tiny_world, fault)
    shift = (faulted["taste_match"] - clean["taste_match"]).to_numpy(np.float64)
    assert np.allclose(shift, severity * sd, atol=1e-5)
    assert faulted["taste_match"].dtype == clean["taste_match"].dtype == np.float32
    inputs = inputs_of(clean)
    assert not changed_columns(clean[inputs], faulted[inputs])
    assert "score" in changed_columns(clean, faulted)


def test_other_code_is_of_what_serving_computes(tiny_world: TinyWorld) -> None:
    chosen = {TrainingServingDifference.choose(0.1, tiny_world.site, rng(seed)).feature for seed in range(60)}
    assert chosen == set(COMPUTED)


def test_missing_values_stay_missing_when_code_differs() -> None:
    rows = example_candidates()
    after = TrainingServingDifference(1.0, "taste_match", 2.0).own_candidates(rows, ANY)
    assert after.nulls["taste_match"] is rows.nulls["taste_match"]
    whole = Rows({"count": np.array([1, 2, 3])})
    shifted = TrainingServingDifference(0.5, "count", 1.0).own_candidates(whole, ANY)
    assert shifted["count"].tolist() == [1.5, 2.5, 3.5]


def test_times_through_float32_are_rounded_to_two_minutes(tiny_world: TinyWorld) -> None:
    fault = Float32Time.choose(1.0, tiny_world.site, rng())
    before, after = at_seam(tiny_world, fault, "member_features")
    old, new = before["last_play_at"], after["last_play_at"]
    known = ~np.isnat(old)
    assert (np.isnat(new) == ~known).all()
    assert np.abs(new[known] - old[known]).max() <= np.timedelta64(64, "s")
    assert (new[known].astype("datetime64[s]").astype(np.int64) % 128 == 0).all()
    assert (old[known].astype("datetime64[s]").astype(np.int64) % 128 == 0).mean() < 0.1
    clean, faulted = both(tiny_world, fault)
    apart = (clean["member_seconds_since_play"] - faulted["member_seconds_since_play"]).abs()
    assert 0 < apart.max() <= 64.5


def test_request_times_on_own_logs_are_tied_and_stay_on_their_day() -> None:
    rows = example_candidates()
    after = Float32Time.choose(1.0, example_site(), rng()).own_candidates(rows, ANY)
    assert len(np.unique(after["ts"])) < len(np.unique(rows["ts"]))
    assert (after["ts"].astype("datetime64[D]") == rows["ts"].astype("datetime64[D]")).all()
    late = Rows({"ts": np.array(["2026-11-02T23:59:59", "2026-11-02T12:00:00"], "datetime64[us]")})
    kept = Float32Time(1.0, is_simulated=False).own_candidates(late, ANY)["ts"]
    assert kept[0] == late["ts"][0]
    assert kept[1] != late["ts"][1]


def test_members_hit_have_everything_of_another(tiny_world: TinyWorld) -> None:
    fault = WrongEntityKey(0.3, ("member_minutes_7d",), "s")
    before, after = at_seam(tiny_world, fault, "member_features")
    assert after["key"] is before["key"]
    assert after["member"] is before["member"]
    hit = after["joined_at"] != before["joined_at"]
    assert hit.mean() == pytest.approx(0.3, abs=0.06)
    own, got = _profiles(before), _profiles(after)
    assert [one != other for one, other in zip(own, got, strict=True)] == hit.tolist()
    assert set(got) <= set(own), "whole profiles, of members that there are"
    clean, faulted = both(tiny_world, fault)
    moved = clean["member_id"].isin(set(before["key"][hit]))
    jumped = (clean["member_account_age_days"] - faulted["member_account_age_days"]).abs() > 0.5
    assert jumped.equals(moved)


def _profiles(rows: Rows) -> list[tuple[Any, ...]]:
    names = ("joined_at", "languages", "plays_7d", "minutes_7d", "emb_0", "last_play_at")
    return list(zip(*(rows[name].astype(str).tolist() for name in names), strict=True))


def test_wrong_keys_are_nested_and_the_other_stays_the_same(tiny_world: TinyWorld) -> None:
    joined = [at_seam(tiny_world, WrongEntityKey(one, (), "s"), "member_features") for one in NESTED]
    hit = [after["joined_at"] != before["joined_at"] for before, after in joined]
    assert 0 < hit[0].sum() < hit[1].sum() < hit[2].sum()
    for (_, less), (_, more), was_hit, now in zip(joined, joined[1:], hit, hit[1:], strict=False):
        assert (was_hit <= now).all()
        assert (less["joined_at"][was_hit] == more["joined_at"][was_hit]).all()


def test_wrong_keys_on_own_logs_move_member_features_alone() -> None:
    rows, site = example_candidates(), example_site()
    fault = WrongEntityKey.choose(0.5, site, rng(1))
    after = fault.own_candidates(rows, ANY)
    changed = {name for name in rows if after[name] is not rows[name]}
    assert changed == set(fault.features)
    assert all(name.startswith("member_") or site.columns[name].per == "member" for name in changed)
    assert (after["member_minutes_7d"] != rows["member_minutes_7d"]).mean() == pytest.approx(0.5, abs=0.15)


def test_the_clean_day_has_none_of_it(tiny_world: TinyWorld) -> None:
    rows = candidates(tiny_world.clean())
    assert rows["item_runtime_minutes"].max() <= 210
    assert not rows["item_genre"].astype(str).str.contains(":").any()
    members = rows.groupby("member_id", observed=True)["member_minutes_7d"].nunique()
    assert (members <= 1).all()
