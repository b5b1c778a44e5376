"""The serving log, the outcomes and the catalogue: sampled by request, late as they are in life, filled in before launch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_world import SEED, SIZE, TinyWorld
from world_files import Frame, frame

from recsysops.drills.rows import Rows
from recsysops.drills.world.catalogue import items
from recsysops.drills.world.serving_log import logged
from recsysops.drills.world.size import WorldSize

DEPLOYED = np.timedelta64(10, "h")


@pytest.fixture(scope="module")
def candidates(log: Path) -> Frame:
    return frame(log, "candidates")


def _logged(seams: dict[str, Rows], size: WorldSize, *, is_boosted: bool = False) -> Rows:
    return logged(seams["requests"], seams["ranked"], seams["features"], items(SIZE, SEED), size, is_boosted=is_boosted)


def test_sampling_keeps_requests_whole_at_the_rate_that_is_logged(tiny_world: TinyWorld) -> None:
    seams = tiny_world.seam_rows
    requests, ranked = seams["requests"], seams["ranked"]
    draws = requests.with_columns(sampled=np.linspace(0, 1, len(requests), endpoint=False))
    rows = _logged({**seams, "requests": draws}, replace(SIZE, log_rate=0.25))
    sizes = dict(zip(*np.unique(rows["request_id"].astype(str), return_counts=True), strict=True))
    all_sizes = np.bincount(ranked["request"], minlength=len(requests))
    special = np.bincount(ranked["request"], ranked["is_randomised"] | ranked["is_fallback"]) > 0
    wanted = {
        name: n
        for name, n, draw, sure in zip(requests["request_id"], all_sizes, draws["sampled"], special, strict=True)
        if sure or draw < 0.25
    }
    assert sizes == wanted
    assert special.any()
    is_sure = rows["randomised"] | rows["fallback"]
    assert (rows["sampling_rate"] == np.where(is_sure, 1.0, 0.25)).all()


def test_requests_with_chosen_items_are_all_logged_while_boosted(tiny_world: TinyWorld) -> None:
    seams = tiny_world.seam_rows
    chosen = str(seams["ranked"]["item_id"][0])
    size = replace(SIZE, log_rate=0.0, logged_items=(chosen,))
    boosted, plain = (_logged(seams, size, is_boosted=one) for one in (True, False))
    with_it = set(seams["ranked"]["request"][seams["ranked"]["item_id"] == chosen])
    assert {seams["requests"]["request_id"][one] for one in with_it} <= set(boosted["request_id"])
    assert len(boosted) > len(plain)
    assert set(boosted["sampling_rate"]) == {1.0}


def test_outcomes_arrive_after_they_happened_and_after_what_they_belong_to(log: Path, candidates: Frame) -> None:
    outcomes = frame(log, "outcomes")
    assert (outcomes["ingested_at"] > outcomes["ts"]).all()
    from_slates = outcomes[outcomes["origin"] == "slate"]
    seen = candidates[candidates["shown"]][["request_id", "item_id", "ts"]]
    found = from_slates.merge(seen, on=["request_id", "item_id"], how="left", suffixes=("", "_asked"))
    known = found[found["ts_asked"].notna()]
    assert len(known) > 0.95 * len(found)
    assert (known["ts"] >= known["ts_asked"]).all()
    assert outcomes.loc[outcomes["origin"] != "slate", "request_id"].isna().all()
    assert set(outcomes["origin"]) == {"slate", "search", "external"}


def test_every_outcome_arrives_once(log: Path) -> None:
    from_slates = frame(log, "outcomes").query("origin == 'slate'")
    assert not from_slates.duplicated(["request_id", "item_id"]).any()


def test_the_new_model_has_a_tenth_of_members_for_a_day_then_all(candidates: Frame) -> None:
    """On Mondays at ten; who has it, has it at every request."""
    scored = candidates[~candidates["fallback"]].groupby("request_id").first()
    monday = scored["ts"].min().normalize()
    since = scored["ts"] - (monday + DEPLOYED)
    week = scored[since < np.timedelta64(7, "D")]
    since = since[week.index]
    old = week.loc[since < np.timedelta64(0, "us"), "model_id"].unique()
    assert len(old) == 1
    ramp = week[(since >= np.timedelta64(0, "us")) & (since < np.timedelta64(1, "D"))]
    is_new = ramp["model_id"] != old[0]
    n_members = ramp["member_id"].nunique()
    share = is_new.groupby(ramp["member_id"]).max().mean()
    assert abs(share - 0.1) < 4 * np.sqrt(0.09 / n_members)
    assert (is_new.groupby(ramp["member_id"]).nunique() == 1).all()
    after = week.loc[since >= np.timedelta64(1, "D"), "model_id"].unique()
    assert list(after) == list(ramp.loc[is_new, "model_id"].unique())
    assert len(scored["model_id"].unique()) == 3


def test_who_has_the_new_model_is_in_either_arm_of_the_experiment(tiny_world: TinyWorld) -> None:
    requests = tiny_world.seam_rows["requests"]
    in_treatment = requests["experiment_arm"] == "treatment"
    assert 0.3 < in_treatment.mean() < 0.7
    first, second = (requests["canary"][in_treatment == arm] for arm in (True, False))
    assert abs(first.mean() - second.mean()) < 0.15


def test_deploys_and_rules_are_recorded(log: Path) -> None:
    changes = frame(log, "changes")
    deploys = changes[changes["kind"] == "deploy"].sort_values("ts")
    assert list(deploys["rollout"])[:2] == [0.1, 1.0]
    assert (deploys["ts"].dt.hour == 10).all()
    assert changes["scope"].str.startswith("policy.").any()


def test_launches_fill_in_as_they_come_near(log: Path) -> None:
    exports = frame(log, "items")
    ahead = (exports["launch_at"] - exports["as_of"]) / np.timedelta64(1, "D")
    assert ahead.max() > 25
    for name, days in (("maturity_rating", 12), ("price", 14), ("artwork_variants", 8)):
        far = exports.loc[ahead > days + 8, name].isna().mean()
        near = exports.loc[(ahead > 0) & (ahead <= max(days - 7, 1)), name].isna().mean()
        assert far > 0.9, name
        assert near < 0.2, name
    launched = exports[ahead < -15]
    assert launched[["genre", "price", "artwork_variants"]].notna().all(axis=None)


def test_an_item_once_known_stays_in_the_export_until_it_has_left(log: Path) -> None:
    exports = frame(log, "items")
    seen = exports.groupby("item_id")["as_of"].agg(["min", "max", "nunique"])
    assert ((seen["max"] - seen["min"]) / np.timedelta64(1, "D") + 1 == seen["nunique"]).all()
