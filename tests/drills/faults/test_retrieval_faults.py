"""Faults of retrieval: what is not found cannot be ranked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tiny_world import Ran, TinyWorld, rng

from recsysops.drills.fault import CannotPlantError, Planted
from recsysops.drills.faults.index_without_new import IndexWithoutNew
from recsysops.drills.faults.recall_decay import RecallDecay
from recsysops.drills.faults.source_empty import SourceEmpty
from recsysops.testing.check_fault import ONSET
from recsysops.testing.example_site import example_candidates, example_site


def without(ran: Ran, source: str) -> set[str]:
    rows = ran.table("candidates")
    return set(rows["request_id"]) - set(rows.loc[rows["candidate_source"] == source, "request_id"])


def test_one_source_is_empty_in_the_requests_asked_for(tiny_world: TinyWorld) -> None:
    salt = "empty-1-"
    clean = tiny_world.clean().table("candidates")
    some, more = (tiny_world.faulted(SourceEmpty(s, salt)) for s in (0.1, 0.4))
    lost = clean["candidate_source"].value_counts() - more.table("candidates")["candidate_source"].value_counts()
    source = str(lost.idxmax())
    assert (lost.drop(source) == 0).all()
    n_requests = clean["request_id"].nunique()
    empty, some_empty, more_empty = (without(ran, source) for ran in (tiny_world.clean(), some, more))
    assert empty <= some_empty <= more_empty
    assert 0.04 < len(some_empty - empty) / n_requests < 0.18
    assert 0.3 < len(more_empty - empty) / n_requests < 0.5
    assert len(more.table("candidates")) < len(clean)


def test_below_a_lost_candidate_of_own_logs_the_others_move_up() -> None:
    fault = SourceEmpty(0.5, "own-")
    before = example_candidates()
    rows = fault.own_candidates(before, Planted(fault, ONSET, 0).moment("own_candidates", ONSET))
    lost = pd.Series(before["candidate_source"]).value_counts() - pd.Series(rows["candidate_source"]).value_counts()
    assert (lost > 0).sum() == 1
    assert 0.4 * 800 < lost.max() < 0.6 * 800
    shown = rows.take(rows["shown"])
    places = pd.DataFrame({"request": shown["request_id"], "position": shown["position"]}).groupby("request")[
        "position"
    ]
    assert (places.max() == places.size()).all()
    assert (places.nunique() == places.size()).all()


def test_launched_items_are_no_candidates_of_any_source(tiny_world: TinyWorld) -> None:
    clean = tiny_world.clean().table("candidates")
    counts = clean["item_id"].value_counts()
    items = tuple(str(one) for one in counts.index if one in tiny_world.site.launched_ids)[:2]
    assert len(items) == 2
    one, both = (
        set(tiny_world.faulted(IndexWithoutNew(float(n), items[:n])).table("candidates")["item_id"]) for n in (1, 2)
    )
    assert not set(items) & both
    assert items[0] not in one
    assert items[1] in one


def test_more_severity_leaves_out_more_of_the_same_launches(tiny_world: TinyWorld) -> None:
    few, many = (IndexWithoutNew.choose(s, tiny_world.site, rng(3)).items for s in (1.0, 4.0))
    assert len(few) == 1
    assert len(many) == 4
    assert set(few) < set(many) <= set(tiny_world.site.launched_ids)


def test_the_index_loses_as_many_items_as_recall_falls_by_and_requests_lose_none(tiny_world: TinyWorld) -> None:
    index = tiny_world.seam_rows["index"]
    moment = Planted(None, tiny_world.next_day, 0).moment("index", tiny_world.next_day)
    few, many = (RecallDecay(s, "recall-").index(index, moment)["is_in"] for s in (0.1, 0.4))
    assert 0.04 < 1 - few.sum() / index["is_in"].sum() < 0.18
    assert 0.3 < 1 - many.sum() / index["is_in"].sum() < 0.5
    assert few[many].all()
    ran, clean = (
        tiny_world.faulted(RecallDecay(0.4, "recall-")).table("candidates"),
        tiny_world.clean().table("candidates"),
    )
    by_taste = ran[ran["candidate_source"] == "taste"]
    assert not set(by_taste["item_id"]) & set(index["item_id"][index["is_in"] & ~many])
    assert len(by_taste) == pytest.approx((clean["candidate_source"] == "taste").sum(), rel=0.02)
    match = ran.loc[ran["candidate_source"] == "taste", "taste_match"].mean()
    assert match < clean.loc[clean["candidate_source"] == "taste", "taste_match"].mean()


def test_an_index_cannot_be_seen_in_logs_alone() -> None:
    for kind in (IndexWithoutNew, RecallDecay):
        with pytest.raises(CannotPlantError, match="index"):
            kind.choose(kind.meta.target, example_site(), rng())


def test_sources_are_drawn_by_the_salt_alone() -> None:
    rows = example_candidates()
    found = {str(np.unique(rows["candidate_source"][_lost(salt)])) for salt in map(str, range(12))}
    assert len(found) > 1


def _lost(salt: str) -> np.ndarray:
    fault, before = SourceEmpty(1.0, salt), example_candidates()
    kept = fault.own_candidates(before, Planted(fault, ONSET, 0).moment("own_candidates", ONSET))
    return ~np.isin(before["\x00row"], kept["\x00row"])
