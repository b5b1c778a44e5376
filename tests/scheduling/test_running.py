"""One scheduled run: what is tried again, what is told, what the switch and the log get."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recsysops.config.settings import WorkspaceSettings
from recsysops.errors import ConfigError, LockHeldError
from recsysops.incidents.location import StateLocation
from recsysops.incidents.lock import workspace_lock
from recsysops.notifications.after_run import Place
from recsysops.notifications.run_note import read_notes
from recsysops.notifications.texts import Voice
from recsysops.scheduling import run_log
from recsysops.scheduling.environment import read_environment
from recsysops.scheduling.jobs import Tier
from recsysops.scheduling.ping import ping
from recsysops.scheduling.running import Runner, ScheduledRun
from recsysops.testing.listener import Listener

pytest_plugins = ["recsysops.testing.listener_fixtures"]

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Serve = Callable[[], Listener]
LOCKED = "lock: found `detect` running as process 7 since {since}, expected no other run; wait until it has ended"


class Cron:
    """A workspace whose scheduled command answers as a script of exit codes says, under a clock of its own."""

    def __init__(self, folder: Path, chat: str | None = None, **schedule: Any) -> None:
        targets = {"chat": {"url": chat, "timeout_seconds": 2}} if chat else {}
        self.settings = WorkspaceSettings.model_validate(
            {"name": "shop", "tables": {}, "notifications": {"targets": targets}, "schedule": schedule}
        )
        self.folder, self.now = folder, NOW
        self.slept: list[float] = []

    def run(self, *answers: int | str, tier: Tier = "daily") -> ScheduledRun:
        """Each time the command is started it takes the next answer: an exit code, or the words of a held lock."""
        plan = self.folder / "plan.json"
        self.folder.mkdir(exist_ok=True)
        plan.write_text(json.dumps(list(answers)))
        command = [sys.executable, "-c", PROGRAM, str(plan)]
        place = Place(self.settings, self.folder, StateLocation(self.folder / "state"), Voice("shop", "recsysops"))
        done = Runner(place, tier, command, lambda: self.now, self._sleep).run()
        assert json.loads(plan.read_text()) == []  # it was started as often as there were answers
        return done

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    @property
    def log(self) -> list[str]:
        return (self.folder / "state" / "logs" / run_log.FILE_NAME).read_text().splitlines()


PROGRAM = """
import json, os, signal, sys
plan = json.load(open(sys.argv[1]))
answer = plan.pop(0)
json.dump(plan, open(sys.argv[1], "w"))
if isinstance(answer, str):
    kind, code = "LockHeldError", 2
else:
    kind, code = "InternalError", answer
if code < 0:
    os.kill(os.getpid(), -code)
if code in (0, 1, 6):
    print(json.dumps({"window": {"days": ["2026-11-19"]}, "incidents": [{"severity": "warning"}] * code}))
else:
    message = answer if kind == "LockHeldError" else "MemoryError: too much"
    print("error: " + message, file=sys.stderr)
    print(json.dumps({"schema_version": 1, "error": {"kind": kind, "message": message, "exit_code": code}}))
