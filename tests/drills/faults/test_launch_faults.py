"""Faults of launches: fields that are empty, tags that are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from compared_days import at_seam, both, missing
from tiny_world import TinyWorld, rng

from recsysops.drills.faults.empty_launch_metadata import CRITICAL, EmptyLaunchMetadata
from recsysops.drills.faults.wrong_tag import WrongTag, wrong_tag_of
from recsysops.drills.planting.upstream_of import CATALOGUE_OF
from recsysops.testing.example_site import example_candidates, example_site

GENRE = "item_features.genre"


@pytest.mark.parametrize("source", CRITICAL)
def test_launches_of_the_coming_week_lack_the_field(tiny_world: TinyWorld, source: str) -> None:
    before, after = at_seam(tiny_world, EmptyLaunchMetadata(1.0, source, "s"), "catalogue")
    name = CATALOGUE_OF[source]
    today = np.datetime64(tiny_world.next_day, "us")
    ahead = (before["launch_at"] - today) / np.timedelta64(1, "D")
    is_launch = (ahead >= 0) & (ahead < 7)
    assert is_launch.sum() > 10
    assert missing(before[name])[is_launch].mean() < 0.2, "a week ahead the field is usually known"
    assert missing(after[name])[is_launch].all()
    assert (missing(after[name]) == missing(before[name]))[~is_launch].all()


def test_the_share_of_launches_is_nested(tiny_world: TinyWorld) -> None:
    seen = [
        at_seam(tiny_world, EmptyLaunchMetadata(one, GENRE, "s"), "catalogue")[1]["genre"] for one in (0.1, 0.5, 1.0)
    ]
    empty = [missing(one) for one in seen]
    assert empty[0].sum() <= empty[1].sum() < empty[2].sum()
    assert (empty[0] <= empty[1]).all()
    assert (empty[1] <= empty[2]).all()


def test_the_field_is_still_empty_after_the_launch_and_so_is_the_feature(tiny_world: TinyWorld) -> None:
    clean, ran = tiny_world.clean(3), tiny_world.faulted(EmptyLaunchMetadata(1.0, GENRE, "s"), n_days=3)
    items = ran.table("items")
    launched = set(items.loc[items["launch_at"].dt.date.between(ran.days[0], ran.days[1]), "item_id"])
    assert launched
    for one, share in ((clean, 0.0), (ran, 1.0)):
        rows = one.table("candidates")
        mine = rows[rows["item_id"].isin(launched)]
        assert len(mine)
        assert mine["item_genre"].isna().mean() == pytest.approx(share)
        assert mine["genre_affinity"].isna().mean() == pytest.approx(share)


def test_one_given_item_gets_a_given_language_and_the_match_follows(tiny_world: TinyWorld) -> None:
    rows = tiny_world.seam_rows["catalogue"]
    of_item = dict(zip(rows["item_id"], rows["original_language"], strict=True))
    item = next(one for one in tiny_world.site.item_ids if of_item[one] == "en")
    fault = wrong_tag_of(item, "ko")
    before, after = at_seam(tiny_world, fault, "catalogue")
    changed = before["original_language"] != after["original_language"]
    assert before["item_id"][changed].tolist() == [item]
    clean, faulted = both(tiny_world, fault)
    mine = clean.index.get_level_values("item_id") == item
    assert mine.sum() > 10
    assert set(faulted["item_language"][mine]) == {"ko"}
    assert set(clean["item_language"][mine]) == {"en"}
    assert faulted["lang_match"][mine].mean() < clean["lang_match"][mine].mean() - 0.3
    assert (faulted["score"] != clean["score"])[mine].any()
    assert faulted["item_language"][~mine].astype(str).equals(clean["item_language"][~mine].astype(str))
    assert not faulted["lang_match_is_default"].any(), "a wrong language is no missing one"
    assert fault.truth().items == (item,)
    assert fault.truth().entities[0] == "items.original_language"


def test_a_chosen_tag_is_wrong_of_an_item_that_is_shown(tiny_world: TinyWorld) -> None:
    features = set()
    for seed in range(12):
        fault = WrongTag.choose(1.0, tiny_world.site, rng(seed))
        assert fault.item in tiny_world.site.item_ids
        features.add(fault.place.feature)
        before, after = at_seam(tiny_world, fault, "catalogue")
        name = CATALOGUE_OF[fault.place.source]
        assert (before[name] != after[name]).sum() == 1
    assert features == {"item_language", "item_genre"}


def test_on_own_logs_all_rows_of_the_item_are_tagged_wrongly() -> None:
    rows = example_candidates()
    fault = WrongTag.choose(1.0, example_site(), rng(2))
    _, after = rows, fault.own_candidates(rows, None)  # type: ignore[arg-type]
    name = fault.place.feature
    changed = rows[name] != after[name]
    known = ~rows.nulls[name]
    assert set(rows["item_id"][changed]) == {fault.item}
    assert changed[(rows["item_id"] == fault.item) & known].all()
