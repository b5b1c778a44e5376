"""The views of what followed, against loops in Python and scikit-learn's formulas written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from derived_rows import derived

START = pd.Timestamp("2026-11-01 10:00", tz="UTC")
N, SIZE, SLATE = 80, 8, 5
AGE = pd.Timedelta(hours=6)


def log(seed: int) -> dict[str, pd.DataFrame]:
    """Requests with slates of five, and outcomes in time, too late, before the request, searched, and of unknown requests."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    acts: list[dict[str, Any]] = []
    for number in range(N):
        ts = START + pd.Timedelta(minutes=13 * number)
        items = rng.permutation(20)[:SIZE]
        for place in range(SIZE):
            rows.append(
                {
                    "request_id": f"r{number}", "ts": ts, "item_id": f"i{items[place]}", "member_id": f"m{number % 9}",
                    "position": float(place + 1) if place < SLATE else None, "shown": place < SLATE,
                    "score": float(np.round(rng.random(), 1)), "raw_rank": float(place + 1), "fallback": False,
                    "filtered_by": "seen" if place == SIZE - 1 else None, "market": "NO" if number % 2 else "DK",
                }
            )  # fmt: skip
            if rng.random() < 0.3:
                late = pd.Timedelta(minutes=float(rng.choice([5, 30, 400, -3])))
                acts.append(
                    {"request_id": f"r{number}", "ts": ts + late, "item_id": f"i{items[place]}", "origin": "slate"}
                )
        searched = {
            "request_id": None,
            "ts": ts + pd.Timedelta(minutes=2),
            "item_id": f"i{rng.integers(25)}",
            "origin": "search",
        }
        acts += [searched, {**searched, "request_id": f"elsewhere{number}", "origin": "slate"}]
    outcomes = pd.DataFrame(acts)
    outcomes["member_id"] = [f"m{rng.integers(9)}" for _ in acts]
    outcomes["kind"], outcomes["value"] = "play", 2.0
    outcomes["ingested_at"] = outcomes["ts"] + pd.Timedelta(seconds=90)
    return {"candidates": pd.DataFrame(rows), "outcomes": outcomes}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dict("records")  # type: ignore[return-value]


def in_time(tables: dict[str, pd.DataFrame]) -> dict[tuple[str, str], int]:
    """Outcomes of each request and item within the label age."""
    served = {row["request_id"]: row["ts"] for row in records(tables["candidates"])}
    found: dict[tuple[str, str], int] = {}
    for act in records(tables["outcomes"]):
        asked = served.get(act["request_id"])
        if asked is not None and asked <= act["ts"] < asked + AGE:
            key = (act["request_id"], act["item_id"])
            found[key] = found.get(key, 0) + 1
    return found


@pytest.mark.parametrize("seed", range(2))
def test_labels_agree_with_a_loop(tmp_path: Path, seed: int) -> None:
    tables = log(seed)
    labels, followed = derived(tmp_path, "labels", tables), in_time(tables)
    shown = tables["candidates"][tables["candidates"]["shown"]]
    assert len(labels) == len(shown)
    told = {(row["request_id"], row["item_id"]): row for row in records(labels)}
    for row in records(shown):
        key = (row["request_id"], row["item_id"])
        found, n = told[key], followed.get(key, 0)
        assert (found["label"], found["n_outcomes"], found["is_followed"]) == (float(n > 0), n, n > 0)
        assert found["excess"] == pytest.approx((n > 0) - row["score"])
        assert found["ts"] == row["ts"] + AGE
        assert found["place"] == str(int(row["position"]))


@pytest.mark.parametrize("seed", range(2))
def test_ranked_requests_agree_with_the_formulas(tmp_path: Path, seed: int) -> None:
    tables = log(seed)
    told = {row["request_id"]: row for row in records(derived(tmp_path, "ranked_requests", tables))}
    followed = in_time(tables)
    shown = tables["candidates"][tables["candidates"]["shown"]]
    for request, slate in shown.groupby("request_id"):
        ordered = slate.sort_values("position")
        labels = np.array([(str(request), item) in followed for item in ordered["item_id"]], float)
        found, n = told[str(request)], labels.sum()
        assert (found["n_shown"], found["n_followed"]) == (len(labels), n)
        assert found["expected"] == pytest.approx(ordered["score"].sum())
        if not n:
            assert all(pd.isna(found[name]) for name in ("ndcg", "average_precision", "auc"))
            continue
        discounts = 1 / np.log2(np.arange(2, len(labels) + 2))
        assert found["ndcg"] == pytest.approx((labels @ discounts) / (np.sort(labels)[::-1] @ discounts))
        precisions = np.cumsum(labels) / np.arange(1, len(labels) + 1)
        assert found["average_precision"] == pytest.approx((precisions * labels).sum() / n)
        assert found["reciprocal_rank"] == pytest.approx(1 / (np.argmax(labels) + 1))
        yes, no = ordered["score"].to_numpy()[labels == 1], ordered["score"].to_numpy()[labels == 0]
        if len(no):
            wins = (yes[:, None] > no).sum() + 0.5 * (yes[:, None] == no).sum()
            assert found["auc"] == pytest.approx(wins / (len(yes) * len(no)))
        else:
            assert pd.isna(found["auc"])


