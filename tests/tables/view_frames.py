"""Random small logs, and each view of them computed by DuckDB; what it should be, tests compute with pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recsysops.testing.derived_tables import derived_table
from recsysops.testing.example_slates import SLATE_SCHEMA, example_slates


def messy_candidates(seed: int = 0) -> pd.DataFrame:
    """A log with holes: ties, NULL scores, repeated items, gaps, filtered items that are shown, requests without slates."""
    frame = example_slates(n_days=2, requests_per_day=60, seed=seed).tables["candidates"]
    rng = np.random.default_rng(seed)
    draw = rng.random(len(frame))
    frame["score"] = np.where(draw < 0.05, np.nan, np.where(draw < 0.3, frame["score"].round(1), frame["score"]))
    frame.loc[frame["request_id"].isin(frame["request_id"].unique()[:5]), "score"] = 0.25
    frame.loc[(draw > 0.95) & frame["shown"], "position"] = 7.0
    frame.loc[(draw > 0.9) & (draw < 0.93), "item_id"] = "item_00"
    frame.loc[(draw > 0.5) & (draw < 0.53), "shown"] = True
    frame.loc[(draw > 0.6) & (draw < 0.62), ["shown", "position"]] = [True, 1.0]  # pins
    frame.loc[frame["request_id"].isin(frame["request_id"].unique()[5:8]), "shown"] = False
    return frame


def derived(name: str, frame: pd.DataFrame, **others: pd.DataFrame) -> pd.DataFrame:
    """The view over these candidates."""
    found = derived_table(name, {"candidates": frame, **others}, SLATE_SCHEMA)
    assert found is not None
    return found
