"""Benign events: each kind about once in sixty days, recorded, of honest size, and none where none is wanted."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from tiny_world import SEED, SIZE, TinyWorld

from recsysops.drills.fault import SEAMS, Planted
from recsysops.drills.rows import Rows
from recsysops.drills.world.benign.schedule import KINDS, Benign, schedule, with_events_items, with_events_members
from recsysops.drills.world.benign.setting import Setting
from recsysops.drills.world.catalogue import items
from recsysops.drills.world.population import members
from recsysops.drills.world.size import WorldSize

LONG = WorldSize(n_members=300, n_titles=100, n_days=250)
NUMBER = SIZE.warm_up_days + 3


def events(size: WorldSize, seed: int) -> tuple[Planted, ...]:
    return schedule(size, seed, members(size, seed), items(size, seed))


def planned(kind: type[Benign], seed: int = 0) -> Any:
    setting = Setting(SIZE, members(SIZE, SEED), items(SIZE, SEED), NUMBER)
    return kind.planned(setting, np.random.default_rng(seed))


def seams_of(event: object) -> list[str]:
    return [name for name in SEAMS if callable(getattr(event, name, None))]


def test_each_kind_comes_once_in_sixty_days_and_none_in_the_first_ten() -> None:
    found = events(LONG, 1)
    assert Counter(type(one.acting) for one in found) == dict.fromkeys(KINDS, 4)
    assert min(one.onset for one in found) >= LONG.first_day + timedelta(days=10)
    assert max(one.onset for one in found) < LONG.end
    assert [one.onset for one in found] == sorted(one.onset for one in found)


def test_the_schedule_follows_from_the_seed() -> None:
    assert events(LONG, 1) == events(LONG, 1)
    assert [one.onset for one in events(LONG, 1)] != [one.onset for one in events(LONG, 2)]
    assert events(replace(LONG, has_benign_events=False), 1) == ()


def test_those_that_end_say_when() -> None:
    for one in events(LONG, 1):
        n_days = type(one.acting).n_days
        assert one.until == (None if n_days is None else one.onset + timedelta(days=n_days))


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_says_what_it_is_in_one_line(kind: type[Benign]) -> None:
    first = inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]
    assert 20 < len(first) <= 120
    assert first.endswith(".")
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_changes_what_passes_its_seams_and_not_the_rows_it_is_given(
    tiny_world: TinyWorld, kind: type[Benign]
) -> None:
    event, day = planned(kind), tiny_world.next_day
    for seam in seams_of(event):
        rows = tiny_world.seam_rows[seam]
        before = {name: rows[name].copy() for name in rows}
        is_changed = False
        for n_days in (0, 6):
            moment = Planted(event, day - timedelta(days=n_days), 1).moment(seam, day)
            after = getattr(event, seam)(rows, moment)
            assert list(after) == list(rows)
            assert all(after[name].dtype == rows[name].dtype for name in rows)
            is_changed |= len(after) != len(rows) or not all(_same(after[name], rows[name]) for name in rows)
        assert all(_same(rows[name], before[name]) for name in rows)
        assert is_changed, seam


def _same(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one[one == one], other[other == other]) and np.array_equal(one == one, other == other))


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_does_something_in_the_world(kind: type[Benign]) -> None:
    event = planned(kind)
    is_prepared = hasattr(event, "of_items") or hasattr(event, "of_members")
    assert is_prepared or set(seams_of(event)) - {"changes"}


def test_titles_leave_together_and_a_rare_language_is_true() -> None:
    found = events(LONG, 1)
    before, after = items(LONG, 1), with_events_items(items(LONG, 1), found)
    ends = after.expiry[after.expiry != before.expiry]
    assert len(ends) >= 4 * 3
    assert len(np.unique(ends)) == 4
    assert (after.language != before.language).sum() in {3, 4}


def test_members_of_a_new_market_join_when_it_opens() -> None:
    found = [one for one in events(LONG, 1) if hasattr(one.acting, "of_members")][:1]
    before, after = members(LONG, 1), with_events_members(members(LONG, 1), found)
    moved = np.flatnonzero(after.market != before.market)
    opens = LONG.number(found[0].onset)
    assert len(moved) > 0
    assert ((after.joined[moved] >= opens) & (after.joined[moved] < opens + 14)).all()


def test_all_events_at_once_and_the_service_still_runs(tiny_world: TinyWorld) -> None:
    planted = [Planted(planned(kind), tiny_world.next_day, place) for place, kind in enumerate(KINDS)]
    ran, clean = tiny_world.run(*planted, n_days=5), tiny_world.clean(7)
    recorded = set(ran.table("changes", 0)["kind"])
    assert {"calendar", "campaign", "catalogue", "config", "experiment", "launch", "release"} <= recorded
    outside = [
        sum((one.table("outcomes", day)["origin"] == "external").sum() for day in range(5)) for one in (ran, clean)
    ]
    assert outside[0] > outside[1]
    prices = [one.table("items", 0)["price"].sum() for one in (ran, clean)]
    assert prices[0] == pytest.approx(prices[1] / 2)


def test_an_experiment_shows_its_layout_to_the_treatment_only(tiny_world: TinyWorld) -> None:
    event = planned(next(kind for kind in KINDS if kind.__name__ == "ExperimentRamp"))
    rows: Rows = tiny_world.seam_rows["layout"]
    after = event.layout(rows, Planted(event, tiny_world.next_day, 1).moment("layout", tiny_world.next_day))
    is_changed = after["examined"] != rows["examined"]
    assert set(rows["arm"][is_changed]) == {"treatment"}
    assert (after["examined"][rows["position"] == 1] == 1).all()
    assert ((after["examined"] > 0) & (after["examined"] <= 1)).all()
