"""``contenders`` against pandas, request by request."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from view_frames import derived, messy_candidates


def _by_hand(frame: pd.DataFrame) -> pd.DataFrame:
    kept = []
    for _, request in frame.groupby("request_id"):
        ordered = request.sort_values("raw_rank")
        n_open, n_shown = 0, int(ordered["shown"].sum())
        for row in ordered.itertuples():
            open_rank = n_open + 1
            is_open = row.filtered_by is None or row.filtered_by != row.filtered_by
            n_open += is_open
            earned = open_rank <= n_shown
            place = row.position if row.position == row.position else row.final_rank
            if row.shown or earned:
                promoted = bool(row.shown) and 2 * place <= open_rank
                kept.append((row.request_id, row.item_id, earned, row.shown, promoted, earned and not row.shown))
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
