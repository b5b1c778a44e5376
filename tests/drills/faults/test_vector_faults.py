"""Faults of embeddings: vectors in two spaces, and vectors of zeros."""

from __future__ import annotations

import numpy as np
from tiny_world import Ran, TinyWorld, rng

from recsysops.drills.fault import Planted
from recsysops.drills.faults.embedding_version import EmbeddingVersion
from recsysops.drills.faults.zero_vectors import ZeroVectors

VECTOR = [f"emb_{k}" for k in range(8)]


def vectors(ran: Ran) -> dict[str, np.ndarray]:
    rows = ran.table("item_features").dropna(subset=VECTOR)
    return dict(zip(rows["key"], rows[VECTOR].to_numpy(float), strict=True))


def test_items_hit_have_vectors_of_the_same_length_that_no_taste_matches(tiny_world: TinyWorld) -> None:
    before, few, many = (
        vectors(ran)
        for ran in (tiny_world.clean(), *(tiny_world.faulted(EmbeddingVersion(s, "v2-", 3)) for s in (0.1, 0.5)))
    )
    hit_few, hit_many = ({key for key in before if not np.allclose(before[key], now[key])} for now in (few, many))
    assert hit_few < hit_many
    assert 0.05 < len(hit_few) / len(before) < 0.16
    assert 0.4 < len(hit_many) / len(before) < 0.6
    for key in hit_many:
        assert np.isclose(np.linalg.norm(before[key]), np.linalg.norm(many[key]))


def test_matches_of_taste_and_scores_of_the_items_hit_collapse(tiny_world: TinyWorld) -> None:
    ran, clean = tiny_world.faulted(EmbeddingVersion(0.1, "v2-", 3)), tiny_world.clean()
    before, after = vectors(clean), vectors(ran)
    hit = {key for key in before if not np.allclose(before[key], after[key])}
    rows, was = (one.table("candidates").query("ts.dt.hour >= 4") for one in (ran, clean))
    of_hit, was_of_hit = (one[one["item_id"].isin(hit)] for one in (rows, was))
    assert of_hit["taste_match"].mean() < 0.4 * was_of_hit["taste_match"].mean()
    assert of_hit["score"].mean() < was_of_hit["score"].mean()


def test_the_index_still_holds_the_old_vectors(tiny_world: TinyWorld) -> None:
    fault = EmbeddingVersion(0.5, "v2-", 3)
    moment = Planted(fault, tiny_world.next_day, 0).moment("index", tiny_world.next_day)
    items = tiny_world.seam_rows["item_features"]
    changed = fault.item_features(items, moment)
    index = tiny_world.seam_rows["index"].with_columns(**{name: changed[name] for name in VECTOR})
    back = fault.index(index, moment)
    assert not np.allclose(changed["emb_0"], items["emb_0"], equal_nan=True)
    assert all(np.allclose(back[name], items[name], equal_nan=True) for name in VECTOR)


def test_vectors_of_launched_items_are_zero(tiny_world: TinyWorld) -> None:
    before = vectors(tiny_world.clean())
    fault = ZeroVectors.choose(0.4, tiny_world.site, rng(1))
    ran = tiny_world.faulted(fault)
    zero = {key for key, values in vectors(ran).items() if not values.any()}
    assert zero == set(fault.items) & set(before)
    assert len(zero) >= 0.3 * fault.n_near
    assert not any(not values.any() for values in before.values())
    rows = ran.table("candidates").query("ts.dt.hour >= 4")
    hit = rows[rows["item_id"].isin(zero)]
    assert len(hit) > 0
    assert (hit["taste_match"] == 0).all()


def test_at_least_one_launch_is_hit_and_more_are_hit_with_it(tiny_world: TinyWorld) -> None:
    few, many = (ZeroVectors.choose(s, tiny_world.site, rng(2)).items for s in (1e-9, 0.5))
    assert len(few) == 1
    assert set(few) < set(many)
