"""``ranked_requests`` and ``labels`` against scikit-learn and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from view_frames import derived

from recsysops.tables.views.labels import LABEL_HOURS
from recsysops.testing.example_slates import example_slates

metrics = pytest.importorskip("sklearn.metrics")


def _log(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    log = example_slates(n_days=2, requests_per_day=80, seed=seed)
    candidates, outcomes = log.tables["candidates"], log.tables["outcomes"].copy()
    candidates["score"] = candidates["score"].round(1)  # ties
    late = np.random.default_rng(seed).random(len(outcomes)) < 0.1
    outcomes.loc[late, "ts"] += pd.Timedelta(hours=LABEL_HOURS)
    return candidates, pd.concat([outcomes, outcomes.head(50)], ignore_index=True)  # some twice


def _labelled(candidates: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    shown = candidates[candidates["shown"]].reset_index(drop=True)
    both = shown.merge(outcomes.dropna(subset="request_id"), on=["request_id", "item_id"], suffixes=("", "_then"))
    in_time = both[both["ts_then"] < both["ts"] + pd.Timedelta(hours=LABEL_HOURS)]
    keys = set(zip(in_time["request_id"], in_time["item_id"], strict=True))
    label = [float(key in keys) for key in zip(shown["request_id"], shown["item_id"], strict=True)]
    return shown.assign(label=label).sort_values(["request_id", "position"])


@pytest.mark.parametrize("seed", range(2))
def test_quality_of_requests(seed: int) -> None:
    candidates, outcomes = _log(seed)
    found = derived("ranked_requests", candidates, outcomes=outcomes).set_index("request_id")
    labelled = _labelled(candidates, outcomes)
    n_judged = 0
    for request, rows in labelled.groupby("request_id"):
        one, label = found.loc[request], rows["label"].to_numpy()
        assert one["n_followed"] == label.sum()
        assert one["excess"] == pytest.approx(label.sum() - rows["score"].sum())
        if not label.any():
            assert np.isnan([one["ndcg"], one["average_precision"], one["auc"]]).all()
            continue
        n_judged += 1
        by_place = -rows["position"].to_numpy()
        assert one["ndcg"] == pytest.approx(metrics.ndcg_score([label], [by_place], k=10))
        assert one["average_precision"] == pytest.approx(metrics.average_precision_score(label, by_place))
        if label.all():
            assert np.isnan(one["auc"])
        else:
            assert one["auc"] == pytest.approx(metrics.roc_auc_score(label, rows["score"]))
    assert n_judged > 50


def test_labels_of_impressions() -> None:
    candidates, outcomes = _log(3)
    found = derived("labels", candidates, outcomes=outcomes).sort_values(["request_id", "position"])
    expected = _labelled(candidates, outcomes)
    assert found["label"].tolist() == expected["label"].tolist()
    np.testing.assert_allclose(found["excess"], expected["label"] - expected["score"])
    places = [
        str(int(place)) if label else None for place, label in zip(expected["position"], expected["label"], strict=True)
    ]
    assert found["followed_place"].tolist() == places
    assert (found["ts"].to_numpy() == (expected["ts"] + pd.Timedelta(hours=LABEL_HOURS)).to_numpy()).all()
