"""Which features come from which upstream column: as the service itself computes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_world import TinyWorld

from recsysops.drills.planting.column_changes import blanked
from recsysops.drills.planting.feature_place import place_of
from recsysops.drills.planting.upstream_of import CATALOGUE_OF, FEATURES_FROM, synonyms, touched_by, upstream_of
from recsysops.drills.rows import Rows
from recsysops.drills.world.feature_store import AFFINITIES, EMBEDDING, ITEM_COLUMNS, MEMBER_COLUMNS, Snapshots
from recsysops.drills.world.features import LANG_MATCH_MASK, assembled
from recsysops.drills.world.files import settings


def vectors(world: TinyWorld, items: Rows, members: Rows) -> Rows:
    rows = world.seam_rows
    store = Snapshots(items, members, items, members, np.datetime64(world.next_day, "us"))
    return assembled(rows["requests"], rows["retrieved"], store)


@pytest.mark.parametrize("source", FEATURES_FROM)
def test_blanking_a_column_changes_its_features_and_no_others(tiny_world: TinyWorld, source: str) -> None:
    table, _, column = source.partition(".")
    tables = {name: tiny_world.seam_rows[name] for name in ("item_features", "member_features")}
    before = vectors(tiny_world, tables["item_features"], tables["member_features"])
    tables[table] = blanked(tables[table], column, np.ones(len(tables[table]), bool))
    after = vectors(tiny_world, tables["item_features"], tables["member_features"])
    changed = {name for name in before if name != LANG_MATCH_MASK and not _same(before[name], after[name])}
    assert changed == set(FEATURES_FROM[source])


def _same(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def test_every_column_of_the_store_is_known_but_vectors_and_affinities() -> None:
    columns = {
        *(f"item_features.{name}" for name in ITEM_COLUMNS if name not in EMBEDDING),
        *(f"member_features.{name}" for name in MEMBER_COLUMNS if name not in {*EMBEDDING, *AFFINITIES}),
    }
    assert set(FEATURES_FROM) == columns


def test_the_lineage_of_the_workspace_says_the_same(tiny_world: TinyWorld) -> None:
    told = settings("x")["tables"]["candidates"]["columns"]
    firsts = {features[0]: source for source, features in FEATURES_FROM.items() if features[0] != "lang_match"}
    assert firsts == {feature: told[feature]["lineage"] for feature in firsts}
    assert firsts == {feature: upstream_of(feature) for feature in firsts}
    assert upstream_of("lang_match") == ""


@pytest.mark.parametrize("source", CATALOGUE_OF)
def test_the_catalogue_is_copied(tiny_world: TinyWorld, source: str) -> None:
    catalogue, items = tiny_world.seam_rows["catalogue"], tiny_world.seam_rows["item_features"]
    assert catalogue["item_id"].tolist() == items["key"].tolist()
    assert _same(catalogue[CATALOGUE_OF[source]], items[source.partition(".")[2]])


def test_names_and_reach_of_a_column() -> None:
    assert synonyms("item_features.language") == (
        "item_features.language", "language", "candidates.item_language", "item_language", "items.original_language",
    )  # fmt: skip
    touched = touched_by("item_features.language")
    assert {"items.original_language", "candidates.lang_match", "candidates.score"} <= set(touched)
    assert "candidates.member_minutes_7d" not in touched
    assert "candidates.item_genre" not in touched_by("member_features.minutes_7d")


def test_a_place_knows_its_source_or_its_units(tiny_world: TinyWorld) -> None:
    simulated, own = tiny_world.site, replace(tiny_world.site, is_simulated=False)
    assert place_of("member_minutes_7d", simulated).source == "member_features.minutes_7d"
    assert place_of("item_language", simulated).unit == "item_id"
    assert place_of("item_language", own).source == ""
    assert place_of("member_minutes_7d", own).unit == "member_id"
    nobody = replace(own, roles={"candidates": frozenset({"request_id", "ts", "item_id"})})
    assert place_of("member_minutes_7d", nobody).unit == "request_id"


def test_trouble_of_the_feature_store_may_be_called_upstream_but_a_log_shows_features(tiny_world: TinyWorld) -> None:
    assert "upstream" in place_of("item_genre", tiny_world.site).stages
    assert place_of("item_genre", replace(tiny_world.site, is_simulated=False)).stages == ("feature",)
