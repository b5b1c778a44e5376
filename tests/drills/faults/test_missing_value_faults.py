"""Faults that take values away, or put a default in their place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from compared_days import at_seam, both, candidates, changed_columns, inputs_of, missing
from tiny_world import TinyWorld, rng

from recsysops.drills.fault import Moment
from recsysops.drills.faults.blank_language import BlankLanguage
from recsysops.drills.faults.dropped_feature import DroppedFeature
from recsysops.drills.faults.market_nulls import MarketNulls
from recsysops.drills.faults.null_spike import NullSpike
from recsysops.drills.faults.silent_default import SilentDefault
from recsysops.drills.planting.feature_place import FeaturePlace, place_of
from recsysops.testing.example_site import example_candidates, example_site

NESTED = (0.02, 0.2, 0.6)
ANY = Moment(date(2026, 11, 2), 0, rng())


def minutes(world: TinyWorld) -> FeaturePlace:
    return place_of("member_minutes_7d", world.site)


@pytest.mark.parametrize("severity", [0.1, 0.4])
def test_null_spike_blanks_the_share_of_members_and_the_log_shows_it(tiny_world: TinyWorld, severity: float) -> None:
    fault = NullSpike(severity, minutes(tiny_world), "s")
    before, after = at_seam(tiny_world, fault, "member_features")
    assert not missing(before["minutes_7d"]).any()
    assert missing(after["minutes_7d"]).mean() == pytest.approx(severity, abs=0.05)
    clean, faulted = both(tiny_world, fault)
    assert not clean["member_minutes_7d"].isna().any()
    hit = set(before["key"][missing(after["minutes_7d"])])
    assert faulted["member_minutes_7d"].isna().equals(clean["member_id"].isin(hit))
    assert changed_columns(clean, faulted) >= {"member_minutes_7d", "score", "raw_score"}
    is_input = inputs_of(clean)
    assert changed_columns(clean[is_input], faulted[is_input]) == {"member_minutes_7d"}


def test_null_spike_of_a_time_is_a_missing_time(tiny_world: TinyWorld) -> None:
    fault = NullSpike(0.5, place_of("member_account_age_days", tiny_world.site), "s")
    clean, faulted = both(tiny_world, fault)
    assert not clean["member_account_age_days"].isna().any()
    assert 0.2 < faulted["member_account_age_days"].isna().mean() < 0.8


def test_null_spike_never_chooses_what_is_no_member_feature(tiny_world: TinyWorld) -> None:
    chosen = {NullSpike.choose(0.1, tiny_world.site, rng(seed)).place.feature for seed in range(40)}
    assert chosen == {
        "member_plays_7d", "member_minutes_7d", "member_account_age_days", "member_usual_price", "member_seconds_since_play",
    }  # fmt: skip


@pytest.mark.parametrize("kind", [NullSpike, SilentDefault])
def test_who_is_hit_a_little_is_hit_a_lot(tiny_world: TinyWorld, kind: Any) -> None:
    hit = []
    for severity in NESTED:
        before, after = at_seam(tiny_world, kind(severity, minutes(tiny_world), "s"), "member_features")
        hit.append(~(before["minutes_7d"] == after["minutes_7d"]))
    assert 0 < hit[0].sum() < hit[1].sum() < hit[2].sum()
    assert (hit[0] <= hit[1]).all()
    assert (hit[1] <= hit[2]).all()


def test_silent_default_writes_zero_also_where_nothing_was_known(tiny_world: TinyWorld) -> None:
    fault = SilentDefault(0.3, minutes(tiny_world), "s")
    before, after = at_seam(tiny_world, fault, "member_features")
    added = (after["minutes_7d"] == 0).mean() - (before["minutes_7d"] == 0).mean()
    assert added == pytest.approx(0.3 * (before["minutes_7d"] != 0).mean(), abs=0.06)
    clean, faulted = both(tiny_world, fault)
    assert faulted["member_minutes_7d"].eq(0).mean() > clean["member_minutes_7d"].eq(0).mean() + 0.1
    assert not faulted["member_minutes_7d"].isna().any()
    own = SilentDefault(1.0, place_of("member_minutes_7d", example_site()), "s")
    rows, changed = at_seam(tiny_world, own, "own_candidates")
    assert rows.nulls["member_minutes_7d"].any()
    assert not changed.nulls["member_minutes_7d"].any()


@pytest.mark.parametrize("feature", ["member_account_age_days", "lang_match"])
def test_market_nulls_stay_in_their_market(tiny_world: TinyWorld, feature: str) -> None:
    kinds = (MarketNulls.choose(0.8, tiny_world.site, rng(seed)) for seed in range(40))
    fault = replace(next(one for one in kinds if one.place.feature == feature), value="DK")
    before, after = at_seam(tiny_world, fault, "profiles")
    lost = missing(after[fault.place.column])
    is_there = before["market"] == "DK"
    assert lost[is_there].mean() == pytest.approx(0.8, abs=0.1)
    assert not lost[~is_there].any()
    clean, faulted = both(tiny_world, fault)
    shows = faulted["lang_match_is_default"] if feature == "lang_match" else faulted[feature].isna()
    assert shows[faulted["market"] == "DK"].mean() > 0.5
    assert not shows[faulted["market"] != "DK"].any()
    assert not clean["lang_match_is_default"].any()


def test_blank_language_is_carried_to_the_match_and_the_scores(tiny_world: TinyWorld) -> None:
    fault = BlankLanguage(1.0, place_of("item_language", tiny_world.site), "nb", "s")
    before, after = at_seam(tiny_world, fault, "catalogue")
    assert (
        missing(after["original_language"]).sum()
        == (before["original_language"] == "nb").sum() + missing(before["original_language"]).sum()
    )
    clean, faulted = both(tiny_world, fault)
    was_nb = clean["item_language"] == "nb"
    assert faulted["item_language"].isna().equals(was_nb)
    assert faulted["lang_match_is_default"].equals(was_nb)
    assert faulted["lang_match"][was_nb].eq(0).all()
    assert clean["lang_match"][was_nb].mean() > 0.5
    assert abs(faulted["score"][was_nb].mean() - clean["score"][was_nb].mean()) > 1e-6
    found = [set(candidates(ran).index) for ran in (tiny_world.clean(), tiny_world.faulted(fault))]
    assert found[0] != found[1], "retrieval knows languages too"


def test_blank_language_hits_the_share_of_one_language(tiny_world: TinyWorld) -> None:
    hit = []
    for severity in NESTED:
        fault = BlankLanguage(severity, place_of("item_language", tiny_world.site), "en", "s")
        before, after = at_seam(tiny_world, fault, "catalogue")
        hit.append(missing(after["original_language"]) & ~missing(before["original_language"]))
        assert not hit[-1][before["original_language"] != "en"].any()
        assert hit[-1].sum() / (before["original_language"] == "en").sum() == pytest.approx(severity, abs=0.08)
    assert (hit[0] <= hit[1]).all()
    assert (hit[1] <= hit[2]).all()


@pytest.mark.parametrize("feature", ["item_runtime_minutes", "item_genre", "taste_match"])
def test_dropped_feature_is_missing_everywhere_but_upstream(tiny_world: TinyWorld, feature: str) -> None:
    fault = DroppedFeature(1.0, feature, is_simulated=True)
    clean, faulted = both(tiny_world, fault)
    assert faulted[feature].isna().all()
    assert not clean[feature].isna().any()
    assert {feature, "score"} <= changed_columns(clean, faulted)
    inputs = [name for name in inputs_of(clean) if name != feature]
    assert not changed_columns(clean[inputs], faulted[inputs])
    store = [ran.part("item_features").read_bytes() for ran in (tiny_world.clean(), tiny_world.faulted(fault))]
    assert store[0] == store[1]


@pytest.mark.parametrize("seed", range(4))
def test_null_spike_on_own_logs_takes_whole_units_and_only_the_feature(seed: int) -> None:
    site, rows = example_site(), example_candidates()
    fault = NullSpike.choose(0.5, site, rng(seed))
    after = fault.own_candidates(rows, ANY)
    name, unit = fault.place.feature, fault.place.unit
    hit = after.nulls[name] & ~rows.nulls[name]
    kept = ~after.nulls[name]
    assert hit.mean() == pytest.approx(0.5, abs=0.15)
    assert not set(rows[unit][hit]) & set(rows[unit][kept])
    assert {one for one in rows if after[one] is not rows[one]} == set()
    assert {one for one in rows.nulls if after.nulls[one] is not rows.nulls[one]} == {name}


def test_market_nulls_on_own_logs_stay_in_their_slice() -> None:
    site, rows = example_site(), example_candidates()
    chosen = [MarketNulls.choose(0.9, site, rng(seed)) for seed in range(12)]
    assert len({fault.dimension for fault in chosen}) > 1
    for fault in chosen:
        hit = fault.own_candidates(rows, ANY).nulls[fault.place.feature] & ~rows.nulls[fault.place.feature]
        is_there = rows[fault.dimension] == fault.value
        assert hit[is_there].mean() > 0.5
        assert not hit[~is_there].any()
