"""What is shown: within the rules, in slates of at most eight, with true propensities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from world_files import Frame, frame

from recsysops.drills.rows import Rows
from recsysops.drills.world.slates import shown

N_REQUESTS, N_CANDIDATES = 60_000, 14


@pytest.fixture(scope="module")
def candidates(log: Path) -> Frame:
    return frame(log, "candidates")


def test_slates_are_short_full_of_different_items_and_without_gaps(candidates: Frame) -> None:
    slates = candidates[candidates["shown"]].groupby("request_id")
    assert slates.size().max() == 8
    assert slates.size().min() >= 1
    assert (slates["position"].max() == slates.size()).all()
    assert (slates["position"].nunique() == slates.size()).all()
    assert (candidates.groupby("request_id")["item_id"].nunique() == candidates.groupby("request_id").size()).all()


def test_positions_are_final_ranks_and_only_of_what_is_shown(candidates: Frame) -> None:
    is_shown = candidates["shown"]
    assert (candidates.loc[is_shown, "position"] == candidates.loc[is_shown, "final_rank"]).all()
    assert candidates.loc[~is_shown, ["position", "propensity"]].isna().all(axis=None)


@pytest.mark.parametrize("name", ["raw_rank", "final_rank"])
def test_ranks_are_permutations(candidates: Frame, name: str) -> None:
    ordered = candidates.sort_values(["request_id", name])
    assert (ordered[name] == ordered.groupby("request_id").cumcount() + 1).all()


def test_what_is_filtered_is_never_shown(candidates: Frame) -> None:
    filtered = candidates[candidates["filtered_by"].notna()]
    assert {"seen", "maturity"} <= set(filtered["filtered_by"])
    assert not filtered["shown"].any()


def test_children_see_nothing_for_grown_ups(log: Path, candidates: Frame) -> None:
    rating = candidates["item_maturity_rating"]
    kids = candidates[(candidates["surface"] == "kids") & candidates["shown"]]
    assert len(kids) > 100
    assert kids["item_maturity_rating"].max() <= 6 < rating.max()


def test_candidates_are_available_in_their_market_at_the_time(log: Path, candidates: Frame) -> None:
    rights = frame(log, "availability")
    found = candidates.merge(rights, on=["item_id", "market"], how="left")
    assert len(found) == len(candidates)
    assert found["from"].notna().all()
    assert (found["from"] <= found["ts"]).all()
    assert not (found["to"] <= found["ts"]).any()
    assert rights["to"].notna().any()


def test_what_is_available_before_its_time_would_be_noticed(log: Path, candidates: Frame) -> None:
    """The test above can fail: shortly before launch, some candidates were not available yet."""
    launch = frame(log, "items").groupby("item_id")["launch_at"].max()
    age = candidates["ts"] - candidates["item_id"].map(launch)
    assert age.min() < np.timedelta64(12, "h")
    assert age.min() >= np.timedelta64(0, "us")


def _brute(randomised: np.ndarray[tuple[int, ...], np.dtype[np.float64]], n_filtered: int) -> Rows:
    """The same request many times: ``N_CANDIDATES`` in order, the last ones filtered."""
    n = len(randomised)
    rank = np.tile(np.arange(1, N_CANDIDATES + 1), n)
    reason = np.where(rank > N_CANDIDATES - n_filtered, np.array("seen", object), np.array(None, object))
    ranked = Rows({"request": np.repeat(np.arange(n), N_CANDIDATES), "policy_rank": rank, "filtered_by": reason})
    return shown(Rows({"randomised": randomised}), ranked, 1, 1)


@pytest.mark.parametrize("n_filtered", [0, 4, 8])
def test_propensities_are_the_shares_of_items_at_positions(n_filtered: int) -> None:
    """By drawing: of the randomised requests an item is equally often at each position; 0.99 and 0.01 weigh both ways."""
    depth = min(N_CANDIDATES - n_filtered, 12)
    drawn = _brute(np.zeros(N_REQUESTS), n_filtered)
    assert drawn["is_randomised"].all()
    item = np.tile(np.arange(N_CANDIDATES), N_REQUESTS)
    is_shown = drawn["is_shown"]
    times = np.zeros((N_CANDIDATES, 8))
    np.add.at(times, (item[is_shown], drawn["final_rank"][is_shown] - 1), 1)
    n_positions = min(8, depth)
    error = np.abs(times[:depth, :n_positions] / N_REQUESTS - 1 / depth)
    assert error.max() < 5 * np.sqrt(1 / depth / N_REQUESTS)
    assert times[depth:].sum() == 0
    in_order = _brute(np.ones(1), n_filtered)
    shown_in_order = in_order["propensity"][in_order["is_shown"]]
    assert np.allclose(shown_in_order, 0.99 + 0.01 / depth)
    moved = is_shown & (drawn["final_rank"] != item + 1)
    assert np.allclose(drawn["propensity"][moved], 0.01 / depth)
    assert np.allclose(drawn["propensity"][is_shown & ~moved], 0.99 + 0.01 / depth)


def test_propensities_at_a_position_sum_to_one() -> None:
    """Over all items that may be there: the one of the policy, and the other open ones by chance."""
    one = _brute(np.ones(1), 5)
    depth = N_CANDIDATES - 5
    by_chance = 0.01 / depth
    assert np.allclose(one["propensity"][one["is_shown"]] + (depth - 1) * by_chance, 1.0)


def test_one_request_in_a_hundred_is_randomised_and_says_so(candidates: Frame) -> None:
    first = candidates.groupby("request_id").first()
    n, share = len(first), first["randomised"].mean()
    assert abs(share - 0.01) < 4 * np.sqrt(0.01 / n)
    rare = candidates[candidates["shown"] & (candidates["propensity"] < 0.5)]
    assert rare["randomised"].all()
