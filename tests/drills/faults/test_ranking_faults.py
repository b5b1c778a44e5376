"""Faults of ranking: scores that order nothing, fallbacks, and candidates that lead where they should not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_world import Ran, TinyWorld, rng

from recsysops.drills.fault import CannotPlantError, Planted
from recsysops.drills.faults.constant_scores import ConstantScores
from recsysops.drills.faults.expensive_item import ExpensiveItem
from recsysops.drills.faults.item_boosted import ItemBoosted
from recsysops.drills.faults.timeouts import Timeouts
from recsysops.drills.planting.slice_of_site import Place
from recsysops.drills.rows import Rows
from recsysops.testing.check_fault import ONSET
from recsysops.testing.example_site import bare_sites, example_candidates, example_site


def own(fault: Any) -> Rows:
    moment = Planted(fault, ONSET, 0).moment("own_candidates", ONSET)
    changed: Rows = fault.own_candidates(example_candidates(), moment)
    return changed


def shown(ran: Ran) -> pd.DataFrame:
    rows: pd.DataFrame = ran.table("candidates").query("shown")
    return rows


def nan_requests(ran: Ran, surface: str) -> set[str]:
    rows = ran.table("candidates").query("not fallback")
    broken = rows[rows["score"].isna()]
    assert set(broken["surface"]) == {surface}
    assert rows.groupby("request_id")["score"].apply(lambda one: one.isna().all() or one.notna().all()).all()
    return set(broken["request_id"])


def test_scores_of_whole_requests_are_nan_in_one_slice_only_and_more_of_them_with_severity(
    tiny_world: TinyWorld,
) -> None:
    home = Place("surface", "home", tiny_world.site.slices["surface"]["home"])
    few, many = (nan_requests(tiny_world.faulted(ConstantScores(s, home, None)), "home") for s in (0.02, 0.2))
    n_requests = tiny_world.clean().table("candidates")["request_id"].nunique()
    assert 0 < len(few) < len(many)
    assert few <= many
    assert 0.12 < len(many) / n_requests < 0.3
    assert tiny_world.clean().table("candidates")["score"].notna().all()


def test_one_score_for_all_leaves_the_order_to_the_age_of_items(tiny_world: TinyWorld) -> None:
    phone = Place("device", "phone", tiny_world.site.slices["device"]["phone"])
    rows = tiny_world.faulted(ConstantScores(0.05, phone, 0.1)).table("candidates").query("not fallback")
    spread = rows.groupby("request_id")["score"].nunique()
    tied = rows[rows["request_id"].isin(spread[spread == 1].index)]
    assert len(tied) > 0
    assert set(tied["device"]) == {"phone"}
    assert set(tied["score"]) == {0.1}
    clean = tiny_world.clean().table("candidates").query("not fallback")
    assert clean.groupby("request_id")["score"].nunique().min() > 1


def test_scores_of_own_logs_break_by_request_within_the_slice() -> None:
    rows = own(ConstantScores(0.05, Place("device", "tv", 0.25), None))
    broken = np.isnan(rows["score"])
    assert set(rows["device"][broken]) == {"tv"}
    assert 0.02 < broken.mean() < 0.09
    assert not set(rows["request_id"][broken]) & set(rows["request_id"][~broken])


def test_time_outs_are_answered_by_popularity_late_and_less_personally(tiny_world: TinyWorld) -> None:
    ran, clean = tiny_world.faulted(Timeouts(0.4)), tiny_world.clean()
    rows, before = ran.table("candidates"), clean.table("candidates")
    by_request, was = (one.groupby("request_id")[["fallback", "latency_ms"]].first() for one in (rows, before))
    assert 0.3 < by_request["fallback"].mean() < 0.5
    assert was["fallback"].mean() < 0.03
    assert by_request["latency_ms"][by_request["fallback"] & ~was["fallback"]].min() > 400
    failed = rows[rows["fallback"]]
    assert failed["raw_score"].isna().all()
    assert set(failed["model_id"]) == {"popularity"}
    assert len(set(shown(ran)["item_id"])) <= len(set(shown(clean)["item_id"]))
    order = failed.query("filtered_by.isna() and not randomised").sort_values(["request_id", "score"], ascending=False)
    assert order.groupby("request_id").head(1)["final_rank"].le(3).mean() > 0.9


def test_time_outs_hit_the_same_requests_and_more(tiny_world: TinyWorld) -> None:
    requests = tiny_world.seam_rows["requests"]
    moment = Planted(None, tiny_world.next_day, 0).moment("requests", tiny_world.next_day)
    few, many = (Timeouts(s).requests(requests, moment)["fails"] for s in (0.02, 0.3))
    assert requests["fails"].sum() < few.sum() < many.sum()
    assert many[few].all()


def test_own_requests_that_time_out_are_marked_and_in_the_order_of_popularity() -> None:
    before = example_candidates()
    rows = own(Timeouts(0.3, has_position=True))
    hit = rows["fallback"] & (rows["latency_ms"] > before["latency_ms"])
    assert 0.2 < hit.mean() < 0.4
    assert rows.nulls["raw_score"][hit].all()
    counts = pd.Series(before["item_id"]).value_counts()
    leading = hit & (rows["position"] == 1)
    top = pd.Series(counts[rows["item_id"][hit]].to_numpy()).groupby(rows["request_id"][hit]).max()
    assert (counts[rows["item_id"][leading]].to_numpy() == top[rows["request_id"][leading]].to_numpy()).all()
    assert (rows["position"][~hit] == before["position"][~hit]).all()


def test_a_boosted_item_has_about_the_impressions_asked_for_and_leads(tiny_world: TinyWorld) -> None:
    ranked = tiny_world.seam_rows["ranked"]
    item = _sometimes_shown(ranked)
    moment = Planted(None, tiny_world.next_day, 0).moment("ranked", tiny_world.next_day)
    before, *after = (_shown_rows(ItemBoosted(times, item).ranked(ranked, moment), item) for times in (1.0, 2.0, 3.0))
    n = len(_shown_rows(ranked, item))
    assert len(before) == n
    assert 1.5 * n < len(after[0]) < 2.6 * n
    assert 2.2 * n < len(after[1]) < 3.9 * n
    assert (after[1]["final_rank"] == 1).sum() >= len(after[1]) - n
    assert ItemBoosted(2.0, item).truth().items == (item,)


def test_slates_that_a_boosted_item_leads_are_whole(tiny_world: TinyWorld) -> None:
    item = _sometimes_shown(tiny_world.seam_rows["ranked"])
    rows, clean = tiny_world.faulted(ItemBoosted(3.0, item)).table("candidates"), tiny_world.clean().table("candidates")
    by_request, was = (one.groupby("request_id") for one in (rows, clean))
    assert by_request["shown"].sum().equals(was["shown"].sum())
    assert (by_request["final_rank"].max() == by_request.size()).all()
    assert (by_request["final_rank"].nunique() == by_request.size()).all()
    assert rows.loc[rows["shown"], "propensity"].between(0, 1, inclusive="right").all()
    leading = rows.query("item_id == @item and position == 1 and not fallback and not randomised")
    best = rows[rows["filtered_by"].isna()].groupby("request_id")["score"].max()
    assert len(leading) > 0
    assert np.allclose(leading["score"], best[leading["request_id"]])


def _sometimes_shown(ranked: Rows) -> str:
    """An item that is a candidate five times as often as it is shown."""
    names, where = np.unique(ranked["item_id"].astype(str), return_inverse=True)
    is_open = (ranked["filtered_by"] == None) & ~ranked["is_randomised"] & np.isfinite(ranked["raw_score"])  # noqa: E711
    n_shown, n_open = (np.bincount(where, mask) for mask in (ranked["is_shown"], is_open))
    return str(names[np.argmax(np.where(n_open >= 5 * n_shown, n_shown, 0))])


def _shown_rows(ranked: Rows, item: str) -> Rows:
    return ranked.take((ranked["item_id"] == item) & ranked["is_shown"])


def test_a_boosted_item_of_own_logs_takes_first_places_with_all_that_belongs_to_it() -> None:
    before, rows = example_candidates(), own(ItemBoosted(3.0, "i9", ("item_price", "item_genre")))
    changed = np.flatnonzero(rows["item_id"] != before["item_id"])
    assert (rows["item_id"][changed] == "i9").all()
    assert (rows["position"][changed] == 1).all()
    was, now = ((one["item_id"] == "i9") & one["shown"] for one in (before, rows))
    assert 2.4 < now.sum() / was.sum() < 3.6
    template = int(np.argmax(before["item_id"] == "i9"))
    assert set(rows["item_genre"][changed]) == {before["item_genre"][template]}
    had_it = set(before["request_id"][before["item_id"] == "i9"])
    assert not had_it & set(rows["request_id"][changed])
    assert len(set(rows["request_id"][changed])) == len(changed)


def test_the_dearest_candidate_leads_in_the_slice_and_nowhere_else(tiny_world: TinyWorld) -> None:
    home = Place("surface", "home", tiny_world.site.slices["surface"]["home"])
    clean = shown(tiny_world.clean()).groupby("surface")["item_price"].mean()
    some, all_of_it = (
        shown(tiny_world.faulted(ExpensiveItem(s, home))).groupby("surface")["item_price"].mean() for s in (0.3, 1.0)
    )
    assert clean["home"] * 1.2 < some["home"] < all_of_it["home"]
    assert some["post_play"] == clean["post_play"]


def test_one_dear_item_leads_in_a_slice_of_own_logs() -> None:
    before, rows = example_candidates(), own(ExpensiveItem(0.5, Place("device", "tv", 0.25), ("price",)))
    changed = rows["item_id"] != before["item_id"]
    assert set(rows["device"][changed]) == {"tv"}
    assert set(rows["price"][changed]) == {before["price"].max()}
    assert rows["price"].mean() > before["price"].mean()


def test_what_a_log_lacks_is_said() -> None:
    bare = bare_sites()[2]
    with pytest.raises(CannotPlantError, match="role score"):
        ConstantScores.choose(0.001, bare, rng())
    with pytest.raises(CannotPlantError, match="fallback, latency_ms and position"):
        Timeouts.choose(0.02, bare, rng())
    with pytest.raises(CannotPlantError, match="role price"):
        ExpensiveItem.choose(0.2, bare, rng())
    with pytest.raises(CannotPlantError, match="no item with impressions"):
        ItemBoosted.choose(3.0, replace(example_site(), item_ids=()), rng())


def test_more_requests_let_theory_see_less() -> None:
    site = example_site()
    larger = replace(site, n_rows=9 * site.n_rows, n_requests=9 * site.n_requests, n_outcomes=9 * site.n_outcomes)
    for kind in (ConstantScores, Timeouts, ExpensiveItem):
        fault = kind.choose(kind.meta.target, site, rng())
        assert 0 < fault.visible(larger) < fault.visible(site) < kind.meta.most
