"""The facts of a site beside the slow and obvious way to them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from drill_logs import FIRST_DAY, ROLES, outcomes, write_items, write_log
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsysops.drills.site import Site
from recsysops.drills.sites.column_facts import Groups, design_effect
from recsysops.drills.sites.site_of import site_of
from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.workspace import Workspace

FORMS = [("csv", False), ("jsonl", False), ("parquet", True), ("jsonl", True)]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    root = tmp_path_factory.mktemp("odd")
    days = write_log(root, n_days=9)
    write_items(root, max(days))
    return root, pd.concat([days[FIRST_DAY + timedelta(days=index)] for index in range(2, 9)], ignore_index=True)


@pytest.fixture(scope="module")
def site(log: tuple[Path, pd.DataFrame]) -> Site:
    return site_of(log[0])


def test_counts_are_of_an_ordinary_day_of_the_last_week(site: Site, log: tuple[Path, pd.DataFrame]) -> None:
    frame = log[1]
    day = frame[ROLES["ts"]].dt.date
    assert site.n_rows == len(frame) / 7
    assert site.n_requests == frame[ROLES["request_id"]].nunique() / 7
    assert site.n_members == frame.groupby(day)[ROLES["member_id"]].nunique().mean()
    assert site.n_items == frame.groupby(day)[ROLES["item_id"]].nunique().mean()
    counts = frame[ROLES["item_id"]].value_counts()
    assert site.top_item_share == counts.iloc[0] / len(frame)
    assert site.item_ids[0] in set(counts.index[counts == counts.iloc[0]])
    assert list(counts[list(site.item_ids)]) == sorted(counts, reverse=True)
    assert site.n_reference_days == 8


def test_columns_have_the_names_that_faults_know(site: Site) -> None:
    assert list(site.columns) == ["f.row", "f.member", "f.item", "génre", "score", "price"]
    assert site.features("numeric") == ("f.row", "f.member", "f.item")
    assert site.features("numeric", "member") == ("f.member",)
    assert site.features("numeric", "item") == ("f.item",)
    assert site.features("categorical") == ("génre",)
    assert site.columns["price"].per == "item"
    assert site.has("member_id", "score", "price") and not site.has("propensity")  # noqa: PT018


@pytest.mark.parametrize(("name", "column"), [("f.row", "f.row"), ("f.item", "f.item"), ("price", ROLES["price"])])
def test_numbers_agree_with_pandas(site: Site, log: tuple[Path, pd.DataFrame], name: str, column: str) -> None:
    values = log[1][column].astype("float64")
    facts = site.columns[name]
    assert facts.kind == "numeric"
    assert facts.missing_rate == pytest.approx(values.isna().mean())
    assert facts.mean == pytest.approx(values.mean())
    assert facts.sd == pytest.approx(values.std(ddof=0))
    assert facts.zero_rate == pytest.approx((values == 0).mean())


def test_categories_agree_with_pandas(site: Site, log: tuple[Path, pd.DataFrame]) -> None:
    expected = log[1]["génre"].value_counts(normalize=False) / len(log[1])
    assert dict(site.columns["génre"].values) == pytest.approx(expected.to_dict())
    assert site.columns["génre"].missing_rate == pytest.approx(log[1]["génre"].isna().mean())
    assert site.slices["market; DROP"] == pytest.approx({"NO": 0.8, "D'K": 0.2})
    assert site.slices["is tv"] == pytest.approx({"true": 0.5, "false": 0.5})


def test_rows_of_a_request_that_are_alike_count_less(site: Site) -> None:
    assert site.columns["f.member"].design_effect == pytest.approx(4, abs=0.02)  # four equal rows a request
    assert 0.7 < site.columns["f.row"].design_effect < 1.4


def test_outcomes_and_launches(site: Site, log: tuple[Path, pd.DataFrame]) -> None:
    assert site.launched_ids == ("next", "new")
    everything = [outcomes(one) for one in _pairs()]
    days = pd.concat(everything)["t"].dt.date
    n = int((days >= FIRST_DAY + timedelta(days=2)).sum())
    assert site.n_outcomes == n / 7
    assert site.outcome_rate == pytest.approx(n / len(log[1]))


def _pairs() -> list[pd.DataFrame]:
    from drill_logs import candidates

    days = [candidates(FIRST_DAY + timedelta(days=index)) for index in range(9)]
    return [pd.concat(days[start : start + 2], ignore_index=True) for start in range(0, 9, 2)]


def test_the_number_of_series_is_about_what_a_daily_run_looks_at(tmp_path: Path) -> None:
    days = write_log(tmp_path, n_days=4)
    report = Workspace(tmp_path).detect(date=str(max(days)))
    looked = sum(one.n_series for one in report.looked)
    assert looked / 2 < site_of(tmp_path).n_series < 2 * looked


def test_until_hides_later_days(log: tuple[Path, pd.DataFrame]) -> None:
    first = site_of(log[0], until=FIRST_DAY + timedelta(days=1), is_simulated=True)
    assert first.is_simulated
    assert first.n_reference_days == 1
    with pytest.raises(NotEnoughDataError, match="no complete day of candidates before 2026-03-01"):
        site_of(log[0], until=FIRST_DAY)


@pytest.mark.parametrize(("form", "is_slates"), FORMS)
def test_any_format_gives_the_same_site(tmp_path: Path, form: str, is_slates: bool) -> None:
    write_log(tmp_path / "a", n_days=3, with_outcomes=False)
    write_log(tmp_path / "b", n_days=3, with_outcomes=False, form=form, is_slates=is_slates)
    expected, found = site_of(tmp_path / "a"), site_of(tmp_path / "b")
    assert found.columns["f.row"].mean == pytest.approx(expected.columns["f.row"].mean)
    assert found.columns["f.member"].per == "member"
    assert (found.slices, found.item_ids, found.n_outcomes) == (expected.slices, expected.item_ids, 0)


def test_large_logs_are_sampled_by_whole_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_log(tmp_path, n_days=4, n_requests=400)
    monkeypatch.setattr("recsysops.drills.sites.site_of.MAX_ROWS", 3200)
    site = site_of(tmp_path)
    assert site.n_rows == 1600  # counted, not estimated
    assert site.n_requests == pytest.approx(400, rel=0.15)
    assert site.columns["f.member"].design_effect == pytest.approx(4, abs=0.05)  # requests are still whole


def test_without_candidates_there_is_nothing_to_drill(tmp_path: Path) -> None:
    write_items_only = "version: 1\ntables:\n  items: {source: {path: items.csv}, roles: {item_id: a}}\n"
    (tmp_path / "recsysops.yaml").write_text(write_items_only)
    (tmp_path / "items.csv").write_text("a\n1\n")
    with pytest.raises(ConfigError, match="no table candidates"):
        site_of(tmp_path)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(arrays(np.int64, st.integers(1, 30), elements=st.integers(-3, 3)), st.randoms(use_true_random=False))
def test_groups_hold_one_value_as_pandas_says(codes: npt.NDArray[np.int64], random: object) -> None:
    rng = np.random.default_rng(random.randrange(1000))  # type: ignore[attr-defined]
    values = np.where(rng.random(len(codes)) < 0.2, np.nan, codes * 2.0 + (rng.random(len(codes)) < 0.1))
    grouped = pd.Series(values).groupby(codes)
    paired = grouped.nunique()[grouped.count() >= 2]
    assert Groups.of(codes).hold_one_value(values) == (len(paired) > 0 and bool((paired == 1).mean() >= 0.95))


def test_the_design_effect_is_that_of_drawing_clusters() -> None:
    """By simulation: the variance of the mean over many drawn logs, beside that of independent rows."""
    rng = np.random.default_rng(5)
    means, told = [], []
    clusters = np.repeat(np.arange(200), 5)
    for _ in range(400):
        values = np.repeat(rng.normal(size=200), 5) + rng.normal(size=1000)
        means.append(values.mean())
        told.append(design_effect(values, clusters))
    assert np.mean(told) == pytest.approx(np.var(means) / (2 / 1000), rel=0.15)
    assert np.mean(told) == pytest.approx(3, rel=0.03)  # 1 + (5 - 1) * 0.5
