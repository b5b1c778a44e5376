"""``contenders`` against pandas, request by request."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from view_frames import derived, messy_candidates


def _by_hand(frame: pd.DataFrame) -> pd.DataFrame:
    kept = []
    for _, request in frame.groupby("request_id"):
        rows: list[dict[str, Any]] = request.sort_values("raw_rank").to_dict("records")  # type: ignore[assignment]
        n_open, n_shown = 0, sum(bool(row["shown"]) for row in rows)
        for row in rows:
            open_rank = n_open + 1
            n_open += bool(pd.isna(row["filtered_by"]))
            earned, shown = open_rank <= n_shown, bool(row["shown"])
            place = row["final_rank"] if pd.isna(row["position"]) else row["position"]
            if shown or earned:
                promoted = shown and 2 * place <= open_rank
                kept.append((row["request_id"], row["item_id"], earned, shown, promoted, earned and not shown))
    columns = ["request_id", "item_id", "earned", "given", "promoted", "dropped"]
    return pd.DataFrame(kept, columns=columns).astype(dict.fromkeys(columns[2:], float))


@pytest.mark.parametrize("seed", range(3))
def test_contenders(seed: int) -> None:
    frame = messy_candidates(seed)
    expected = _by_hand(frame)
    found = derived("contenders", frame)[expected.columns]
    by = list(expected.columns)
    pd.testing.assert_frame_equal(
        found.sort_values(by, ignore_index=True).astype(expected.dtypes.to_dict()),
        expected.sort_values(by, ignore_index=True),
    )
    assert np.unique(found["promoted"]).tolist() == [0.0, 1.0]
