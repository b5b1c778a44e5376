"""Faults of experiments and clients, and a change of the world that is no fault."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tiny_world import Ran, TinyWorld, rng

from recsysops.drills.fault import CannotPlantError, Planted
from recsysops.drills.faults.layout_shift import FROM_POSITION, LayoutShift
from recsysops.drills.faults.sample_ratio import SampleRatio
from recsysops.drills.faults.taste_shift import TasteShift
from recsysops.drills.rows import Rows
from recsysops.testing.check_fault import ONSET
from recsysops.testing.example_site import bare_sites

KEY = ["request_id", "item_id"]


def arms(n: int = 8_000) -> Rows:
    member = np.array([f"m{number}" for number in range(n)], object)
    return Rows({"member_id": member, "experiment_arm": np.where(np.arange(n) % 2, "a", "b").astype(object)})


@pytest.mark.parametrize("severity", [0.05, 0.2])
def test_as_many_members_change_arms_as_severity_says(severity: float) -> None:
    fault = SampleRatio(severity, 1)
    after = fault.requests(arms(), Planted(fault, ONSET, 0).moment("requests", ONSET))["experiment_arm"]
    moved = after != arms()["experiment_arm"]
    assert moved.mean() == pytest.approx(severity, rel=0.15)
    assert len(set(after[moved])) == 1


def test_members_moved_at_a_small_severity_are_moved_at_a_larger_one() -> None:
    moved = [
        SampleRatio(one, 1).requests(arms(), Planted(None, ONSET, 0).moment("requests", ONSET))["experiment_arm"]
        != arms()["experiment_arm"]
        for one in (0.01, 0.1, 0.5)
    ]
    assert 0 < moved[0].sum() < moved[1].sum() < moved[2].sum() == len(arms()) / 2
    assert (moved[0] <= moved[1]).all()
    assert (moved[1] <= moved[2]).all()


def test_one_arm_alone_stays_as_it_is() -> None:
    rows = arms().with_columns(experiment_arm=np.full(8_000, "a", object))
    after = SampleRatio(0.5, 1).requests(rows, Planted(None, ONSET, 0).moment("requests", ONSET))
    assert (after["experiment_arm"] == "a").all()


def test_the_log_shows_the_uneven_split_and_nothing_else(tiny_world: TinyWorld) -> None:
    rows = tiny_world.faulted(SampleRatio.choose(0.2, tiny_world.site, rng())).table("candidates")
    clean = tiny_world.clean().table("candidates")
    assert abs(rows["experiment_arm"].eq("control").mean() - clean["experiment_arm"].eq("control").mean()) > 0.1
    assert rows.drop(columns="experiment_arm").equals(clean.drop(columns="experiment_arm"))


def plays_by_position(ran: Ran, device: str) -> pd.Series[int]:
    rows = ran.table("candidates")
    joined = rows[rows["shown"]].merge(ran.table("outcomes"), on=KEY)
    return joined[joined["device"] == device].groupby("position").size()


def test_hidden_positions_are_played_less_on_one_device(tiny_world: TinyWorld) -> None:
    fault = LayoutShift(0.95, "tv", 0.4)
    ran, clean = tiny_world.faulted(fault), tiny_world.clean()
    assert ran.table("candidates").equals(clean.table("candidates"))
    after, before = plays_by_position(ran, "tv"), plays_by_position(clean, "tv")
    assert after[after.index < FROM_POSITION].equals(before[before.index < FROM_POSITION])
    below = before.index >= FROM_POSITION
    assert before[below].sum() > 8
    assert after[after.index >= FROM_POSITION].sum() < 0.4 * before[below].sum()
    assert plays_by_position(ran, "phone").equals(plays_by_position(clean, "phone"))


def test_examination_falls_by_what_severity_says(tiny_world: TinyWorld) -> None:
    fault = LayoutShift.choose(0.05, tiny_world.site, rng())
    rows = tiny_world.seam_rows["layout"]
    after = fault.layout(rows, Planted(fault, ONSET, 0).moment("layout", ONSET))
    ratio = after["examined"] / rows["examined"]
    is_hidden = rows.where(device=fault.device) & (rows["position"] >= FROM_POSITION)
    assert ratio[is_hidden] == pytest.approx(0.95)
    assert (ratio[~is_hidden] == 1).all()


def test_a_log_without_devices_is_told_so() -> None:
    with pytest.raises(CannotPlantError, match="found no device"):
        LayoutShift.choose(0.05, bare_sites()[0], rng())


def test_members_truly_play_something_else(tiny_world: TinyWorld) -> None:
    fault = TasteShift(2.0, 0, 1)
    ran, clean = tiny_world.faulted(fault), tiny_world.clean()
    assert ran.table("candidates").equals(clean.table("candidates"))
    taste = pd.read_parquet(tiny_world.folder / "truth" / "items.parquet").set_index("item_id")["taste_0"]
    after, before = (one.table("outcomes")["item_id"].map(taste).mean() for one in (ran, clean))
    assert after - before > 0.5 * taste.std()


def test_liking_shifts_along_one_taste_by_severity_per_standard_deviation(tiny_world: TinyWorld) -> None:
    rows = tiny_world.seam_rows["liking"]
    for severity in (0.1, 1.0):
        fault = TasteShift(severity, 3, -1)
        shift = fault.liking(rows, Planted(fault, ONSET, 0).moment("liking", ONSET))["quality"] - rows["quality"]
        assert shift.std() == pytest.approx(severity)
        assert np.corrcoef(shift, rows["taste_3"])[0, 1] == pytest.approx(-1)
