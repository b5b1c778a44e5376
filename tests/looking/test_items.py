"""Items: counts equal pandas with weights, the planted items are named, owners see their own, files are safe."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from looking_logs import DAYS, HIDDEN, WANTED, rows_of

from recsysops import Workspace
from recsysops.cli import main
from recsysops.errors import ConfigError
from recsysops.looking.item_rows import ItemCounts, count_items
from recsysops.looking.items import ItemsReport
from recsysops.reporting.detect_report import DetectReport
from recsysops.reporting.items_page import items_page
from recsysops.reporting.items_view import answer, items_lines
from recsysops.statistics.count_tails import garwood_interval

Judged = tuple[Path, DetectReport]


@pytest.fixture(scope="module")
def counts(judged: Judged) -> ItemCounts:
    workspace = Workspace(judged[0])
    return count_items(workspace.tables, DAYS, workspace.state)


@pytest.fixture(scope="module")
def report(judged: Judged) -> ItemsReport:
    return Workspace(judged[0]).items_report(since="8d")


def every(folder: Path, table: str) -> pd.DataFrame:
    frames: list[pd.DataFrame] = [rows_of(folder, table, day).to_pandas().assign(day=day) for day in DAYS]
    return pd.concat(frames)


def by_item_and_day(rows: pd.DataFrame, counts: ItemCounts, power: int) -> np.ndarray:
    sums = rows.assign(n=rows.w**power).pivot_table(index="item_id", columns="day", values="n", aggfunc="sum")
    return np.asarray(sums.reindex(index=list(counts.items), columns=list(counts.days)).fillna(0.0))


def test_counts_equal_pandas(judged: Judged, counts: ItemCounts) -> None:
    candidates, outcomes = every(judged[0], "candidates"), every(judged[0], "outcomes")
    candidates["w"] = 1 / candidates.sampling_rate
    shown = candidates[candidates.shown]
    weights = candidates.groupby("request_id").w.max()
    plays = outcomes[outcomes.request_id.notna()].assign(w=lambda rows: rows.request_id.map(weights))
    sought = outcomes[outcomes.origin == "search"].assign(w=1.0)
    for power, found in ((1, counts.impressions), (2, counts.impression_squares)):
        np.testing.assert_allclose(found, by_item_and_day(shown, counts, power))
    for power, found in ((1, counts.plays), (2, counts.play_squares)):
        np.testing.assert_allclose(found, by_item_and_day(plays, counts, power))
    np.testing.assert_allclose(counts.demand, by_item_and_day(sought, counts, 1))
    assert counts.kind == "play"


def test_the_planted_items_are_named_first(report: ItemsReport) -> None:
    told = {one.item_id: one.flags for one in report.items}
    assert told[HIDDEN][0] == "low for its age"
    assert told[WANTED] == ("under-produced",)
    assert report.items[0].item_id == HIDDEN
    assert {HIDDEN, WANTED} >= {one.item_id for one in report.flagged}
    assert f"{HIDDEN} low for its age" in answer(report)


def test_estimates_have_intervals_around_them(report: ItemsReport, counts: ItemCounts) -> None:
    for one in report.items:
        for estimate in (one.share, one.trend, one.play_rate, one.bias):
            assert math.isnan(estimate.value) or estimate.low <= estimate.value <= estimate.high
    first = report.items[-1]
    row = counts.items.index(first.item_id)
    shown, squares = counts.impressions[row, -8:].sum(), counts.impression_squares[row, -8:].sum()
    assert first.impressions == pytest.approx(shown)
    limits = garwood_interval(shown**2 / squares)
    assert first.share.high / first.share.value == pytest.approx(float(limits.high) / (shown**2 / squares))
    assert sum(one.share.value for one in report.items) == pytest.approx(1.0)


def test_play_rates_hold_the_simulated_truth(report: ItemsReport) -> None:
    inside = [one.play_rate.low <= 0.2 <= one.play_rate.high for one in report.items if one.impressions > 0]
    assert np.mean(inside) >= 0.9


def test_new_items_stand_among_their_age(report: ItemsReport) -> None:
    places = {one.item_id: one.exposure_place for one in report.items}
    assert places[HIDDEN].n_peers == 15
    assert places[HIDDEN].ages == (1, 8)
    assert places[HIDDEN].value == 0
    assert places[HIDDEN].of_median[0] < 0.3
    assert math.isnan(places["i25"].value)
    oldest = next(one for one in report.items if one.item_id == "i6")
    assert oldest.age_days == 11
    assert oldest.exposure_place.ages == (4, 11)
    assert oldest.exposure_place.n_peers == 4  # those of its own day: nobody else was counted at those ages


def test_an_owner_sees_only_theirs_compared_with_all(judged: Judged, report: ItemsReport) -> None:
    mine = Workspace(judged[0]).items_report("=film", "8d")
    assert {one.owner for one in mine.items} == {"=film"}
    assert mine.n_all == report.n_all > len(mine.items)
    whole = {one.item_id: one for one in report.items}
    assert all(repr(one) == repr(whole[one.item_id]) for one in mine.items)
    with pytest.raises(ConfigError, match="did you mean '=film'"):
        Workspace(judged[0]).items_report("film", "8d")


def test_files_and_json(judged: Judged, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, rows = tmp_path / "items.html", tmp_path / "items.csv"
    words = ["items", "report", "--since", "8d", "--html", str(page), "--csv", str(rows), "--json"]
    assert main(["-w", str(judged[0]), *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema_version"] == 1
    assert told["items"][0]["item_id"] == HIDDEN
    with rows.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == told["n_items"]
    assert read[0]["owner"] == "'=film"
    assert float(read[0]["exposure_share_high"]) == told["items"][0]["exposure_share"]["high"]
    text = page.read_text(encoding="utf-8")
    assert text.count('role="img"') == told["n_items"]
    assert "http" not in text.replace("http-equiv", "")


def test_screen_is_narrow_enough(report: ItemsReport) -> None:
    for width in (80, 100):
        lines = [line.text for line in items_lines(report, width)]
        assert all(len(line) <= width for line in lines if "recsysops" not in line)
    assert "median" in items_page(report)


def test_without_catalogue_and_origin_it_says_what_is_missing(judged: Judged, tmp_path: Path) -> None:
    text = (judged[0] / "recsysops.yaml").read_text()
    text = text[: text.index("  items:")].replace(", origin: origin", "").replace("path: ", f"path: {judged[0]}/")
    (tmp_path / "recsysops.yaml").write_text(text)
    told = Workspace(tmp_path).items_report(since="4d")
    assert len(told.missing) == 2
    assert all(math.isnan(one.bias.value) and math.isnan(one.exposure_place.value) for one in told.items)
    assert not any("age" in flag for one in told.items for flag in one.flags)
