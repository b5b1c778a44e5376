"""A workspace's own rules are known wherever a detector or a measure is asked for by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from looking_logs import DAYS, rows_of

from recsysops import Workspace
from recsysops.cli import main
from recsysops.config.own_rules import own_rules
from recsysops.errors import ConfigError, PluginError
from recsysops.reporting.detect_report import DetectReport
from recsysops.reporting.shelf import described
from recsysops.reporting.show_page import show_page

Judged = tuple[Path, DetectReport]
RULES = """
concerns:
  drama:
    share: genre = 'drama'
    where: position IS NOT NULL
    between: [0.2, 0.3]
    owner: drama-team
    description: Drama is shown as agreed.
  recent: {mean: recency, per: item, at_most: 9}
checks:
  asked: {metric: n_requests, no_change_beyond: 0.2}
"""


@pytest.fixture
def root(judged: Judged, tmp_path: Path) -> Path:
    """The judged log with rules, and a check that the incident of its last day has become."""
    folder = Path(shutil.copytree(judged[0], tmp_path / "log"))
    with (folder / "recsysops.yaml").open("a", encoding="utf-8") as file:
        file.write(RULES)
    return folder


def standing(root: Path) -> str:
    desk = Workspace(root).desk("anna")
    for incident in desk.incidents().incidents:
        desk.resolve(incident.id, "fixed")
        check = desk.retro(incident.id).check
        if check is not None and check.statistic == "null_rate":
            return f"check.{check.name}"
    raise AssertionError("no incident of lost values")


def test_detectors_show_tells_what_a_rule_states(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", str(root), "detectors", "show", "concern.drama"]) == 0
    out = capsys.readouterr().out
    assert "concern.drama · CON001 · warning" in out
    assert "Drama is shown as agreed." in out
    assert "share: genre = 'drama'" in out
    assert "from recsysops.yaml" in out
    assert "recsysops detect --only concern.drama" in out
    name = standing(root)
    assert main(["--workspace", str(root), "--json", "detectors", "show", name]) == 0
    card = json.loads(capsys.readouterr().out)
    assert (card["name"], card["code"], card["stage"], card["watches"]) == (name, "CHK002", "feature", ["candidates"])
    assert "statistic: null_rate" in card["doc"]


def test_a_rule_that_is_not_there_names_the_nearest(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'concern\.drama'"):
        Workspace(root).show("concern.dramma")
    assert main(["--workspace", str(root), "detectors", "show", "concern.dramma"]) == 2
    with pytest.raises(PluginError, match=r"check\.asked"):
        described("check.assked", tuple(own_rules(root)))


def test_an_installed_detector_is_shown_where_the_settings_are_broken(tmp_path: Path) -> None:
    (tmp_path / "recsysops.yaml").write_text("tables: [", encoding="utf-8")
    assert main(["--workspace", str(tmp_path), "detectors", "show", "input.missing_rate"]) == 0
    assert main(["--workspace", str(tmp_path), "detectors", "show", "concern.drama"]) == 2


def test_show_of_a_concern_equals_the_rows(root: Path) -> None:
    for by, value in ((None, ""), ("market", "NO")):
        report = Workspace(root).show("concern.drama", by=by, since="3d")
        (series,) = (one for one in report.series if one.slice.value == value)
        for point in series.points:
            rows = rows_of(root, "candidates", point.day).to_pandas()
            rows = rows[rows.position.notna() & ((rows.market == value) | (value == ""))]
            assert point.value == pytest.approx((rows.genre == "drama").mean())
            assert point.n == len(rows)
    assert report.title == "concern.drama: share of genre = 'drama', expected between 0.2 and 0.3"
    assert "FILTER (position IS NOT NULL" in report.query
    assert "drama" in show_page(report)


def test_show_of_a_rule_per_item_and_of_a_metric(root: Path) -> None:
    items = Workspace(root).show("concern.recent", since="2d")
    assert items.by == "item_id"
    rows = rows_of(root, "candidates", DAYS[-1]).to_pandas()
    means = rows.groupby("item_id").recency.mean()
    for series in items.series:
        assert series.points[-1].value == pytest.approx(means[series.slice.value])
    with pytest.raises(ConfigError, match="about every item_id"):
        Workspace(root).show("concern.recent", by="market")
    asked = Workspace(root).show("check.asked", since="2d")
    assert asked.query == ""
    served = rows.request_id.nunique() / rows.sampling_rate.mean()
    assert asked.series[0].points[-1].value == pytest.approx(served, rel=1e-6)
    with pytest.raises(ConfigError, match="the rule alone"):
        Workspace(root).show("check.asked", "recency")


def test_show_of_a_standing_check_is_its_statistic_in_its_slice(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = standing(root)
    report = Workspace(root).show(name, since="2d")
    assert report.title.startswith(f"{name}: null_rate of candidates.recency, expected at most 0.")
    own = Workspace(root).show("null_rate", "recency", report.by or None, "2d")
    assert [one.points for one in report.series] == [one.points for one in own.series]
    assert main(["--workspace", str(root), "show", name, "--since", "2d"]) == 0
    assert name in capsys.readouterr().out
