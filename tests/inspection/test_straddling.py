"""`check` says when requests are cut by the bounds of partitions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops.config.settings import SourceSettings, TableSettings, WorkspaceSettings
from recsysops.inspection.check import check_workspace
from recsysops.inspection.row_facts import inspecting
from recsysops.inspection.straddling_check import SAMPLED, straddling_problems
from recsysops.tables.open_tables import open_table

N = 20_000
ROLES = {"request_id": 'req"id', "ts": "ts", "item_id": "item"}


def write(root: Path, requests: list[range]) -> None:
    for number, part in enumerate(requests):
        ts = [datetime(2026, 1, 1 + number, tzinfo=UTC)] * len(part)
        columns = {'req"id': [f"r{one}" for one in part], "ts": ts, "item": [f"i{one}" for one in part]}
        pq.write_table(pa.table(columns), root / f"part-{number}.parquet")


@pytest.mark.parametrize(
    ("requests", "share"),
    [
        ([range(N), range(N, 2 * N)], 0.0),
        ([range(N), range(N - 4, 2 * N)], 0.0),  # some at midnight are nothing to speak of
        ([range(N), range(N)], 1.0),
        ([range(N), range(N // 2, N), range(N, N + N // 2)], 1 / 3),
    ],
)
def test_the_share_of_requests_in_several_partitions(tmp_path: Path, requests: list[range], share: float) -> None:
    write(tmp_path, requests)
    table = open_table("candidates", TableSettings(source=SourceSettings(path="."), roles=ROLES), "UTC", tmp_path)
    with inspecting() as connection:
        problems = straddling_problems(connection, table, table.partitions())
    if not share:
        assert problems == []
        return
    [problem] = problems
    told = float(problem.found.partition("%")[0]) / 100
    deviation = (share * (1 - share) / (len(set().union(*requests)) / SAMPLED)) ** 0.5
    assert told == pytest.approx(share, abs=4 * deviation + 0.001)
    assert problem.severity == "warning"


def test_check_shows_it(tmp_path: Path) -> None:
    write(tmp_path, [range(1000), range(1000)])
    settings = WorkspaceSettings(
        clock="archive", tables={"candidates": TableSettings(source=SourceSettings(path="."), roles=ROLES)}
    )
    found = [str(one) for one in check_workspace(settings, tmp_path).problems if "of requests in several" in one.found]
    [line] = found
    assert line.startswith(
        'candidates.req"id: found 100.0% of requests in several of the newest 2 partitions, expected'
    )


def test_an_empty_table_and_a_password_are_no_surprise(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute('CREATE TABLE logs ("req""id" TEXT, ts TEXT, item TEXT)')
    source = SourceSettings(path="sqlite:///x.db", table="logs", options={"day_column": "ts"})
    settings = WorkspaceSettings(tables={"candidates": TableSettings(source=source, roles=ROLES)})
    report = check_workspace(settings, tmp_path)
    assert any("candidates: found no rows at all" in str(one) for one in report.problems)
    hidden = SourceSettings(path="postgresql+nosuch://team:hunter2@host/logs", table="logs")
    settings = WorkspaceSettings(tables={"candidates": TableSettings(source=hidden, roles=ROLES)})
    assert "hunter2" not in str(check_workspace(settings, tmp_path))
