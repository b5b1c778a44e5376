"""``schedule run`` with the real program as a child: what cron would start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recsysops.cli import main
from recsysops.incidents.lock import workspace_lock
from recsysops.testing.listener import Listener

pytest_plugins = ["recsysops.testing.listener_fixtures"]
SETTINGS = """version: 1
name: shop
tables: {{candidates: {{source: {{path: gone}}, roles: {{request_id: r, ts: t, item_id: i}}}}}}
notifications: {{targets: {{chat: {{url: "${{SHOP_CHAT}}"}}}}}}
schedule: {{retries: 0, lock_patience_minutes: 0.0001, daily: {{ping_url: "{ping}/p"}}}}
"""


@pytest.fixture
def chat(serve: Callable[[], Listener]) -> Listener:
    return serve()


@pytest.fixture
def shop(tmp_path: Path, chat: Listener, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose chat is known to a file of variables only, as it is under cron."""
    monkeypatch.setenv("SHOP_CHAT", "")  # put back at the end: the command sets it for itself and its child
    (tmp_path / "recsysops.yaml").write_text(SETTINGS.format(ping=chat.url))
    (tmp_path / "cron.env").write_text(f"SHOP_CHAT=json://{chat.host}/hook\n")
    return tmp_path


def run(shop: Path) -> int:
    return main(["schedule", "run", "daily", "--environment", str(shop / "cron.env"), "-w", str(shop)])


def titles(chat: Listener) -> list[str]:
    return [one.json["title"] for one in chat.heard if one.path.startswith("/hook")]


def test_data_that_is_gone_is_told_once(shop: Path, chat: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    assert (run(shop), run(shop)) == (2, 2)
    assert titles(chat) == ["critical · could not look · shop · the run failed with exit code 2"]
    assert [path for path in chat.paths() if path.startswith("/p")] == ["/p/start", "/p/fail"] * 2
    assert "gone" in (shop / ".recsysops" / "logs" / "schedule.log").read_text()
    assert main(["schedule", "show", "-w", str(shop)]) == 0
    assert "with exit code 2" in capsys.readouterr().out


def test_a_held_workspace_is_known_by_the_words_of_its_lock(shop: Path, chat: Listener) -> None:
    with workspace_lock(shop / ".recsysops", "detect"):
        assert run(shop) == 2
    (title,) = titles(chat)
    assert title.startswith("critical · could not look · shop · another run has held the workspace for ")
