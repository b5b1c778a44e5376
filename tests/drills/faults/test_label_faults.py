"""Faults of the label pipeline: members do what they did, and something else is learnt of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tiny_world import TinyWorld, rng

from recsysops.drills.fault import CannotPlantError, Planted
from recsysops.drills.faults import flipped_labels, label_definition
from recsysops.drills.faults.flipped_labels import FlippedLabels
from recsysops.drills.faults.label_definition import LabelDefinition
from recsysops.drills.faults.label_delay import LabelDelay
from recsysops.drills.faults.label_join_broken import LabelJoinBroken
from recsysops.drills.rows import Mask, Rows
from recsysops.drills.world.vocabulary import PLAY_MINUTES
from recsysops.testing.check_fault import ONSET
from recsysops.testing.example_site import bare_sites, example_outcomes, example_site


def acted(world: TinyWorld, fault: Any) -> Rows:
    """What leaves the label pipeline on the first day of the fault."""
    moment = Planted(fault, world.next_day, 5).moment("labels", world.next_day)
    rows: Rows = fault.labels(world.seam_rows["labels"], moment)
    return rows


def hit(world: TinyWorld, fault: Any, column: str) -> Mask:
    return np.asarray(acted(world, fault)[column] != world.seam_rows["labels"][column])


def test_both_faults_mean_the_same_plays_as_the_service() -> None:
    assert label_definition.PLAY_MINUTES == flipped_labels.PLAY_MINUTES == PLAY_MINUTES


def many_labels(n: int = 6_000) -> Rows:
    """Every tenth play is short, every third is of the kids' surface."""
    place = np.arange(n)
    return Rows(
        {
            "request_id": np.array([f"r{number}" for number in place], object),
            "member_id": np.array([f"m{number}" for number in place], object),
            "surface": np.where(place % 3 == 0, "kids", "home").astype(object),
            "value": np.where(place % 10 == 0, 1.0, 60.0),
        }
    )


def share_changed(fault: Any, column: str) -> float:
    rows = many_labels()
    after = fault.labels(rows, Planted(fault, ONSET, 0).moment("labels", ONSET))
    return float((rows[column] != after[column]).mean())


@pytest.mark.parametrize("severity", [0.02, 0.1])
def test_severity_is_the_share_it_says(severity: float) -> None:
    assert share_changed(LabelDefinition(severity, 1), "value") == pytest.approx(0.9 * severity, rel=0.3)
    assert share_changed(LabelJoinBroken(severity, 1, "kids"), "request_id") == pytest.approx(severity, rel=0.3)
    assert share_changed(FlippedLabels(severity, 1, "kids", 1 / 3), "value") == pytest.approx(severity / 3, rel=0.3)


def test_outcomes_come_hours_later_and_the_store_knows_of_fewer_plays(tiny_world: TinyWorld) -> None:
    ran, clean = tiny_world.faulted(LabelDelay(6.0), n_days=2), tiny_world.clean(n_days=2)
    rows, before = ran.table("outcomes", 1), clean.table("outcomes", 1)
    hours = (rows["ingested_at"] - rows["ts"]).dt.total_seconds() / 3600
    assert (before["ingested_at"] - before["ts"]).dt.total_seconds().median() < 1800
    assert 6.0 < hours.median() < 6.5
    assert len(ran.table("outcomes", 0)) < 0.85 * len(clean.table("outcomes", 0))
    assert ran.table("item_features")["plays_1d"].sum() < 0.85 * clean.table("item_features")["plays_1d"].sum()
    assert ran.table("items", 0).equals(clean.table("items", 0))


