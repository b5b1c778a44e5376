"""The view ``requests`` against a loop over requests in Python, on logs with ties, gaps, repeats and missing values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from derived_rows import derived

N_REQUESTS, SIZE = 60, 9


def candidates(seed: int) -> pd.DataFrame:
    """Requests of up to nine candidates, as untidy as logs can be."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number in range(N_REQUESTS):
        n = int(rng.integers(1, SIZE + 1))
        scores = rng.choice([0.1, 0.2, 0.3, 0.4, np.nan], n) if number % 3 else rng.random(n)
        n_shown = int(rng.integers(0, n + 1))
        position = rng.permutation(n) + 1 if number % 4 else rng.integers(1, n + 2, n)
        for place in range(n):
            shown = place < n_shown
            rows.append(
                {
                    "request_id": f"r{number}",
                    "ts": pd.Timestamp("2026-11-01", tz="UTC") + pd.Timedelta(seconds=number),
                    "item_id": f"i{rng.integers(0, 12)}",
                    "member_id": f"m{number % 7}",
                    "position": float(position[place]) if shown else None,
                    "shown": shown,
                    "raw_score": None if np.isnan(scores[place]) else float(scores[place]),
                    "score": None if np.isnan(scores[place]) else float(scores[place]) / 2,
                    "raw_rank": float(place + 1) if number % 5 else float(n - place),
                    "final_rank": float(place + 1),
                    "candidate_source": ("taste", "new", None)[rng.integers(3)],
                    "filtered_by": ("seen", "", None)[rng.integers(3)],
                    "fallback": bool(number % 11 == 0),
                    "price": float(rng.choice([0.0, 9.0, 99.0])),
                    "market": "NO" if number % 2 else "DK",
                }
            )
    return pd.DataFrame(rows)


def expected(rows: pd.DataFrame) -> dict[str, Any]:
    shown, hidden = rows[rows["shown"]], rows[~rows["shown"]]
    scored = rows.dropna(subset=["score"])
    filtered = rows["filtered_by"].fillna("") != ""
    open_rows = hidden[(hidden["filtered_by"].fillna("") == "")]["score"].dropna()
    cut, best_out = shown["score"].dropna().min(), open_rows.max()
    places = set(shown["position"].dropna())
    return {
        "n_candidates": len(rows),
        "n_shown": len(shown),
        "n_filtered": int(filtered.sum()),
        "sources": "+".join(sorted(set(rows["candidate_source"].dropna()))) or None,
        "filters": "+".join(sorted(set(rows["filtered_by"].dropna()) - {""})) or None,
        "has_tie_at_cut": None if pd.isna(cut) or pd.isna(best_out) else bool(cut == best_out),
        "has_one_score": len(scored) > 1 and scored["score"].nunique() == 1,
        "tied_rate": 1 - scored["score"].nunique() / len(scored) if len(scored) else None,
        "has_gap": bool(places) and places != set(range(1, len(places) + 1)),
        "has_repeat": bool(shown["item_id"].duplicated().any()),
        "shows_filtered": bool(filtered[shown.index].any()),
        "first_raw_rank": shown[shown["position"] == 1]["raw_rank"].min(),
        "greatest_promotion": (rows["raw_rank"] - rows["final_rank"]).max(),
        "mean_price_shown": shown["price"].mean(),
        "fallback": bool(rows["fallback"].any()),
        "market": rows["market"].iloc[0],
    }


@pytest.mark.parametrize("seed", range(3))
def test_requests_agree_with_a_loop(tmp_path: Path, seed: int) -> None:
    log = candidates(seed)
    found = derived(tmp_path, "requests", {"candidates": log}).set_index("request_id")
    assert sorted(found.index) == sorted(log["request_id"].unique())
    told = found.to_dict("index")
    for request, rows in log.groupby("request_id"):
        for name, wanted in expected(rows).items():
            value = told[request][name]
            if wanted is None or wanted != wanted:
                assert pd.isna(value), (request, name, value)
            elif isinstance(wanted, float):
                assert value == pytest.approx(wanted), (request, name)
            else:
                assert value == wanted, (request, name, value, wanted)


def test_a_scorer_whose_ranks_follow_its_scores_is_in_order_and_one_upside_down_is_not(tmp_path: Path) -> None:
    log = candidates(5).dropna(subset=["raw_score"])
    log["raw_rank"] = log.groupby("request_id")["raw_score"].rank(ascending=False, method="first")
    assert not derived(tmp_path / "a", "requests", {"candidates": log})["is_misordered"].any()
    log["raw_rank"] = log.groupby("request_id")["raw_score"].rank(ascending=True, method="first")
    varied = log.groupby("request_id")["raw_score"].nunique() > 1
    found = derived(tmp_path / "b", "requests", {"candidates": log}).set_index("request_id")["is_misordered"]
    assert (found == varied[found.index]).all()
