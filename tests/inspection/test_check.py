"""``check``: a sound workspace is sound, and every planted problem is found, with its severity and where it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from inspection_logs import NOW, flat_parquet, hive_parquet, impressions, items, slates, sqlite_file, write_parquet

from recsysops.config.settings import WorkspaceSettings
from recsysops.inspection.check import check_workspace
from recsysops.inspection.infer import infer_workspace
from recsysops.inspection.report import CheckReport
from recsysops.tables.open_tables import open_tables
from recsysops.tables.snapshots import take_snapshot

LOCAL = "/dev/sda1 / ext4 rw 0 0\n"
Columns = dict[str, list[Any]]


def settings(**changes: Any) -> WorkspaceSettings:
    """A workspace on ``logs/`` with the plain roles; ``changes`` go to the table of candidates."""
    roles = {"request_id": "request_id", "ts": "ts", "item_id": "item_id", "member_id": "user_id"}
    roles |= {"position": "position", "score": "score", "propensity": "pscore"}
    table = {"source": {"path": "logs"}, "roles": roles, "features": ["f_age", "f_pop"], "slices": ["country"]}
    return WorkspaceSettings.model_validate({"tables": {"candidates": table | changes}})


def checked(root: Path, workspace: WorkspaceSettings | None = None, mounts: str = LOCAL) -> CheckReport:
    return check_workspace(workspace or settings(), root, now=NOW, mounts=mounts)


def lines(report: CheckReport, *severities: str) -> list[str]:
    wanted = severities or ("error", "warning")
    # detectors are loaded too, and others may still be writing theirs
    return [str(each) for each in report.problems if each.severity in wanted and not each.where.startswith("plugin ")]


@pytest.mark.parametrize("shape", [flat_parquet, hive_parquet, slates, sqlite_file, items], ids=lambda s: s.__name__)
def test_what_init_proposes_is_sound(tmp_path: Path, shape: Callable[[Path], str]) -> None:
    proposed = infer_workspace([shape(tmp_path / "logs")], tmp_path, now=NOW)
    report = checked(tmp_path, proposed.settings)
    expected = [] if "candidates" in proposed.settings.tables else ["tables: found no candidates"]
    assert [line.partition(",")[0] for line in lines(report)] == expected
    assert json.loads(json.dumps(report.to_dict()))["is_usable"] is (expected == [])


def test_the_report_says_what_was_looked_at(tmp_path: Path) -> None:
    flat_parquet(tmp_path / "logs")
    (table,) = checked(tmp_path).tables
    assert (table.n_partitions, table.n_rows_checked, table.n_columns) == (3, 900, 12)
    assert table.first_partition == "logs/impressions-2026-03-01.parquet"
    assert (table.first_ts, table.last_ts) == (
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 3, 19, 40, tzinfo=UTC),
    )
    assert table.missing_roles is not None
    assert table.missing_roles["model_id"] == "comparison of models"


def with_(name: str, value: Callable[[int, Any], Any]) -> Callable[[Columns], None]:
    def change(columns: Columns) -> None:
        columns[name] = [value(row, old) for row, old in enumerate(columns[name])]

    return change


def duplicated(columns: Columns) -> None:
    for name, values in columns.items():
        columns[name] = values + values[:3]


PLANTED: list[tuple[str, Callable[[Columns], None], str, str]] = [
    (
        "duplicates",
        duplicated,
        "warning",
        r"3 of 303 rows \(1.0%\) that repeat a key, e.g. request_id='r0-0', item_id=",
    ),
    ("position 0", with_("position", lambda row, old: old - 1), "error", "60 of 300 rows .* with a position below 1"),
    ("propensity", with_("pscore", lambda row, old: old * 4), "error", "180 of 300 rows .* outside"),
    (
        "NULL item",
        with_("item_id", lambda row, old: None if row < 6 else old),
        "warning",
        "6 of 300 .* without item_id",
    ),
    (
        "NULL member",
        with_("user_id", lambda row, old: None if row < 6 else old),
        "note",
        "6 of 300 .* without member_id",
    ),
    ("NULL time", with_("ts", lambda row, old: None if row < 6 else old), "warning", "6 of 300 .* without a time"),
    ("future", with_("ts", lambda row, old: old + timedelta(days=4)), "warning", "295 of 300 .* after now"),
    ("ancient", with_("ts", lambda row, old: old.replace(year=1970)), "error", "before the year 2000"),
    ("no scores", with_("score", lambda row, old: float("nan")), "warning", "no score in any row"),
    ("constant feature", with_("f_age", lambda row, old: 1.0), "warning", "1 features with a single value: 'f_age'"),
    ("empty feature", with_("f_age", lambda row, old: None), "warning", "1 features without any value: 'f_age'"),
]


@pytest.mark.parametrize(
    ("plant", "severity", "message"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED]
)
def test_planted_problems_are_found(
    tmp_path: Path, plant: Callable[[Columns], None], severity: str, message: str
) -> None:
    columns = impressions()
    plant(columns)
    write_parquet(tmp_path / "logs/part-0.parquet", columns)
    found = lines(checked(tmp_path), severity)
    assert found
    assert any(re.search(message, line) for line in found), found


def test_rows_of_another_day_than_the_path_says(tmp_path: Path) -> None:
    write_parquet(tmp_path / "logs/day=2026-03-01/a.parquet", impressions())
    assert lines(checked(tmp_path)) == []
    found = lines(checked(tmp_path, settings(timezone="Asia/Tokyo")))
    assert len(found) == 1
    assert "outside the day that the path names" in found[0]


def test_naive_and_mixed_zones(tmp_path: Path) -> None:
    columns = impressions()
    columns["ts"] = [moment.replace(tzinfo=None) for moment in columns["ts"]]
    write_parquet(tmp_path / "logs/1.parquet", columns)
    assert any("times that name no zone, read as UTC" in line for line in lines(checked(tmp_path), "note"))
    assert not any("no zone" in line for line in lines(checked(tmp_path, settings(timezone="UTC")), "note"))
    write_parquet(tmp_path / "logs/2.parquet", impressions(1))
    assert any("with and without a time zone" in line for line in lines(checked(tmp_path)))


def test_drift_between_partitions_names_columns_and_the_partition(tmp_path: Path) -> None:
    write_parquet(tmp_path / "logs/1.parquet", impressions())
    columns = impressions(1)
    columns["new [red]"] = columns.pop("device")
    columns["f_age"] = [int(value) for value in columns["f_age"]]
    write_parquet(tmp_path / "logs/2.parquet", columns)
    (line,) = lines(checked(tmp_path))
    assert "logs/2.parquet" in line
    assert "'new [red]' added (string), 'device' removed, 'f_age' retyped from double to int64" in line


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("required role", {"roles": {"ts": "ts", "item_id": "item_id"}}, "candidates.roles.request_id: found no column"),
    (
        "absent column",
        {"roles": {"request_id": "request", "ts": "ts", "item_id": "item_id"}},
        "found no column 'request', .*did you mean 'request_id'",
    ),
    (
        "two roles",
        {"roles": {"request_id": "item_id", "ts": "ts", "item_id": "item_id"}},
        "column 'item_id' as request_id and item_id",
    ),
    (
        "wrong type",
        {"roles": {"request_id": "request_id", "ts": "ts", "item_id": "item_id", "score": "country"}},
        "'country' of type string, expected .*numeric",
    ),
    (
        "text as time",
        {"roles": {"request_id": "request_id", "ts": "device", "item_id": "item_id"}},
        "candidates.device in logs/.*(tv|phone)",
    ),
    ("absent slice", {"slices": ["contry"]}, "found no column 'contry'.*did you mean 'country'"),
    ("absent feature", {"features": ["g_*"]}, r"found no column 'g_\*'"),
    ("absent mask", {"columns": {"f_age": {"mask": "m"}}}, "found no column 'm'"),
    ("no files", {"source": {"path": "elsewhere"}}, "elsewhere: found no such file"),
    ("unknown format", {"source": {"path": "logs", "format": "parket"}}, "did you mean parquet"),
]


@pytest.mark.parametrize(("changes", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_settings_that_do_not_fit_the_data_are_errors(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_parquet(tmp_path / "logs/part-0.parquet", impressions())
    report = checked(tmp_path, settings(**changes))
    assert not report.is_usable
    assert any(re.search(message, line) for line in lines(report, "error")), lines(report, "error")


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    write_parquet(tmp_path / "logs/1.parquet", impressions())
    write_parquet(tmp_path / "logs/2.parquet", impressions(1))
    path = tmp_path / "logs/2.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    report = checked(tmp_path)
    assert any("2.parquet" in line for line in lines(report, "error"))


def test_a_network_folder_is_refused_for_state(tmp_path: Path) -> None:
    write_parquet(tmp_path / "logs/part-0.parquet", impressions())
    mounts = LOCAL + f"server:/export {tmp_path.resolve()} nfs4 rw 0 0\n"
    report = checked(tmp_path, mounts=mounts)
    assert [each.found for each in report.of("error")] == ["a network file system (nfs4)"]


def test_detectors_named_in_the_settings_must_exist(tmp_path: Path) -> None:
    write_parquet(tmp_path / "logs/part-0.parquet", impressions())
    workspace = settings().model_copy(update={"detectors": {"input.row_volum": {}}, "skip": ["nothing"]})
    errors = lines(checked(tmp_path, workspace), "error")
    assert "did you mean input.row_volume?" in errors[0]
    assert errors[1].startswith("skip: found 'nothing'")


def test_logs_that_stopped_weeks_ago_are_a_warning_on_the_wall_clock(tmp_path: Path) -> None:
    write_parquet(tmp_path / "logs/part-0.parquet", impressions())
    report = check_workspace(settings(), tmp_path, now=NOW + timedelta(days=60), mounts=LOCAL)
    assert any("clock: archive" in line for line in lines(report))


def test_capabilities_say_what_would_switch_them_on(tmp_path: Path) -> None:
    write_parquet(tmp_path / "logs/part-0.parquet", impressions())
    by_name = {each.name: each for each in checked(tmp_path).capabilities}
    assert by_name["item domination and exposure"].is_on
    assert by_name["outcome rates of two cohorts"].switch_on == "add a table of outcomes"
    assert by_name["estimates of outcomes for hotfix quotes"].is_planned
    assert by_name["comparison of models"].switch_on == "map candidates.model_id"
    assert "change record" in by_name["causes among deploys and config changes"].switch_on
    (tmp_path / ".recsysops").mkdir()
    (tmp_path / ".recsysops/changes.jsonl").write_text("")
    assert {each.name: each for each in checked(tmp_path).capabilities}["causes among deploys and config changes"].is_on


def test_snapshots_say_since_when_or_how_to_begin(tmp_path: Path) -> None:
    write_parquet(tmp_path / "logs/part-0.parquet", impressions())
    assert any("recsysops snapshot" in line for line in lines(checked(tmp_path), "note"))
    workspace = WorkspaceSettings.model_validate(
        {"tables": {"items": {"source": {"path": "catalogue.parquet"}, "roles": {"item_id": "item_id"}}}}
    )
    write_parquet(tmp_path / "catalogue.parquet", {"item_id": ["a"]})
    table = open_tables(workspace, tmp_path)["items"]
    for day in (1, 2):
        take_snapshot(table, tmp_path / ".recsysops/snapshots/items", datetime(2026, 2, day, tzinfo=UTC))
    report = checked(tmp_path)
    assert report.as_of_since == datetime(2026, 2, 1, tzinfo=UTC)
    assert any("as-of copies since 2026-02-01" in line for line in lines(report, "note"))
