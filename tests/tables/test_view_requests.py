"""``requests`` against pandas: what the detectors of slates rely on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from view_frames import derived, messy_candidates

FLAGS = ("has_one_score", "has_gap", "has_repeat", "shows_filtered", "is_misordered", "has_tie_at_cut")


def _by_hand(request: pd.DataFrame) -> dict[str, object]:
    shown = request[request["shown"]]
    places = shown["position"].dropna()
    is_out = request["filtered_by"].notna()
    scores = request["score"].dropna()
    left = request[~request["shown"] & ~is_out]["score"].dropna()
    raw = request.sort_values("raw_rank")["raw_score"].to_numpy()
    first = request[request["position"] == 1]
    gap = len(places) > 0 and sorted(set(places)) != list(range(1, len(set(places)) + 1))
    lift = shown["price"].mean() / request["price"].mean() if request["price"].mean() > 0 else np.nan
    return {
        "n_candidates": len(request),
        "n_shown": len(shown),
        "has_one_score": len(scores) > 1 and scores.nunique() == 1,
        "has_gap": gap,
        "has_repeat": len(shown) > shown["item_id"].nunique(),
        "shows_filtered": bool((request["shown"] & is_out).any()),
        "is_misordered": bool((np.diff(raw) > 0).any()),
        "has_tie_at_cut": len(left) > 0 and len(shown["score"].dropna()) > 0 and shown["score"].min() == left.max(),
        "filtered_rate": is_out.mean(),
        "price_lift": lift,
        "first_price_lift": first["price"].mean() / request["price"].mean() if request["price"].mean() > 0 else np.nan,
        "mean_price_unshown": request[~request["shown"]]["price"].mean(),
        "mean_raw_rank_shown": shown["raw_rank"].mean(),
        "first_item": first["item_id"].min() if len(first) else None,
    }


@pytest.mark.parametrize("seed", range(3))
def test_requests(seed: int) -> None:
    frame = messy_candidates(seed)
    found = derived("requests", frame).set_index("request_id")
    expected = pd.DataFrame({name: _by_hand(rows) for name, rows in frame.groupby("request_id")}).T
    assert set(found.index) == set(expected.index)
    for name in expected:
        ours, theirs = found.loc[expected.index][name], expected[name]
        if name in FLAGS:
            assert (ours.fillna(value=False).astype(bool) == theirs.astype(bool)).all(), name
            assert theirs.any() or name == "is_misordered", f"{name} never happens"
        elif name == "first_item":
            assert (ours.fillna("") == theirs.fillna("")).all()
        else:
            np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=1e-12, err_msg=name)