def test_more_plays_count_by_what_severity_says(tiny_world: TinyWorld) -> None:
    fault = LabelDefinition.choose(0.06, tiny_world.site, rng())
    before, after = tiny_world.seam_rows["labels"]["value"], acted(tiny_world, fault)["value"]
    rise = (after >= PLAY_MINUTES).sum() / (before >= PLAY_MINUTES).sum() - 1
    assert rise == pytest.approx(0.06, abs=0.03)
    changed = before != after
    assert (before[changed] < PLAY_MINUTES).all()
    assert (after[changed] >= PLAY_MINUTES).all()
    ran, clean = tiny_world.faulted(fault, n_days=2), tiny_world.clean(n_days=2)
    plays, plays_before = (one.table("item_features")["plays_1d"].sum() for one in (ran, clean))
    assert plays_before < plays < 1.15 * plays_before


def test_labels_of_one_surface_join_with_nothing(tiny_world: TinyWorld) -> None:
    fault = LabelJoinBroken.choose(0.1, tiny_world.site, rng())
    outcomes = tiny_world.faulted(fault).table("outcomes").dropna(subset=["request_id"])
    requests = set(tiny_world.clean().table("candidates")["request_id"])
    today = outcomes[outcomes["ts"].dt.date == tiny_world.next_day]
    is_lost = ~today["request_id"].isin(requests)
    assert is_lost.mean() == pytest.approx(0.1, abs=0.05)
    assert set(today.loc[is_lost, "surface"]) == {fault.surface}
    clean = tiny_world.clean().table("outcomes").dropna(subset=["request_id"])
    assert clean.loc[clean["ts"].dt.date == tiny_world.next_day, "request_id"].isin(requests).all()


def test_own_labels_break_on_any_surface() -> None:
    fault = LabelJoinBroken.choose(0.1, example_site(), rng())
    rows = example_outcomes()
    after = fault.own_outcomes(rows, Planted(fault, ONSET, 0).moment("own_outcomes", ONSET))
    changed = np.asarray(after["request_id"] != rows["request_id"])
    assert 0.04 < changed.sum() / (~rows.nulls["request_id"]).sum() < 0.16
    assert not (changed & rows.nulls["request_id"]).any()


def test_labels_of_one_surface_are_flipped(tiny_world: TinyWorld) -> None:
    fault = FlippedLabels.choose(0.5, tiny_world.site, rng())
    rows, after = tiny_world.seam_rows["labels"], acted(tiny_world, fault)["value"]
    changed = rows["value"] != after
    assert (changed == ((rows["value"] >= PLAY_MINUTES) != (after >= PLAY_MINUTES))).all()
    is_there = rows.where(surface=fault.surface)
    assert not changed[~is_there].any()
    assert changed[is_there].any()
    written = tiny_world.faulted(fault).table("outcomes").set_index(["request_id", "item_id", "ts"])["value"]
    clean = tiny_world.clean().table("outcomes").set_index(["request_id", "item_id", "ts"])["value"]
    assert 0 < (written != clean).sum() <= changed.sum()


@pytest.mark.parametrize(
    ("kind", "column", "levels"),
    [
        (LabelDefinition, "value", (0.02, 0.05, 0.1)),
        (LabelJoinBroken, "request_id", (0.02, 0.05, 0.1)),
        (FlippedLabels, "value", (0.3, 0.6, 1.0)),
    ],
    ids=lambda one: one.meta.name if hasattr(one, "meta") else "",
)
def test_what_is_hit_at_a_small_severity_is_hit_at_a_larger_one(
    kind: Any, column: str, levels: tuple[float, ...], tiny_world: TinyWorld
) -> None:
    small, middle, large = (hit(tiny_world, kind.choose(one, tiny_world.site, rng(2)), column) for one in levels)
    assert 0 < small.sum() < large.sum()
    assert (small <= middle).all()
    assert (middle <= large).all()


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (LabelDelay, "ingested_at"),
        (LabelDefinition, "value"),
        (LabelJoinBroken, "request_id"),
        (FlippedLabels, "value"),
    ],
)
def test_a_log_without_the_role_is_told_so(kind: Any, role: str) -> None:
    with pytest.raises(CannotPlantError, match=f"outcomes without the role {role}"):
        kind.choose(0.1, bare_sites()[0], rng())
