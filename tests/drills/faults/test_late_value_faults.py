"""Faults by which the feature store is behind the world."""

from __future__ import annotations

import numpy as np
import pytest
from compared_days import at_seam, both, candidates, one_each
from tiny_world import TinyWorld, rng

from recsysops.drills.fault import CannotPlantError
from recsysops.drills.faults.late_events_cut import LateEventsCut
from recsysops.drills.faults.stale_snapshot import TABLES, StaleSnapshot
from recsysops.testing.example_site import example_site


@pytest.mark.parametrize("table", TABLES)
def test_a_stuck_table_has_the_values_of_the_night_before(tiny_world: TinyWorld, table: str) -> None:
    ran = tiny_world.faulted(StaleSnapshot(1.0, table), n_days=2)
    clean = tiny_world.clean(2)
    column, feature = ("plays_1d", "item_plays_1d") if table == "item_features" else ("plays_7d", "member_plays_7d")
    first, second = candidates(ran, 0), candidates(ran, 1)
    key = "member_id" if table == "member_features" else "item_id"
    values = [one_each(rows, key, feature) for rows in (first, second)]
    shared = values[0].index.intersection(values[1].index)
    assert (values[0][shared] == values[1][shared]).all()
    lively = [one_each(candidates(clean, day), key, feature) for day in (0, 1)]
    shared = lively[0].index.intersection(lively[1].index)
    assert (lively[0][shared] != lively[1][shared]).any()
    if table == "item_features":
        written = [ran.table(table, day).set_index("key")[column] for day in (0, 1)]
        assert written[0].equals(written[1])
        assert ran.table(table, 1)["as_of"].iloc[0] != ran.table(table, 0)["as_of"].iloc[0], "stamped as if new"
    else:
        assert not ran.part(table, 1).exists(), "members are written where something changed"


def test_only_the_stuck_table_is_behind(tiny_world: TinyWorld) -> None:
    ran, clean = tiny_world.faulted(StaleSnapshot(1.0, "item_features")), tiny_world.clean()
    assert ran.part("member_features").read_bytes() == clean.part("member_features").read_bytes()
    assert ran.part("item_features").read_bytes() != clean.part("item_features").read_bytes()


def test_both_tables_are_chosen_and_logs_alone_refuse(tiny_world: TinyWorld) -> None:
    assert {StaleSnapshot.choose(1, tiny_world.site, rng(seed)).table for seed in range(12)} == set(TABLES)
    for kind in (StaleSnapshot, LateEventsCut):
        with pytest.raises(CannotPlantError, match="logs alone"):
            kind.choose(1, example_site(), rng())


@pytest.mark.parametrize("severity", [0.1, 0.5])
def test_the_last_plays_of_the_day_are_cut(tiny_world: TinyWorld, severity: float) -> None:
    before, after = at_seam(tiny_world, LateEventsCut(severity), "events")
    midnight = np.datetime64(tiny_world.next_day, "us")
    days = [(midnight - rows["ts"]) <= np.timedelta64(1, "D") for rows in (before, after)]
    assert days[1].sum() / days[0].sum() == pytest.approx(1 - severity, abs=0.02)
    assert (~days[1]).sum() == (~days[0]).sum(), "older plays are all there"
    assert after["ts"].max() < before["ts"].max()
    clean, faulted = both(tiny_world, LateEventsCut(severity))
    items = [one_each(rows, "item_id", "item_plays_1d") for rows in (clean, faulted)]
    assert (items[1] <= items[0]).all()
    assert items[1].sum() / items[0].sum() == pytest.approx(1 - severity, abs=0.12)
    weeks = [one_each(rows, "item_id", "item_plays_7d").sum() for rows in (clean, faulted)]
    assert weeks[1] / weeks[0] == pytest.approx(1 - severity / 7, abs=0.05)


def test_less_is_cut_by_less(tiny_world: TinyWorld) -> None:
    kept = [len(at_seam(tiny_world, LateEventsCut(one), "events")[1]) for one in (1e-9, 0.1, 0.5, 0.95)]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] >= len(tiny_world.seam_rows["events"]) - 1


def test_what_was_cut_is_there_the_night_after(tiny_world: TinyWorld) -> None:
    ran, clean = tiny_world.faulted(LateEventsCut(0.5), n_days=2), tiny_world.clean(2)
    first = [one.table("item_features", 0)["plays_7d"].sum() for one in (clean, ran)]
    second = [one.table("item_features", 1)["plays_7d"].sum() for one in (clean, ran)]
    assert first[1] < 0.97 * first[0]
    assert second[1] > 0.85 * second[0], "only the newest day is ever short"
