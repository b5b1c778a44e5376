"""Faults of policy rules: scores stay what they are, and slates do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_world import Ran, TinyWorld, rng

from recsysops.drills.fault import CannotPlantError, Planted
from recsysops.drills.faults.diversity_cap import DiversityCap
from recsysops.drills.faults.expired_pin import ExpiredPin
from recsysops.drills.faults.suppress_scope import SuppressScope
from recsysops.drills.rows import Rows
from recsysops.testing.check_fault import ONSET
from recsysops.testing.example_site import bare_sites, example_candidates, example_site

KEY = ["request_id", "item_id"]


def same_scores(ran: Ran, clean: Ran) -> bool:
    """Policy comes after scoring: on the first day nothing before it differs."""
    columns = [*KEY, "raw_score", "score", "raw_rank", "item_plays_7d"]
    both = (one.table("candidates")[columns].astype(dict.fromkeys(KEY, str)) for one in (ran, clean))
    first, second = (one.sort_values(KEY, ignore_index=True) for one in both)
    return first.equals(second)


def of_item(ran: Ran, item: str) -> pd.DataFrame:
    rows = ran.table("candidates")
    return rows[rows["item_id"] == item]


def test_a_pinned_item_leads_every_slate_it_may_be_in(tiny_world: TinyWorld) -> None:
    fault = ExpiredPin(tiny_world.site.item_ids[8])
    ran, clean = tiny_world.faulted(fault), tiny_world.clean()
    assert same_scores(ran, clean)
    rows, before = (of_item(one, fault.item).query("not randomised") for one in (ran, clean))
    rows = rows[rows["filtered_by"].isna()]
    assert len(rows) > 10
    assert rows["position"].eq(1).all()
    assert before["position"].eq(1).mean() < 0.5
    assert (rows["raw_rank"] > 1).any()


def test_the_pin_has_expired_and_nobody_records_a_change(tiny_world: TinyWorld) -> None:
    fault = ExpiredPin(tiny_world.site.item_ids[8])
    planted = Planted(fault, tiny_world.next_day, 0)
    rules = fault.policy(tiny_world.seam_rows["policy"], planted.moment("policy", tiny_world.next_day))
    pin = rules.take(rules["rule"] == fault.rule)
    assert list(pin["kind"]) == ["pin"]
    assert (pin["expires_at"] < np.datetime64(tiny_world.next_day)).all()
    assert fault.rule not in tiny_world.seam_rows["policy"]["rule"]
    assert f"policy.{fault.rule}" not in changes(tiny_world.faulted(fault))


def changes(ran: Ran) -> list[str]:
    path = ran.folder / "logs" / "changes" / f"day={ran.days[-1].isoformat()}"
    return list(ran.table("changes")["scope"]) if path.exists() else []


def test_a_suppressed_item_is_shown_everywhere_but_in_the_market(tiny_world: TinyWorld) -> None:
    fault = SuppressScope(tiny_world.site.item_ids[0], "market", "NO")
    ran, clean = tiny_world.faulted(fault), tiny_world.clean()
    assert same_scores(ran, clean)
    rows, before = of_item(ran, fault.item), of_item(clean, fault.item)
    shown, shown_before = (
        one.loc[one["shown"], "market"].astype(str).value_counts().sort_index() for one in (rows, before)
    )
    assert shown_before["NO"] > 5
    assert "NO" not in shown.index
    assert shown.drop("NO", errors="ignore").equals(shown_before.drop("NO"))
    assert set(rows.loc[rows["market"] == "NO", "filtered_by"]) == {"rights"}
    assert f"policy.{fault.rule}" in changes(ran)


def doubled_genres(ran: Ran) -> tuple[float, float]:
    """Share of slates with two titles of a genre, and titles per slate."""
    rows = ran.table("candidates")
    slates = rows[rows["shown"] & ~rows["randomised"]].groupby("request_id")["item_genre"]
    return float((slates.nunique() < slates.size()).mean()), float(slates.size().mean())


@pytest.mark.parametrize("severity", [0.3, 1.0])
def test_a_strict_cap_mixes_as_many_slates_as_severity_says(severity: float, tiny_world: TinyWorld) -> None:
    fault = DiversityCap.choose(severity, tiny_world.site, rng())
    ran, clean = tiny_world.faulted(fault), tiny_world.clean()
    assert same_scores(ran, clean)
    (doubled, size), (before, size_before) = doubled_genres(ran), doubled_genres(clean)
    assert before > 0.9
    assert doubled == pytest.approx((1 - severity) * before, abs=0.25)  # some slates find too few genres
    assert size == size_before


def own(fault: Any) -> Rows:
    rows: Rows = fault.own_candidates(example_candidates(), Planted(fault, ONSET, 0).moment("own_candidates", ONSET))
    return rows


def test_on_own_logs_a_pinned_item_leads_wherever_it_is_a_candidate() -> None:
    fault = ExpiredPin.choose(1.0, example_site(), rng())
    after = own(fault)
    is_it = after["item_id"] == fault.item
    first = {
        request: min(after["position"][is_it & (after["request_id"] == request)])
        for request in after["request_id"][is_it]
    }
    assert set(first.values()) == {1}
    assert after["shown"].sum() == example_candidates()["shown"].sum()


def test_on_own_logs_a_suppressed_item_leaves_its_slice() -> None:
    fault = SuppressScope.choose(1.0, example_site(), rng())
    before, after = example_candidates(), own(fault)
    is_it = (before["item_id"] == fault.item) & before.where(**{fault.dimension: fault.value})
    elsewhere = (before["item_id"] == fault.item) & ~before.where(**{fault.dimension: fault.value})
    assert before["shown"][is_it].any()
    assert not after["shown"][is_it].any()
    assert (after["shown"][elsewhere] == before["shown"][elsewhere]).all()


def test_on_own_logs_hit_slates_hold_more_categories() -> None:
    before, after = example_candidates(), own(DiversityCap(1.0, 1, "item_genre"))
    n_before, n_after = (
        len({*zip(one["request_id"][one["shown"]], one["item_genre"][one["shown"]], strict=True)})
        for one in (before, after)
    )
    assert n_after > 1.05 * n_before
    assert before["shown"].sum() == after["shown"].sum()


def test_slates_hit_at_a_small_severity_are_hit_at_a_larger_one() -> None:
    before = example_candidates()
    hit = [
        set(before["request_id"][own(DiversityCap(one, 1, "item_genre"))["final_rank"] != before["final_rank"]])
        for one in (0.1, 0.3, 1.0)
    ]
    assert hit[0] < hit[1] < hit[2]


@pytest.mark.parametrize("kind", [ExpiredPin, DiversityCap])
def test_a_log_without_positions_is_told_so(kind: Any) -> None:
    with pytest.raises(CannotPlantError, match="candidates without the role position"):
        kind.choose(1.0, bare_sites()[0], rng())


def test_a_log_without_slices_has_no_scope_to_mistake() -> None:
    with pytest.raises(CannotPlantError, match="found no slice, expected one with a tenth of the rows"):
        SuppressScope.choose(1.0, bare_sites()[3], rng())