@pytest.mark.parametrize("seed", range(2))
def test_attributed_outcomes_agree_with_a_loop(tmp_path: Path, seed: int) -> None:
    tables = log(seed)
    found = derived(tmp_path, "attributed", tables)
    requests = {str(name): rows for name, rows in tables["candidates"].groupby("request_id")}
    assert len(found) == len(tables["outcomes"])
    key = ["ts", "item_id", "member_id", "origin"]
    told = records(found.sort_values(key))
    acts = records(tables["outcomes"].sort_values(key))
    for row, act in zip(told, acts, strict=True):
        name = act["request_id"]
        if name is None or name != name:
            asked = [
                (rows["ts"].iloc[0], request)
                for request, rows in requests.items()
                if rows["member_id"].iloc[0] == act["member_id"]
                and act["ts"] - pd.Timedelta(days=2) <= rows["ts"].iloc[0] <= act["ts"]
            ]
            name = max(asked)[1] if asked else None
            assert not row["names_request"]
        rows = requests.get(str(name))
        assert row["is_matched"] == (rows is not None)
        if rows is None:
            assert pd.isna(row["fate"])
            continue
        item = rows[rows["item_id"] == act["item_id"]]
        fate = "not retrieved"
        if len(item):
            is_out = item["filtered_by"].iloc[0] == "seen"
            fate = "shown" if item["shown"].iloc[0] else "filtered" if is_out else "ranked low"
            assert row["rank_percentile"] == pytest.approx((item["raw_rank"].iloc[0] - 1) / (SIZE - 1))
        assert row["fate"] == fate
        if row["names_request"]:
            delay = (act["ts"] - rows["ts"].iloc[0]).total_seconds()
            assert (row["delay_seconds"], row["is_before_request"]) == (pytest.approx(delay), delay < 0)
        assert row["ingest_delay_seconds"] == 90.0
        assert row["market"] == rows["market"].iloc[0]


def test_impressions_know_what_the_catalogue_knew(tmp_path: Path) -> None:
    ts = pd.Timestamp("2026-11-05 12:00", tz="UTC")
    shown = ["old", "early", "moved", "ended", "elsewhere", "stranger"]
    candidates = pd.DataFrame(
        {"request_id": "r", "ts": ts, "item_id": shown, "position": np.arange(1.0, 7.0), "shown": True, "market": "NO"}
    )
    days = {"old": -100, "early": 2, "moved": 5, "ended": -50, "elsewhere": -3}
    items = pd.DataFrame(
        {
            "item_id": list(days),
            "launch_at": [ts + pd.Timedelta(days=one) for one in days.values()],
            "as_of": ts - pd.Timedelta(days=3),
        }
    )
    later = {"item_id": "moved", "launch_at": ts - pd.Timedelta(days=1), "as_of": ts - pd.Timedelta(days=1)}
    future = {"item_id": "old", "launch_at": ts + pd.Timedelta(days=9), "as_of": ts + pd.Timedelta(days=1)}
    items = pd.concat([items, pd.DataFrame([later, future])], ignore_index=True)
    start = ts - pd.Timedelta(days=200)
    availability = pd.DataFrame(
        [
            {"item_id": "old", "market": "NO", "from": start, "to": None},
            {"item_id": "ended", "market": "NO", "from": start, "to": ts - pd.Timedelta(days=1)},
            {"item_id": "elsewhere", "market": "DK", "from": start, "to": None},
        ]
    )
    tables = {"candidates": candidates, "items": items, "availability": availability}
    told = {row["item_id"]: row for row in records(derived(tmp_path, "impressions", tables))}
    assert told["old"]["age_days"] == pytest.approx(100)  # what was written later is not known yet
    assert told["moved"]["age_days"] == pytest.approx(1)
    assert [name for name in shown if told[name]["is_before_launch"] is True] == ["early"]
    assert [name for name in shown if told[name]["is_unavailable"] is True] == ["ended", "elsewhere"]
    assert [name for name in shown if told[name]["is_unknown"]] == ["stranger"]
