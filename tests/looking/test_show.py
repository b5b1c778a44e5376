"""Show: values equal those of pandas on the rows, bands are the gates' own, errors name the nearest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from looking_logs import DAYS, rows_of
from scipy import stats

from recsysops import Workspace
from recsysops.cli import main
from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.looking.show import Series, ShowReport
from recsysops.reporting.detect_report import DetectReport
from recsysops.reporting.show_page import show_page
from recsysops.reporting.show_view import show_lines
from recsysops.triage import rate_gate
from recsysops.triage.prediction_bands import range_band, rate_band

Judged = tuple[Path, DetectReport]


def of_slice(report: ShowReport, value: str = "") -> Series:
    return next(one for one in report.series if one.slice.value == value)


def test_missing_rate_by_slice_equals_the_rows_and_shows_the_fault(judged: Judged) -> None:
    report = Workspace(judged[0]).show("missing_rate", "recency", "market", "4d")
    assert report.days == tuple(DAYS[-4:])
    for value in ("NO", "SE"):
        for point in of_slice(report, value).points:
            rows = rows_of(judged[0], "candidates", point.day).to_pandas().query(f"market == '{value}'")
            assert point.n == len(rows)
            assert point.value == pytest.approx(rows.recency.isna().mean(), abs=1e-12)
    last = [of_slice(report, value).points[-1] for value in ("NO", "SE")]
    assert [one.is_outside for one in last] == [True, False]
    assert last[0].value > 0.3 > last[0].high


@pytest.mark.parametrize(
    ("measure", "column", "of_rows"),
    [
        ("rows", None, len),
        ("mean", "recency", lambda rows: rows.recency.mean()),
        ("sd", "recency", lambda rows: rows.recency.std()),
        ("greatest", "recency", lambda rows: rows.recency.max()),
        ("category_rate", "genre=drama", lambda rows: (rows.genre == "drama").mean()),
        ("exposure_share", "item_id=i3", lambda rows: (rows[rows.shown].item_id == "i3").mean()),
        ("null_rate", "recency", lambda rows: rows.recency.isna().mean()),
    ],
)
def test_values_equal_pandas(judged: Judged, measure: str, column: str | None, of_rows: object) -> None:
    report = Workspace(judged[0]).show(measure, column, since="5d")
    assert callable(of_rows)
    for point in of_slice(report).points:
        assert point.value == pytest.approx(of_rows(rows_of(judged[0], "candidates", point.day).to_pandas()))


@pytest.mark.parametrize(("measure", "level"), [("median", 0.5), ("p10", 0.1), ("p95", 0.95)])
def test_quantiles_are_within_a_bin(judged: Judged, measure: str, level: float) -> None:
    report = Workspace(judged[0]).show(measure, "recency", since="3d")
    for point in of_slice(report).points:
        values = rows_of(judged[0], "candidates", point.day).to_pandas().recency.dropna()
        assert point.value == pytest.approx(values.quantile(level), abs=0.15)


def test_distinct_is_close(judged: Judged) -> None:
    report = Workspace(judged[0]).show("distinct", "item_id", since="2d")
    for point in of_slice(report).points:
        items = rows_of(judged[0], "candidates", point.day).to_pandas().item_id.nunique()
        assert point.value == pytest.approx(items, rel=0.05)


def test_rate_band_is_where_the_gate_gives_five_percent() -> None:
    rng = np.random.default_rng(3)
    rows = rng.integers(800, 1_200, 10).astype(float)
    flagged = rng.binomial(rows.astype(int), 0.04).astype(float)
    _, low, high = rate_band(flagged, rows, 1_000.0, 1.7)
    reference, effects = (flagged[:, None, None], rows[:, None, None]), np.full((1, 1), 1.7)
    for edge in (low, high):
        current = np.full((1, 1, 1), 1_000.0 * edge), np.full((1, 1, 1), 1_000.0)
        assert float(rate_gate.tested_rates(reference, current, effects, effects).p_value[0, 0]) == pytest.approx(
            0.05, rel=1e-6
        )


def test_rate_band_holds_what_it_promises() -> None:
    rng = np.random.default_rng(4)
    inside = []
    for _ in range(800):
        rates = 0.1 + 0.004 * rng.standard_normal(15)
        counts = rng.binomial(5_000, rates)
        _, low, high = rate_band(counts[:-1].astype(float), np.full(14, 5_000.0), 5_000.0, 1.0)
        inside.append(low <= counts[-1] / 5_000 <= high)
    assert 0.93 <= np.mean(inside) <= 0.99


def test_range_band_is_that_of_the_days() -> None:
    values = np.random.default_rng(1).normal(size=9)
    assert range_band(values) == pytest.approx((np.median(values), *stats.tmin(values).ravel(), values.max()))
    assert np.isnan(range_band(values[:2])).all()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("mising_rate", "recency"), "did you mean 'missing_rate'"),
        (("missing_rate", "recenzy"), "did you mean 'recency'"),
        (("missing_rate", "recency", "markt"), "did you mean 'market'"),
        (("missing_rate",), "found no column"),
        (("mean", "genre"), "found a categorical column"),
        (("nan_rate", "genre"), "found a categorical column"),
        (("category_rate", "genre=dramma"), "did you mean 'drama'"),
        (("category_rate", "genre"), "found no value"),
        (("exposure_share", "item_id=i333"), "found no key"),
        (("default_rate", "recency"), "found no default"),
        (("p00", "recency"), "something that is counted"),
        (("rows", "recency"), "expected no column"),
        (("distinct", "item_id", "market"), "distinct is counted over all rows"),
    ],
)
def test_errors_are_one_line(judged: Judged, words: tuple[str, ...], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        Workspace(judged[0]).show(*words)
    assert "\n" not in str(error.value)


def test_days_without_rows_and_unknown_tables(judged: Judged) -> None:
    with pytest.raises(NotEnoughDataError, match="no rows from"):
        Workspace(judged[0]).show("rows", since="2030-01-01")
    with pytest.raises(ConfigError, match="did you mean 'candidates'"):
        Workspace(judged[0]).show("rows", table="candidate")
    assert Workspace(judged[0]).show("rows", table="outcomes", since="2d").shown.table == "outcomes"


def test_screen_page_and_json_say_the_same(judged: Judged, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "show.html"
    words = ["show", "missing_rate", "recency", "--by", "market", "--since", "4d", "--html", str(page), "--json"]
    assert main(["-w", str(judged[0]), *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["slice"] for one in told["series"]] == [{"market": "NO"}, {"market": "SE"}]
    text = page.read_text(encoding="utf-8")
    assert text.count('role="img" aria-label="') == 2
    assert "outside its band" in text
    assert "SELECT CAST" in text
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace("http-equiv", "")
    report = Workspace(judged[0]).show("missing_rate", "recency", "market", "4d")
    lines = [line.text for line in show_lines(report, 80)]
    assert "1 of 2" in lines[0]
    assert report.query in "\n".join(lines)


def test_the_query_gives_the_shown_values(judged: Judged) -> None:
    import duckdb

    report = Workspace(judged[0]).show("missing_rate", "recency", "market", "3d")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW candidates AS FROM '{judged[0]}/candidates/*.parquet'")
    found = {(day, market): rate for day, market, rate, _ in connection.execute(report.query).fetchall()}
    assert len(found) == 6
    for one in report.series:
        for point in one.points:
            assert found[point.day, one.slice.value] == pytest.approx(point.value)


def test_values_from_data_are_escaped(judged: Judged) -> None:
    report = Workspace(judged[0]).show("category_rate", "genre=<b>x</b>", since="3d")
    text = show_page(report)
    assert "<b>x" not in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
