"""``detect`` on small logs with a fault: who is told, what is written, and that a dead target hides nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prometheus_client.parser import text_string_to_metric_families

from recsysops import Workspace
from recsysops.cli import main
from recsysops.incidents.state import State
from recsysops.notifications.after_run import Place, after_detect
from recsysops.notifications.outbox import Outbox
from recsysops.notifications.run_note import read_notes
from recsysops.notifications.texts import Voice
from recsysops.testing.listener import Listener
from recsysops.triage.findings import Skipped

pytest_plugins = ["recsysops.testing.listener_fixtures"]

START = datetime(2026, 3, 1, tzinfo=UTC)
N_DAYS, N_ROWS = 6, 2_000
Captured = pytest.CaptureFixture[str]
Serve = Callable[[], Listener]
WORKSPACE = """version: 1
name: shop
clock: archive
tables:
  candidates:
    source: {path: candidates}
    roles: {request_id: request_id, ts: ts, item_id: item_id, position: position, score: score}
    features: [recency]
    columns: {recency: {owner: features-team}}
"""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six days of a log; on the last one a feature is lost in a third of the rows."""
    folder = tmp_path_factory.mktemp("logs")
    rng = np.random.default_rng(3)
    for number in range(N_DAYS):
        times = np.sort(rng.uniform(0, 86_399, N_ROWS // 10)).repeat(10)
        lost = (rng.random(N_ROWS) < 0.3) & (number == N_DAYS - 1)
        day = START + timedelta(days=number)
        table = pa.table(
            {
                "request_id": np.repeat([f"r{number}-{index}" for index in range(N_ROWS // 10)], 10),
                "ts": pa.array([day + timedelta(seconds=float(value)) for value in times], pa.timestamp("us", "UTC")),
                "item_id": [f"i{item}" for _ in range(N_ROWS // 10) for item in rng.permutation(40)[:10]],
                "position": np.tile(np.arange(1, 11), N_ROWS // 10),
                "score": rng.normal(size=N_ROWS),
                "recency": pa.array(rng.normal(size=N_ROWS), mask=lost),
            }
        )
        path = folder / "candidates" / f"day={day.date()}" / "part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table, path)
    return folder


@pytest.fixture
def shop(logs: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A workspace on a copy of the logs, with further settings."""

    def make(settings: str) -> Path:
        root = tmp_path / "a shop"
        shutil.copytree(logs, root)
        (root / "recsysops.yaml").write_text(WORKSPACE + settings)
        return root

    return make


def to_chat(server: Listener) -> str:
    return (
        f"notifications: {{targets: {{chat: {{url: 'json://{server.host}', timeout_seconds: 2}}}}}}\n"
        "metrics: {textfile: metrics/recsysops.prom}\n"
    )


def test_detect_sends_one_digest_and_writes_the_metrics(
    shop: Callable[[str], Path], serve: Serve, capsys: Captured
) -> None:
    server = serve()
    root = shop(to_chat(server))
    assert main(["detect", "-w", str(root), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["notifications"] == {"sent": 1, "waiting": 0, "problems": []}
    (got,) = server.heard
    assert got.json["title"].startswith("digest · shop · ")
    assert "candidates.recency" not in got.json["title"]
    assert f"recsysops --workspace '{root}' incident show 1" in got.json["message"]
    families = text_string_to_metric_families((root / "metrics" / "recsysops.prom").read_text())
    values = {sample.name: sample.value for family in families for sample in family.samples}
    assert values["recsysops_last_run_exit_code"] == 1
    assert values["recsysops_judged_day_timestamp_seconds"] == (START + timedelta(days=5)).timestamp()
    (note,) = read_notes(root / ".recsysops")
    assert sum(note.n_open.values()) == len(report["incidents"])
    assert main(["detect", "-w", str(root)]) == 0
    assert len(server.heard) == 1


def test_a_dead_target_is_said_on_stderr_and_in_the_outcome_and_hides_nothing(
    shop: Callable[[str], Path], dead_port: int, capsys: Captured
) -> None:
    root = shop(f"notifications: {{targets: {{chat: {{url: 'json://127.0.0.1:{dead_port}/s3cret'}}}}}}\n")
    assert main(["detect", "-w", str(root)]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("1 incident") or " incidents (" in said.out
    assert said.err.startswith("notify: chat: ")
    assert "s3cret" not in said.err
    with State(root / ".recsysops") as state:
        (run,) = state.runs("notify")
    assert run.outcome.startswith("0 sent, 1 waiting; chat: ")


def test_an_unset_variable_keeps_nobody_from_looking(
    shop: Callable[[str], Path], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_CHAT_URL", raising=False)
    root = shop("notifications: {targets: {chat: {url: '${SHOP_CHAT_URL}'}}}\n")
    assert main(["detect", "-w", str(root)]) == 1
    assert "notify: chat: the environment variable SHOP_CHAT_URL is not set" in capsys.readouterr().err


def test_a_run_with_nothing_to_judge_knows_nothing_of_detectors(shop: Callable[[str], Path], serve: Serve) -> None:
    server = serve()
    workspace = Workspace(shop(to_chat(server)))
    place = Place(workspace.settings, workspace.root, workspace.location, Voice("shop", "recsysops"))
    report = workspace.detect()
    broken = replace(report, skipped=(Skipped("input.x", "failed", "ValueError: y"),))
    idle = replace(report, days=(), n_rows={}, skipped=())
    heard = []
    for each in (broken, idle, broken, idle, report, report):
        before = len(server.heard)
        after_detect(place, each, "daily", START)
        heard.append([one.json["title"].split(" · ")[0] for one in server.heard[before:]])
        (note,) = read_notes(workspace.location.folder)
        assert note.n_skipped == (0 if each is report else 1)
    assert heard == [["warning", "digest"], [], [], [], ["looks again"], []]
    assert server.heard[0].json["message"].startswith("input.x: ValueError: y\n")


def test_looking_without_keeping_tells_nobody(shop: Callable[[str], Path], serve: Serve) -> None:
    server = serve()
    root = shop(to_chat(server))
    assert main(["detect", "-w", str(root), "--only", "input.missing_rate", "--quiet"]) == 1
    assert not server.heard
    assert not (root / "metrics").exists()


def test_a_broken_outbox_is_said_and_hides_nothing(shop: Callable[[str], Path], serve: Serve, capsys: Captured) -> None:
    root = shop(to_chat(serve()) + "detect: {fail_on: critical}\n")
    assert main(["detect", "-w", str(root), "--quiet"]) == 0
    with State(root / ".recsysops") as state, state.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE notices RENAME COLUMN title TO headline")
    assert main(["detect", "-w", str(root), "--date", "2026-03-06", "--quiet"]) == 0
    said = capsys.readouterr()
    assert "incident" in said.out
    assert said.err.startswith("notify: nobody was told: ")


@pytest.mark.parametrize("words", [[], ["--target", "chat"]])
def test_a_test_notice_says_that_nothing_is_wrong(
    shop: Callable[[str], Path], serve: Serve, capsys: Captured, words: list[str]
) -> None:
    server = serve()
    root = shop(to_chat(server))
    assert main(["notify", "test", "-w", str(root), *words]) == 0
    assert capsys.readouterr().out == "1 of 1 targets took a test notice\n  chat   arrived\n"
    (got,) = server.heard
    assert got.json["title"] == "test · shop · notices for chat arrive here"
    assert got.json["message"].startswith("Nothing is wrong")
    server.answer = 500
    assert main(["notify", "test", "-w", str(root), "--json"]) == 6
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert set(answer["targets"]) == {"chat"}


def test_a_pager_is_tried_and_its_alert_taken_back(shop: Callable[[str], Path], serve: Serve) -> None:
    server = serve()
    root = shop(f"notifications: {{targets: {{p: {{kind: pagerduty, api_key: k, url: '{server.url}'}}}}}}\n")
    assert main(["notify", "test", "-w", str(root), "--quiet"]) == 0
    assert [one.json["event_action"] for one in server.heard] == ["trigger", "resolve"]


@pytest.mark.parametrize(("words", "said"), [(["--target", "pager"], "no target 'pager'"), ([], "no target")])
def test_there_is_no_such_target(
    shop: Callable[[str], Path], serve: Serve, capsys: Captured, words: list[str], said: str
) -> None:
    root = shop(to_chat(serve()) if words else "")
    assert main(["notify", "test", "-w", str(root), *words]) == 2
    assert said in capsys.readouterr().err


def test_what_waits_is_sent_by_hand(shop: Callable[[str], Path], serve: Serve, capsys: Captured) -> None:
    server = serve()
    server.answer = 500
    root = shop(to_chat(server))
    assert main(["detect", "-w", str(root), "--quiet"]) == 1
    assert main(["notify", "send", "-w", str(root)]) == 6
    server.answer = 200
    assert main(["notify", "send", "-w", str(root)]) == 0
    assert capsys.readouterr().out.endswith("1 sent, 0 waiting\n")


def test_what_people_did_is_told_without_another_run(
    shop: Callable[[str], Path], serve: Serve, capsys: Captured
) -> None:
    server = serve()
    root = shop(to_chat(server))
    assert main(["detect", "-w", str(root), "--quiet"]) == 1
    assert main(["incident", "resolve", "1", "--as", "expected", "-w", str(root), "--quiet"]) == 0
    assert main(["notify", "send", "-w", str(root)]) == 0
    with State(root / ".recsysops") as state:
        (entry,) = Outbox(state).entries()
    assert entry.message.title.startswith("resolved · warning · #1 ")