sys.exit(code)
"""


@pytest.fixture
def cron(tmp_path: Path) -> Cron:
    return Cron(tmp_path / "shop")


def test_a_run_that_looked_is_one_line_in_the_log(cron: Cron) -> None:
    assert cron.run(1) == ScheduledRun(1, 1)
    assert cron.run(0) == ScheduledRun(0, 1)
    assert [line.rpartition(" · ")[0] for line in cron.log] == [
        "2026-11-20T12:00:00+00:00 daily exit 1 · 2026-11-19: 1 warning",
        "2026-11-20T12:00:00+00:00 daily exit 0 · 2026-11-19: nothing found",
    ]


def test_an_internal_error_alone_is_tried_again_with_growing_waits(cron: Cron) -> None:
    assert cron.run(3, 3, 0) == ScheduledRun(0, 3)
    assert cron.slept == [60, 120]
    cron.slept.clear()
    assert cron.run(3, 3, 3, 3) == ScheduledRun(3, 4)
    assert cron.slept == [60, 120, 240]
    cron.slept.clear()
    for code in (0, 1, 2, 6, 130, -9):
        assert cron.run(code).n_tries == 1
    assert cron.slept == []


def test_a_run_that_could_not_look_is_told_once_and_the_note_keeps_the_last_good_one(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve()
    cron = Cron(tmp_path / "shop", f"json://{server.host}", retries=0)
    for _ in range(3):
        cron.run(3)
    cron.run(2)
    assert [one.json["title"] for one in server.heard] == [
        "critical · could not look · shop · the run failed with exit code 3",
        "critical · could not look · shop · the run failed with exit code 2",
    ]
    assert server.heard[0].json["message"].startswith("MemoryError: too much\n\nnext   recsysops check\n")
    (note,) = read_notes(tmp_path / "shop" / "state")
    assert (note.exit_code, note.ended, note.last_good) == (2, NOW, None)


def test_an_interrupted_run_alarms_nobody(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    Cron(tmp_path / "shop", f"json://{server.host}").run(130)
    assert not server.heard


def test_alarms_that_reach_nobody_are_said(tmp_path: Path, dead_port: int) -> None:
    cron = Cron(tmp_path / "shop", f"json://127.0.0.1:{dead_port}/s3cret", retries=0)
    (said,) = cron.run(3).said
    assert said.startswith("chat: ")
    assert "s3cret" not in said
    assert said in cron.log[-1]


def test_a_fast_run_leaves_a_held_workspace_alone_for_a_while(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    cron = Cron(tmp_path / "shop", f"json://{server.host}", lock_patience_minutes=60)
    just_now, long_ago = (NOW - timedelta(minutes=each) for each in (10, 61))
    assert cron.run(LOCKED.format(since=just_now.isoformat()), tier="fast").exit_code == 2
    assert not server.heard
    for _ in range(2):
        cron.run(LOCKED.format(since=long_ago.isoformat()), tier="fast")
    (told,) = server.heard
    assert told.json["title"] == "critical · could not look · shop · another run has held the workspace for 61 min"
    assert "process 7" in told.json["message"]


def test_a_daily_run_waits_for_the_lock_and_says_when_it_waited_too_long(tmp_path: Path, serve: Serve) -> None:
    server = serve()
    cron = Cron(tmp_path / "shop", f"json://{server.host}", lock_patience_minutes=1)
    held = LOCKED.format(since=NOW.isoformat())
    assert cron.run(held, 0) == ScheduledRun(0, 2)
    assert not server.heard
    cron.now = NOW
    assert cron.run(held, held, held, held).exit_code == 2  # 0, 30, 60 and 90 s after it was taken
    assert len(server.heard) == 1


def test_the_same_tier_does_not_run_twice_at_once(cron: Cron) -> None:
    with workspace_lock(cron.folder / "state", "other", "schedule-daily.lock"):
        with pytest.raises(LockHeldError, match="running as process"):
            cron.run(0)
        assert cron.run(0, tier="fast").exit_code == 0


@pytest.mark.parametrize(
    ("code", "end"), [(0, "/p/x"), (1, "/p/x"), (6, "/p/x/fail"), (2, "/p/x/fail"), (3, "/p/x/fail")]
)
def test_the_switch_hears_the_start_and_the_end(tmp_path: Path, serve: Serve, code: int, end: str) -> None:
    server = serve()
    cron = Cron(tmp_path / "shop", retries=0, daily={"ping_url": f"{server.url}/p/x"})
    assert cron.run(code).said == ()
    assert server.paths() == ["/p/x/start", end]


def test_a_switch_that_cannot_be_reached_breaks_nothing(tmp_path: Path, dead_port: int) -> None:
    cron = Cron(tmp_path / "shop", daily={"ping_url": f"http://127.0.0.1:{dead_port}/s3cret"})
    done = cron.run(0)
    assert done == ScheduledRun(0, 1, ("ping start: connection refused", "ping success: connection refused"))
    assert "s3cret" not in "\n".join(cron.log)


def test_a_slow_switch_is_not_waited_for(serve: Serve) -> None:
    server = serve()
    server.is_slow = True
    assert ping(f"{server.url}/s3cret", "start", 0.2) == "ping start: no answer within 0.2 s"
    server.hold.set()
    for thread in threading.enumerate():
        if thread.name == "recsysops-send":
            thread.join()


def test_a_ping_keeps_the_question_of_its_url(serve: Serve) -> None:
    server = serve()
    assert ping(f"{server.url}/p/x?create=1", "fail") == ""
    assert ping("https://h/${SHOP_PING}", "start") == "ping start: the environment variable SHOP_PING is not set"
    assert ping(None, "start") == ""
    assert server.paths() == ["/p/x/fail?create=1"]


def test_the_log_turns_over_and_the_oldest_goes(tmp_path: Path) -> None:
    for number in range(12):
        run_log.append(tmp_path, f"{number:03}\n", max_bytes=8, n_files=2)
    logs = sorted(path.name for path in tmp_path.iterdir())
    assert logs == ["schedule.log", "schedule.log.1", "schedule.log.2"]
    texts = [(tmp_path / name).read_text() for name in logs]
    assert texts == ["010\n011\n", "008\n009\n", "006\n007\n"]


def test_an_entry_larger_than_a_log_is_kept_whole(tmp_path: Path) -> None:
    run_log.append(tmp_path, "a" * 100 + "\n", max_bytes=10, n_files=1)
    run_log.append(tmp_path, "b\n", max_bytes=10, n_files=1)
    assert (tmp_path / "schedule.log").read_text() == "b\n"
    assert len((tmp_path / "schedule.log.1").read_text()) == 101


def test_variables_are_read_as_data(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("# secrets\n\nexport A=1\nB='two words'\nC=\"$(touch x)\"\nD=a=b # c\n")
    assert read_environment(path) == {"A": "1", "B": "two words", "C": "$(touch x)", "D": "a=b # c"}
    assert not (tmp_path / "x").exists()


@pytest.fixture(params=["missing", "large", "bytes"])
def unusable(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "env"
    if request.param == "large":
        path.write_text("A=1\n" * 50_000)
    elif request.param == "bytes":
        path.write_bytes(b"A=\xff\n")
    return path


def test_a_file_of_variables_that_cannot_be_used_is_said(unusable: Path) -> None:
    with pytest.raises(ConfigError, match="--environment"):
        read_environment(unusable)
