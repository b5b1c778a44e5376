"""Faults of the log: the service does what it did before, and less, more or something else of it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tiny_world import TinyWorld, rng

from recsysops.drills.fault import CannotPlantError, Planted
from recsysops.drills.faults.bot_burst import N_BOTS, BotBurst
from recsysops.drills.faults.client_stops_logging import ClientStopsLogging
from recsysops.drills.faults.duplicate_events import DuplicateEvents
from recsysops.drills.faults.late_host_clock import LateHostClock
from recsysops.drills.faults.lost_impressions import LostImpressions
from recsysops.drills.rows import Rows
from recsysops.testing.check_fault import ONSET
from recsysops.testing.example_site import ROW, bare_sites, example_candidates

if TYPE_CHECKING:
    import pandas as pd

KEY = ["request_id", "item_id"]


def acted(world: TinyWorld, fault: Any, seam: str) -> Rows:
    """What leaves a seam on the first day of the fault."""
    rows: Rows = getattr(fault, seam)(
        world.seam_rows[seam], Planted(fault, world.next_day, 5).moment(seam, world.next_day)
    )
    return rows


def keys(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame["request_id"], frame["item_id"], strict=True))


def test_one_client_loses_rows_and_no_outcomes(tiny_world: TinyWorld) -> None:
    fault = ClientStopsLogging.choose(0.1, tiny_world.site, rng())
    clean, faulted = tiny_world.clean().table("candidates"), tiny_world.faulted(fault).table("candidates")
    lost = clean[~clean["request_id"].isin(faulted["request_id"])]
    assert 0.05 < len(lost) / len(clean) < 0.16
    assert lost["client_version"].nunique() == 1
    assert len(lost) + len(faulted) == len(clean)
    assert (clean["client_version"] == lost["client_version"].iloc[0]).mean() > 0.1
    assert tiny_world.faulted(fault).rows("outcomes").equals(tiny_world.clean().rows("outcomes"))


def test_a_client_that_is_not_named_is_none() -> None:
    fault = ClientStopsLogging(0.1, 1)
    rows = example_candidates()
    unnamed = rows.with_columns(client_version=np.full(len(rows), None, object))
    assert len(fault.log(unnamed, Planted(fault, ONSET, 0).moment("log", ONSET))) == len(rows)


def test_whole_requests_are_written_twice_with_their_outcomes(tiny_world: TinyWorld) -> None:
    ran = tiny_world.faulted(DuplicateEvents.choose(0.1, tiny_world.site, rng()))
    rows, clean = ran.table("candidates"), tiny_world.clean().table("candidates")
    assert not clean.duplicated(KEY).any()
    twice = rows[rows.duplicated(KEY)]
    n_requests = clean["request_id"].nunique()
    assert 0.05 < twice["request_id"].nunique() / n_requests < 0.16
    assert len(twice) == clean["request_id"].isin(twice["request_id"]).sum()
    outcomes, before = ran.table("outcomes"), tiny_world.clean().table("outcomes")
    of_slates = before[
        before["request_id"].notna() & before["request_id"].str[1:4].eq(twice["request_id"].iloc[0][1:4])
    ]
    expected = of_slates["request_id"].isin(twice["request_id"]).sum()
    repeated = outcomes[outcomes.duplicated([*KEY, "ts", "kind"])]
    assert len(repeated) == expected > 0
    assert repeated["request_id"].notna().all()


def test_lost_impressions_look_not_shown_and_are_played(tiny_world: TinyWorld) -> None:
    ran = tiny_world.faulted(LostImpressions.choose(0.2, tiny_world.site, rng()))
    rows, clean = ran.table("candidates"), tiny_world.clean().table("candidates")
    assert 0.16 < 1 - rows["shown"].sum() / clean["shown"].sum() < 0.24
    assert rows.loc[~rows["shown"], "position"].isna().all()
    assert len(rows) == len(clean)
    played = keys(tiny_world.clean().table("outcomes").dropna(subset=["request_id"]))
    assert keys(ran.table("outcomes").dropna(subset=["request_id"])) == played
    assert not played & keys(clean[~clean["shown"]])
    assert len(played & keys(rows[~rows["shown"]])) > 0.1 * len(played & keys(clean))


def test_without_candidates_that_were_not_shown_lost_impressions_are_missing_rows() -> None:
    fault = LostImpressions(0.2, 3)
    rows = example_candidates().without("shown")
    left = fault.own_candidates(rows, Planted(fault, ONSET, 0).moment("own_candidates", ONSET))
    assert 0.75 < len(left) / len(rows) < 0.85


def test_a_burst_comes_from_few_members_in_one_hour(tiny_world: TinyWorld) -> None:
    rows = tiny_world.faulted(BotBurst.choose(0.3, tiny_world.site, rng())).table("candidates")
    clean = tiny_world.clean().table("candidates")
    requests, before = (one.drop_duplicates("request_id") for one in (rows, clean))
    bots = requests[requests["request_id"].str.endswith("-b")]
    assert 0.2 < len(bots) / len(before) < 0.4
    assert bots["member_id"].nunique() <= N_BOTS
    assert set(bots["ts"].dt.hour) == set(bots["hour_of_day"].astype(int)) == {3}
    assert requests["member_id"].value_counts().iloc[0] > 2 * before["member_id"].value_counts().iloc[0]
    assert (before["ts"].dt.hour == 3).mean() < 0.1


def test_one_host_logs_times_that_are_late(tiny_world: TinyWorld) -> None:
    rows = tiny_world.faulted(LateHostClock.choose(30.0, tiny_world.site, rng())).table("candidates")
    both = rows[[*KEY, "host", "ts"]].merge(tiny_world.clean().table("candidates")[[*KEY, "ts"]], on=KEY)
    minutes = (both["ts_y"] - both["ts_x"]).dt.total_seconds() / 60
    late = both.loc[minutes != 0, "host"]
    assert late.nunique() == 1
    assert minutes[both["host"] == late.iloc[0]].eq(30).all()
    assert 0.05 < len(late) / len(both) < 0.2


UNITS = {
    ClientStopsLogging: ("log", "lost"),
    DuplicateEvents: ("log", "repeated"),
    LostImpressions: ("log", "unshown"),
    BotBurst: ("requests", "added"),
}


def hit(before: Rows, after: Rows, kind: str) -> set[str]:
    names = [
        f"{one} {other}"
        for one, other in zip(after["request_id"], after.columns.get("item_id", after["ts"]), strict=True)
    ]
    if kind == "lost":
        return set(before["request_id"]) - set(after["request_id"])
    if kind == "repeated":
        known, counts = np.unique(names, return_counts=True)
        return set(known[counts > 1])
    if kind == "unshown":
        return {name for name, is_shown in zip(names, after["shown"], strict=True) if not is_shown}
    return set(after["request_id"]) - set(before["request_id"])


@pytest.mark.parametrize("kind", UNITS, ids=lambda kind: kind.meta.name)
def test_what_is_hit_at_a_small_severity_is_hit_at_a_larger_one(kind: Any, tiny_world: TinyWorld) -> None:
    seam, what = UNITS[kind]
    found = [
        hit(tiny_world.seam_rows[seam], acted(tiny_world, kind.choose(severity, tiny_world.site, rng()), seam), what)
        for severity in (0.03, 0.06, 0.12)
    ]
    assert found[0] < found[1] < found[2]


@pytest.mark.parametrize(
    ("kind", "role"), [(ClientStopsLogging, "client_version"), (BotBurst, "member_id"), (LateHostClock, "host")]
)
def test_a_log_without_the_role_is_told_so(kind: Any, role: str) -> None:
    with pytest.raises(CannotPlantError, match=f"candidates without the role {role}"):
        kind.choose(0.1, bare_sites()[0], rng())


def test_copies_in_own_logs_keep_the_number_of_their_row() -> None:
    fault = BotBurst(0.1, 1)
    rows = fault.own_candidates(example_candidates(), Planted(fault, ONSET, 0).moment("own_candidates", ONSET))
    added = rows.take(np.arange(len(example_candidates()), len(rows)))
    original = example_candidates().take(added[ROW])
    assert len(added) > 0
    assert (added["item_id"] == original["item_id"]).all()
    assert not set(added["request_id"]) & set(original["request_id"])
